"""Faults of the ledger's rows: an entry is gone, there twice, or not what it was."""

from random import Random

from engine.demo.chance import pick
from engine.demo.faults.findings import Done, chain_break, drift
from engine.demo.faults.history import History


def removed(history: History, random: Random) -> Done:
    """An entry vanished after the balance had moved: the sum and the chain both miss it."""
    index = _inner(history, random)
    gone = history.entries.pop(index)
    return Done(
        words=f"entry {gone.id} ({gone.reference}) was deleted after the balance had moved",
        expected=[
            drift(history, gone.signed),
            chain_break(history, history.entries[index], gone.signed),
        ],
    )


def last_removed(history: History, random: Random) -> Done:
    """The newest entry vanished: nothing follows it, so only the sum can tell."""
    gone = history.entries.pop()
    return Done(
        words=f"the last entry {gone.id} ({gone.reference}) was deleted",
        expected=[drift(history, gone.signed)],
    )


def booked_twice(history: History, random: Random) -> Done:
    """A retry booked an entry again, balance and all, but moved the stored balance once."""
    index = _inner(history, random)
    first, second = history.entries[index], history.entries[index + 1]
    # The copy takes the place of the next entry, which so never happened.
    history.shift(index + 2, -second.signed)
    history.stored -= second.signed
    history.change(
        index + 1,
        type=first.type,
        reference=first.reference,
        amount=first.amount,
        balance_after=first.balance_after,
    )
    return Done(
        words=f"entry {second.id} is entry {first.id} ({first.reference}) booked again",
        expected=[
            drift(history, -first.signed),
            chain_break(history, history.entries[index + 1], -first.signed),
        ],
    )


def amount_edited(history: History, random: Random) -> Done:
    """An amount was changed by hand after the fact; the balances were left as they were."""
    index = _inner(history, random)
    entry, by = history.entries[index], pick((100, 250, 1000), random)
    history.change(index, amount=entry.amount + by)
    moved = history.entries[index].signed - entry.signed
    return Done(
        words=f"the amount of entry {entry.id} was raised by {by} by hand",
        expected=[drift(history, -moved), chain_break(history, entry, -moved)],
    )


def _inner(history: History, random: Random) -> int:
    """An entry with neighbours that it can be told from."""
    return 2 + int(random.random() * (len(history.entries) - 5))
