"""Faults among rows of one second, where ids say nothing about order; some only look like one.

A till that was offline sends what it sold at once: the rows share their instant, and the order
they were stored in need not be the order in which they happened.
"""

from dataclasses import replace
from random import Random

from engine.demo.chance import pick
from engine.demo.faults.chains import JUMPS
from engine.demo.faults.findings import Done, chain_break, drift
from engine.demo.faults.history import History


def pair_reversed(history: History, random: Random) -> Done | None:
    """Two rows stored the wrong way round: no break."""
    return _reversed(history, random, 2)


def batch_reversed(history: History, random: Random) -> Done | None:
    """Five rows stored the wrong way round: no break."""
    return _reversed(history, random, 5)


def refund_first(history: History, random: Random) -> Done | None:
    """A purchase and its refund, stored refund first: a loop that hangs on the chain, no break."""
    index = _index(history, random, 3)
    _buy_and_refund(history, index + 1, history.entries[index].balance_after)
    return _reversed(history, random, 3, index)


def two_tills(history: History, random: Random) -> Done | None:
    """Two tills read one balance in the same second: two rows leave it, and one can follow."""
    index = _index(history, random, 2)
    lesser, greater = history.entries[index], history.entries[index + 1]
    if not greater.signed < lesser.signed < 0:
        # The other way round, the smallest jump would depend on what comes after.
        return None
    history.post_together(index, 2)
    history.shift(index + 1, lesser.amount)
    history.stored += lesser.amount
    return Done(
        words=f"entries {lesser.id} and {greater.id} both started from one balance",
        expected=[
            drift(history, lesser.amount),
            chain_break(history, greater, lesser.amount),
        ],
    )


def no_order(history: History, random: Random) -> Done | None:
    """Four rows of which no order chains: two go on from the balance, two from another one."""
    index, by = _index(history, random, 4), pick(JUMPS, random)
    if history.entries[index + 1].balance_after == history.entries[index + 3].balance_after:
        return None  # the far rows would be a loop, which may be entered at either end
    history.post_together(index, 4)
    history.shift(index + 2, by)
    history.reverse(index, 4)
    # Reversed, the far trail holds the two lowest ids, and its first row the second of them.
    entry = history.entries[index]
    return Done(
        words=f"no order of the rows in the second of entry {entry.id} chains: two are {by} off",
        expected=[chain_break(history, entry, by)],
    )


def loop_apart(history: History, random: Random) -> Done:
    """A purchase and its refund around a balance the wallet never had: a loop that floats.

    It is the wallet's last second, so that nothing has to follow it.
    """
    index = len(history.entries) - 4
    history.post_together(index, 4)
    held = history.entries[index + 1].balance_after
    by = pick([jump for jump in JUMPS if 0 < jump < 100], random)
    _buy_and_refund(history, index + 2, held + by)
    history.stored = history.expected
    history.reverse(index + 2, 2)
    entry = history.entries[index + 2]
    return Done(
        words=f"the purchase and refund at entry {entry.id} circle {by} above the balance",
        expected=[chain_break(history, entry, by)],
    )


def _reversed(history: History, random: Random, count: int, at: int | None = None) -> Done | None:
    index = _index(history, random, count) if at is None else at
    history.post_together(index, count)
    history.reverse(index, count)
    if history.chains:  # balances may meet by accident, and then there is nothing to see
        return None
    first = history.entries[index]
    return Done(
        words=f"{count} rows in the second of entry {first.id} chain, but not in the order of ids",
        expected=[],
        order_only=1,
    )


def _buy_and_refund(history: History, index: int, held: int) -> None:
    """Make two neighbours a purchase from a held balance and its refund; the rest follows."""
    buying, refunding = history.entries[index], history.entries[index + 1]
    price = 500
    history.shift(index + 2, held - refunding.balance_after)
    history.stored += held - refunding.balance_after
    number = f"{buying.id:010d}"
    history.entries[index : index + 2] = [
        replace(
            buying,
            type="purchase",
            reference=f"POS-{number}",
            amount=price,
            balance_after=held - price,
        ),
        replace(
            refunding,
            type="refund",
            reference=f"REF-{number}",
            amount=price,
            balance_after=held,
        ),
    ]


def _index(history: History, random: Random, count: int) -> int:
    """Where so many neighbours start, with a row before them and two after."""
    return 1 + int(random.random() * (len(history.entries) - count - 2))
