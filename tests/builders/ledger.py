"""A ledger as plain rows, and how a source holds it; it knows nothing of checks.

Amounts are integers of the minor unit, or `Decimal` where a source holds a part of one; what is
`None` is NULL. `ledger_source` puts a ledger into a source, `random_ledger` makes them up.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Id = int | str
Money = int | Decimal

DECIMALS = {"JPY": 0, "SAR": 2, "KWD": 3, "CLF": 4}
PLUS, MINUS = ("topup", "refund"), ("purchase", "fee")
START = datetime(2026, 3, 1, 9, tzinfo=UTC)


@dataclass(kw_only=True)
class Wallet:
    """One row of the wallets."""

    id: Id | None
    owner: Id | None
    currency: str | None
    opening: Money | None
    balance: Money | None
    floor: Money | None = None


@dataclass(kw_only=True)
class Entry:
    """One row of the entries.

    `amount` and `debit` are what its columns hold; which way they go is a matter of the shape.
    `style` is one of the ways to write its instant, and `garbled` a text in the place of one.
    """

    id: Id | None
    wallet: Id | None
    currency: str | None
    type: str | None
    reference: str | None
    amount: Money | None
    debit: Money | None
    balance_after: Money | None
    posted_at: datetime | None
    seq: int | None
    style: int = 0
    garbled: str | None = None


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How a ledger is held and read: kinds of columns, what is mapped, what is asked.

    `amounts` are `whole` (64 bits), `number` (decimals of whole minor units) or `major` (decimals
    of the major unit, which the query makes whole). `ways` says how an amount knows where it goes:
    by its own `minus`, by its `type`, or by being in one of a `pair` of columns.
    """

    owner_ids: str
    wallet_owners: str
    wallet_ids: str
    entry_wallets: str
    entry_ids: str
    amounts: str
    ways: str
    instants: str
    zone: str
    mapped: frozenset[str]
    stored: str
    checks: Mapping[str, Mapping[str, Any]]
    cut_off: datetime

    def maps(self, name: str) -> bool:
        """Whether the definition maps an optional column, `wallet currency` say."""
        return name in self.mapped


@dataclass(kw_only=True)
class Ledger:
    """Rows, and how they are read; the currency of what has none of its own is SAR."""

    shape: Shape
    owners: list[Id | None] = field(default_factory=list)
    wallets: list[Wallet] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
