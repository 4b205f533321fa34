"""A small canteen in SQLite, its reconciliation, and a reconciler for it."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.reconciliation.definitions import Definitions
from engine.reconciliation.reconcile import Reconciler
from engine.reconciliation.result import Result
from engine.sources.catalog import Sources
from tests.builders.clock import FakeClock

SCHEMA = """
CREATE TABLE wallets (id, currency, opening, balance, owner, floor);
CREATE TABLE entries (id, wallet, type, amount, currency, balance_after, posted_at, reference);
CREATE TABLE owners (id);
"""

DEFINITION = """
title: Wallets
timezone: {timezone}
currency: SAR
source: canteen
sides:
  wallets:
    query: SELECT * FROM wallets
    columns: {{wallet: id, currency: currency, opening: opening, balance: balance}}
  entries:
    query: SELECT * FROM entries
    columns: {{wallet: wallet, entry: id, amount: amount, currency: currency,
              balance_after: balance_after, posted_at: posted_at}}
sign: {{column: type, plus: [topup], minus: [purchase]}}
stored: {stored}
checks:
  balance: {{tolerance: {tolerance}}}
  chain: {{tolerance: {tolerance}}}
"""

_MORE = "posted_at: posted_at, reference: reference, code: type}"
_OWNERS = """\
  owners:
    query: SELECT * FROM owners
    columns: {owner: id}
sign:"""

Row = tuple[Any, ...]


@dataclass
class Canteen:
    """A database with its definition; `entry` keeps the running balance as a sane ledger would."""

    folder: Path
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        (self.folder / "reconciliations").mkdir()
        self.define()
        with closing(sqlite3.connect(self.path)) as connection:
            connection.executescript(SCHEMA)

    @property
    def path(self) -> Path:
        """The database."""
        return self.folder / "canteen.db"

    def define(
        self,
        *,
        timezone: str = "UTC",
        stored: str = "balance",
        tolerance: int = 0,
        change: Callable[[str], str] = str,
    ) -> None:
        """Write the definition `wallets`."""
        text = DEFINITION.format(timezone=timezone, stored=stored, tolerance=tolerance)
        path = self.folder / "reconciliations" / "wallets.yaml"
        path.write_text(change(text), encoding="utf-8")

    def ask(self, *checks: str, change: Callable[[str], str] = str, **options: str) -> None:
        """Write a definition that maps a reference and a type and asks for `checks`, as YAML."""

        def asking(text: str) -> str:
            head = text[: text.index("  balance: {tolerance")]
            mapped = head.replace("posted_at: posted_at}", _MORE)
            return change(mapped + "".join(f"  {check}\n" for check in checks))

        self.define(change=asking, **options)  # type: ignore[arg-type]

    def wallets(self, *rows: Row) -> None:
        """Rows of (id, opening, balance), in SAR unless a currency comes last."""
        names = "id, opening, balance, currency"
        self._insert("wallets", names, [(*r[:3], r[3] if len(r) > 3 else "SAR") for r in rows])

    def entries(self, *rows: Row) -> None:
        """Rows of (id, wallet, type, amount, balance_after, posted_at), in SAR unless one more.

        Behind the currency may be a reference.
        """
        names = "id, wallet, type, amount, balance_after, posted_at, currency, reference"
        whole = [(*r, *("SAR", None)[len(r) - 6 :]) for r in rows]
        has_reference = any(r[7] is not None for r in whole)
        if not has_reference:  # a test may have tables of its own
            names, whole = names[: names.rindex(",")], [r[:7] for r in whole]
        self._insert("entries", names, whole)

    def owners(self, *ids: object) -> None:
        """Those that wallets may belong to."""
        self._insert("owners", "id", [(each,) for each in ids])

    def run(self, statement: str, values: Sequence[Any] = ()) -> None:
        """Change the database."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute(statement, values)

    def reconciler(self) -> Reconciler:
        """Reconciles this canteen."""
        sources = Sources({"canteen": "sqlite:///canteen.db"}, self.folder)
        definitions = Definitions(self.folder / "reconciliations", sources)
        return Reconciler(definitions=definitions, clock=self.clock)

    def find(self, *, cut_off: datetime | None = None) -> Result:
        """What a reconciliation finds."""
        return self.reconciler().find("wallets", cut_off=cut_off)

    def _insert(self, table: str, columns: str, rows: Iterable[Row]) -> None:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            for row in rows:
                marks = ", ".join("?" * len(row))
                connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", row)  # noqa: S608


def with_owners(text: str) -> str:
    """The definition, with owners that wallets belong to."""
    return text.replace("sign:", _OWNERS, 1).replace(
        "balance: balance}", "balance: balance, owner: owner}"
    )


def found(result: Result, *codes: str) -> list[tuple[str, str | None, str, int]]:
    """Wallet, entry, currency and amount of each break with one of the codes."""
    return [
        (each.wallet, each.entry, each.currency, each.amount_minor)
        for each in result.differences
        if each.code in codes
    ]


def drifts(result: Result) -> list[tuple[str, str, int]]:
    """Wallet, currency and amount of each drift."""
    found = [each for each in result.differences if each.code == "BALANCE_DRIFT"]
    return [(each.wallet, each.currency, each.amount_minor) for each in found]


def chain_breaks(result: Result) -> list[tuple[str, str | None, int]]:
    """Wallet, entry and amount of each break of a chain."""
    found = [each for each in result.differences if each.code == "CHAIN_BREAK"]
    return [(each.wallet, each.entry, each.amount_minor) for each in found]
