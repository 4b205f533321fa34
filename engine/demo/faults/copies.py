"""Faults of repetition: an entry is there twice, or looks as if it were; and what is innocent."""

from random import Random

from engine.demo.chance import pick
from engine.demo.faults.findings import Done, copy, drift, suspect
from engine.demo.faults.history import A_MINUTE, Entry, History


def stored_twice(history: History, random: Random) -> Done:
    """A restore put a row back that was there: all the same but the id, and nothing moved."""
    index = _inner(history, random)
    first, second = history.entries[index], history.entries[index + 1]
    _repeat(history, index, first.reference, first.posted_at, moved=False)
    return Done(
        words=f"entry {second.id} is a second row of entry {first.id} ({first.reference})",
        expected=[drift(history, -first.signed), copy(history.entries[index + 1])],
    )


def moved_twice(history: History, random: Random) -> Done:
    """One request was carried out twice in one second: the money moved twice as well."""
    index = _inner(history, random)
    first, second = history.entries[index], history.entries[index + 1]
    _repeat(history, index, first.reference, first.posted_at, moved=True)
    return Done(
        words=f"entry {second.id} carried out entry {first.id} ({first.reference}) once more",
        expected=[copy(history.entries[index + 1])],
    )


def tapped_twice(history: History, random: Random) -> Done | None:
    """The till was tapped again seconds later, under a receipt of its own."""
    index = _inner(history, random)
    first, second = history.entries[index], history.entries[index + 1]
    if first.type != "purchase":
        return None
    at = _later(first, pick((2, 7, 31, 60), random))
    _repeat(history, index, f"POS-{second.id:010d}", at, moved=True)
    return Done(
        words=f"entry {second.id} repeats entry {first.id} within the minute",
        expected=[suspect(history.entries[index + 1])],
    )


def called_back_twice(history: History, random: Random) -> Done | None:
    """The gateway told the same top-up twice, seconds apart, and both were booked."""
    index = _inner(history, random)
    first, second = history.entries[index], history.entries[index + 1]
    if first.type != "topup":
        return None
    _repeat(history, index, first.reference, _later(first, pick((1, 4, 15), random)), moved=True)
    return Done(
        words=f"entry {second.id} books the top-up {first.reference} again",
        expected=[suspect(history.entries[index + 1])],
    )


def hungry(history: History, random: Random) -> Done | None:
    """The same again ten minutes later, or just over one: innocent."""
    index = _inner(history, random)
    first, second = history.entries[index], history.entries[index + 1]
    if first.type != "purchase":
        return None
    at = _later(first, pick((61, 600), random))
    _repeat(history, index, f"POS-{second.id:010d}", at, moved=True)
    return Done(
        words=f"entry {second.id} buys what entry {first.id} bought, and that is all", expected=[]
    )


def returned_at_once(history: History, random: Random) -> Done | None:
    """A purchase is refunded seconds later: the same amount, the other way, and innocent."""
    index = _inner(history, random)
    first, second = history.entries[index], history.entries[index + 1]
    if first.type != "purchase":
        return None
    _repeat(history, index, f"REF-{first.id:010d}", _later(first, 20), moved=True, kind="refund")
    return Done(words=f"entry {second.id} refunds entry {first.id} at once", expected=[])


def _repeat(
    history: History, index: int, reference: str, at: str, *, moved: bool, kind: str = ""
) -> None:
    """Make the next entry the same again; it so never happened, and later balances miss it."""
    first, second = history.entries[index], history.entries[index + 1]
    history.change(
        index + 1,
        type=kind or first.type,
        reference=reference,
        amount=first.amount,
        posted_at=at,
    )
    by = history.entries[index + 1].signed if moved else 0
    history.change(index + 1, balance_after=first.balance_after + by)
    history.shift(index + 2, by - second.signed)
    history.stored += by - second.signed


def _later(entry: Entry, seconds: int) -> str:
    return f"{entry.at + A_MINUTE * seconds / 60:%Y-%m-%dT%H:%M:%SZ}"


def _inner(history: History, random: Random) -> int:
    """An entry with one after it that can become the same again, and others after that."""
    return 1 + int(random.random() * (len(history.entries) - 4))
