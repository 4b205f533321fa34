"""Faults of the running balance: what a row says it led to."""

from random import Random

from engine.demo.chance import pick
from engine.demo.faults.findings import Done, chain_break, drift
from engine.demo.faults.history import History

# Amounts are multiples of five halalas and these are not, so a balance that is off by one of
# them meets no other balance of its wallet by accident.
JUMPS = (-203, -101, -52, 1, 7, 99, 137, 512)


def jump_from(history: History, random: Random) -> Done:
    """A migration added to the running balance in mid-life; the stored balance is right."""
    index, by = _inner(history, random), pick(JUMPS, random)
    history.shift(index, by)
    entry = history.entries[index]
    return Done(
        words=f"the running balance jumps by {by} at entry {entry.id} and stays off",
        expected=[chain_break(history, entry, by)],
    )


def jump_and_back(history: History, random: Random) -> Done:
    """One row's balance is wrong: the chain breaks going in and coming out, two breaks."""
    index, by = _inner(history, random), pick(JUMPS, random)
    entry, after = history.entries[index], history.entries[index + 1]
    history.change(index, balance_after=entry.balance_after + by)
    return Done(
        words=f"the balance after entry {entry.id} alone is off by {by}",
        expected=[chain_break(history, entry, by), chain_break(history, after, -by)],
    )


def last_jumps(history: History, random: Random) -> Done:
    """The newest row's balance is wrong: there is no way out to break."""
    by, entry = pick(JUMPS, random), history.entries[-1]
    history.change(-1, balance_after=entry.balance_after + by)
    return Done(
        words=f"the balance after the last entry {entry.id} is off by {by}",
        expected=[chain_break(history, entry, by)],
    )


def stale_read(history: History, random: Random) -> Done:
    """A writer started from the balance before last, and all that follows believed it."""
    index = _inner(history, random)
    missed, entry = history.entries[index - 1], history.entries[index]
    history.shift(index, -missed.signed)
    history.stored -= missed.signed
    return Done(
        words=f"entry {entry.id} started from the balance before entry {missed.id}",
        expected=[drift(history, -missed.signed), chain_break(history, entry, -missed.signed)],
    )


def wrong_way(history: History, random: Random) -> Done:
    """A row moved the balance the wrong way: a purchase gave, or a top-up took."""
    index = _inner(history, random)
    entry = history.entries[index]
    by = -2 * entry.signed
    history.shift(index, by)
    history.stored += by
    return Done(
        words=f"entry {entry.id} ({entry.type}) moved the balance the wrong way",
        expected=[drift(history, by), chain_break(history, entry, by)],
    )


def _inner(history: History, random: Random) -> int:
    return 2 + int(random.random() * (len(history.entries) - 4))
