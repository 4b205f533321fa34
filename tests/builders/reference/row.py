"""Entries and wallets of a random ledger that a check can use, and what they are worth."""

from dataclasses import dataclass, field
from datetime import datetime

from tests.builders.ledger import MINUS, PLUS, Entry, Id, Money, Shape

Lane = tuple[str, str]
"""A wallet and a currency."""

_LARGEST = 10**18


@dataclass(eq=False)
class Row:
    """An entry that can be used, with what is found out about it."""

    entry: Id | None
    wallet: str
    currency: str
    amount: int
    balance_after: int | None
    posted_at: datetime | None
    code: str | None
    reference: str | None
    name: str = ""
    original: str | None = None
    replica: bool = False
    codes: list[str] = field(default_factory=list)

    @property
    def lane(self) -> Lane:
        """Whose it is, in which currency."""
        return self.wallet, self.currency


@dataclass
class Holding:
    """A wallet in a currency, that can be used."""

    wallet: str
    currency: str
    owner: str | None
    opening: int | None
    balance: int | None
    floor: int


def whole(value: Money | None) -> int | None:
    """An amount that a check can use."""
    part = whole_part(value)
    return part if part is not None and abs(part) <= _LARGEST else None


def signed(shape: Shape, entry: Entry) -> int | None:
    """The amount of an entry, with the way that it goes."""
    amount = whole_part(entry.amount)
    if shape.ways == "pair":
        debit = whole_part(entry.debit)
        return whole(amount - debit) if amount is not None and debit is not None else None
    amount = whole(amount)
    if shape.ways == "minus" or amount is None:
        return amount
    return amount if entry.type in PLUS else -amount if entry.type in MINUS else None


def whole_part(value: Money | None) -> int | None:
    """A whole number of any size."""
    return int(value) if value is not None and value == int(value) else None


def code_of(text: str) -> str:
    """A currency, however it is spelled."""
    return text.strip().upper()
