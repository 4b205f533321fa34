"""A reconciliation, defined: sides that should agree, and the checks that ask whether they do."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from engine.sources.delimited import Dialect

LARGEST = 10**18
"""No amount is larger, in minor units: the sum of any two still is a whole number of 64 bits."""


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

    `keys` maps wallet, entry, currency, posted_at, order ... to the columns they are made of,
    `amounts` maps amount, balance_after, opening and balance.
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
class Definition:
    """Everything that one reconciliation needs to know; `checks` maps each to its tolerance."""

    name: str
    title: str
    timezone: str
    currency: str
    entries: Side
    wallets: Side | None
    stored: Literal["balance", "last_balance_after"]
    checks: Mapping[str, int] = field(default_factory=dict)

    @property
    def sides(self) -> Sequence[Side]:
        """The sides, in the order in which they are read."""
        return [self.wallets, self.entries] if self.wallets else [self.entries]

    @property
    def lane(self) -> str:
        """The columns that tell lanes apart: the currency only where a side has one of its own."""
        own = any("currency" in side.keys for side in self.sides)
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
    def walks(self) -> bool:
        """Whether the running balances are followed at all."""
        return "chain" in self.checks or self.stored == "last_balance_after"
