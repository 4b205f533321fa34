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
    That of a copy, a suspect, an orphan or a mismatch is the entry's own, with its sign; of a
    wallet without an owner what it stores, and of one below zero how far.
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


def copy(entry: Entry) -> Expected:
    """The entry is there once more."""
    return _of_entry("duplicate", "DUPLICATE_EXACT", entry)


def suspect(entry: Entry) -> Expected:
    """The entry looks like one within the minute before."""
    return _of_entry("duplicate", "DUPLICATE_SUSPECT", entry)


def orphan(entry: Entry) -> Expected:
    """The entry's wallet does not exist."""
    return _of_entry("orphan", "ORPHAN_ENTRY", entry)


def mismatch(entry: Entry) -> Expected:
    """The entry's currency is not its wallet's."""
    return _of_entry("currency", "CURRENCY_MISMATCH", entry)


def ownerless(history: History) -> Expected:
    """The wallet is nobody's."""
    return _of_wallet("orphan", "ORPHAN_WALLET", history, history.stored)


def below_zero(history: History) -> Expected:
    """The wallet stores less than nothing."""
    return _of_wallet("negative", "NEGATIVE_BALANCE", history, history.stored)


def _of_entry(check: str, code: str, entry: Entry) -> Expected:
    return Expected(
        check=check,
        code=code,
        wallet=str(entry.wallet),
        entry=str(entry.id),
        currency=entry.currency,
        amount_minor=entry.signed,
    )


def _of_wallet(check: str, code: str, history: History, amount: int) -> Expected:
    return Expected(
        check=check,
        code=code,
        wallet=str(history.wallet),
        entry=None,
        currency=CURRENCY,
        amount_minor=amount,
    )
