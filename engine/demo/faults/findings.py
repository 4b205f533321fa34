"""What a planted fault must be found as; computed from what was done, by no checker."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.demo.faults.history import Entry, History
from engine.demo.ledger import CURRENCY


@dataclass(frozen=True, kw_only=True)
class Expected:
    """One difference that a reconciliation must report, and no other for this cause.

    A drift's amount is stored minus expected. A chain break's is the balance that its trail says
    it started from minus the running balance before it; its entry is the lowest id of the trail.
    """

    check: str
    code: str
    wallet: str
    entry: str | None
    currency: str
    amount_minor: int


@dataclass(frozen=True, kw_only=True)
class Done:
    """What a kind did in words, and what must be found; nothing when only an order misleads."""

    words: str
    expected: Sequence[Expected]
    order_only: int = 0


def drift(history: History, amount: int) -> Expected:
    """The stored balance is off by so much."""
    return Expected(
        check="balance",
        code="BALANCE_DRIFT",
        wallet=str(history.wallet),
        entry=None,
        currency=CURRENCY,
        amount_minor=amount,
    )


def chain_break(history: History, entry: Entry, gap: int) -> Expected:
    """The chain jumps by so much, at the trail with this lowest id."""
    return Expected(
        check="chain",
        code="CHAIN_BREAK",
        wallet=str(history.wallet),
        entry=str(entry.id),
        currency=CURRENCY,
        amount_minor=gap,
    )
