"""A reconciliation, defined: sides that should agree, and the checks that ask whether they do."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from engine.sources.delimited import Dialect

LARGEST = 10**18
"""No amount is larger, in minor units: the sum of any two still is a whole number of 64 bits."""

MAY_BE_EMPTY = frozenset({"owner", "floor", "reference", "code"})
"""What a row may lack without a finding; everything else that is read is due in each row."""


@dataclass(frozen=True, kw_only=True)
class Amount:
    """Columns that are added up and taken off to give one amount."""

    plus: Sequence[str]
    minus: Sequence[str] = ()

    @property
    def columns(self) -> Sequence[str]:
        """Every column that it is made of."""
        return [*self.plus, *self.minus]


@dataclass(frozen=True, kw_only=True)
class Sign:
    """Which way an amount goes, by the value of a column."""

    column: str
    plus: Collection[str]
    minus: Collection[str]


@dataclass(frozen=True, kw_only=True)
class QueryRows:
    """Rows that one SELECT gives."""

    query: str


@dataclass(frozen=True, kw_only=True)
class FileRows:
    """Rows of a delimited file; amounts are whole minor units, or decimals of the major one."""

    file: str
    dialect: Dialect
    unit: Literal["minor", "major"]
    dates: str | None = None


@dataclass(frozen=True, kw_only=True)
class Side:
    """One set of rows: where they are, and which columns mean what.

    `keys` maps wallet, entry, currency, posted_at, order, owner ... to the columns they are made
    of, `amounts` maps amount, balance_after, opening, balance and floor.
    """

    name: str
    source: str
    rows: QueryRows | FileRows
    keys: Mapping[str, Sequence[str]]
    amounts: Mapping[str, Amount]
    sign: Sign | None = None

    @property
    def columns(self) -> Sequence[str]:
        """The columns of the source that are read, each once."""
        amounts = (column for amount in self.amounts.values() for column in amount.columns)
        keys = (column for columns in self.keys.values() for column in columns)
        signs = [self.sign.column] if self.sign else []
        return list(dict.fromkeys([*keys, *amounts, *signs]))


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """How far apart two amounts may be, in minor units."""

    tolerance: int = 0


@dataclass(frozen=True, kw_only=True)
class Window:
    """How soon after each other two entries that look alike are suspected to be one."""

    within: timedelta = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True)
class Floor:
    """What a balance must not lie below, in minor units, and whether `running` ones count too."""

    floor: int = 0
    running: bool = False


@dataclass(frozen=True, kw_only=True)
class Plain:
    """A check that there is nothing to say about."""


Settings = Tolerance | Window | Floor | Plain


@dataclass(frozen=True, kw_only=True)
class Definition:
    """Everything that one reconciliation needs to know; `checks` maps each to its settings.

    `staging` is where its rows lie while they are compared.
    """

    name: str
    title: str
    timezone: str
    currency: str
    entries: Side
    wallets: Side | None
    stored: Literal["balance", "last_balance_after"]
    checks: Mapping[str, Settings] = field(default_factory=dict)
    owners: Side | None = None
    staging: Literal["memory", "disk"] = "memory"

    @property
    def sides(self) -> Sequence[Side]:
        """The sides, in the order in which they are read."""
        return [side for side in (self.owners, self.wallets, self.entries) if side]

    @property
    def lane(self) -> str:
        """The columns that tell lanes apart: the currency only where a side has one of its own."""
        own = any("currency" in side.keys for side in (self.wallets, self.entries) if side)
        return "wallet, currency" if own else "wallet"

    @property
    def entry_lane(self) -> list[str]:
        """The columns that tell the lanes of the entries apart."""
        return ["wallet", "currency"] if "currency" in self.entries.keys else ["wallet"]

    @property
    def ordered(self) -> bool:
        """Whether entries have an order of their own, beside that of their ids."""
        keys = self.entries.keys
        return "order" in keys and keys["order"] != keys.get("entry")

    @property
    def follows(self) -> bool:
        """Whether the running balances are followed at all."""
        return "chain" in self.checks or self.stored == "last_balance_after"

    @property
    def walks(self) -> bool:
        """Whether entries are looked at one after the other, in the order of time."""
        return self.follows or "duplicate" in self.checks

    @property
    def names_entries(self) -> bool:
        """Whether breaks may be of single entries, whose ids then have an order."""
        return self.follows or self.checks.keys() != {"balance"}

    @property
    def window(self) -> timedelta | None:
        """How far apart look-alikes are sought; None if they are not."""
        asked = self.checks.get("duplicate")
        return asked.within if isinstance(asked, Window) else None

    @property
    def floor(self) -> Floor | None:
        """What balances must not lie below; None if that is not asked."""
        asked = self.checks.get("negative")
        return asked if isinstance(asked, Floor) else None

    @property
    def says_balances(self) -> bool:
        """Whether what the entries say they led to is read."""
        running = self.floor is not None and self.floor.running
        return self.follows or running
