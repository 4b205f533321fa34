"""Bridges: the jumps that make one walk of rows which no order chains.

A walk over all rows that starts at one balance needs jumps: out of balances that more rows reach
than leave (`exits`), into those that more rows leave (`entrances`). Their least number is fixed by
the rows. Among the ways to pair exits with entrances, paired by rank costs least on a line; where
that leaves the walk in pieces, exchanging the partners of two neighbours joins two pieces for
twice the hole between them, and the cheapest set of exchanges is a spanning tree (Gilmore and
Gomory, 1964). One exit is left without a partner: it is where the walk ends.

A loop that touches no other row has no exit and no entrance of its own; it is given both at the
balance where it costs least to call. The result is exact for small groups; where there are many
places to call or to end, only the most promising are tried, so that time stays linear.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice, product

from engine.reconciliation.edges import Components

_ENDS = 24  # places to end at that are tried one by one
_CALLS = 256  # choices of places where loops are called at


@dataclass(frozen=True, order=True)
class Bridges:
    """How long all jumps are together, and each of them: from an exit to an entrance."""

    gap: int
    jumps: tuple[tuple[int, int], ...]


def least_bridges(
    exits: Sequence[int],
    entrances: Sequence[int],
    loops: Sequence[Sequence[int]],
    components: Components,
) -> Bridges:
    """The shortest jumps that join everything; there is one exit more than entrances.

    `loops` are the balances of each loop that needs a call.
    """
    best: Bridges | None = None
    for calls in _calls(loops, [*exits, *entrances]):
        found = _paired(sorted([*exits, *calls]), sorted([*entrances, *calls]), components)
        best = found if best is None else min(best, found)
    assert best is not None  # noqa: S101 - there is at least the empty choice of calls
    return best


def _calls(loops: Sequence[Sequence[int]], ends: Sequence[int]) -> Iterable[tuple[int, ...]]:
    count = 1
    for loop in loops:
        count *= len(loop)
    if count <= _CALLS:
        return product(*loops)
    # Too many to try: each loop is called at its balance nearest to any exit or entrance.
    return [tuple(_nearest(loops, sorted(ends)))]


def _nearest(loops: Sequence[Sequence[int]], ends: list[int]) -> Iterator[int]:
    for loop in loops:

        def distance(balance: int) -> tuple[int, int]:
            at = bisect_left(ends, balance)
            return min(abs(balance - end) for end in ends[max(at - 1, 0) : at + 1]), balance

        yield min(loop, key=distance)


def _paired(exits: list[int], entrances: list[int], components: Components) -> Bridges:
    """The best choice of where to end, and the pairing for it."""
    # Leaving out exit k pairs the exits before it with the entrance of their own rank and those
    # after it with the one before: both sums come from running totals.
    before = [0, *accumulate(abs(a - b) for a, b in zip(exits, entrances, strict=False))]
    after = [0, *accumulate(abs(a - b) for a, b in zip(exits[:0:-1], entrances[::-1], strict=True))]
    costs = sorted((before[k] + after[-1 - k], k) for k in range(len(exits)))
    best: Bridges | None = None
    for cost, end in islice(costs, _ENDS):
        if best is not None and cost > best.gap:
            break
        partners = exits[:end] + exits[end + 1 :]
        found = _joined(partners, entrances, exits[end], components)
        if found is not None:
            best = found if best is None else min(best, found)
    assert best is not None  # noqa: S101 - at most the start itself is no place to end
    return best


def _joined(
    exits: list[int], entrances: list[int], end: int, components: Components
) -> Bridges | None:
    """The pairing as one walk; None if no jump could lead to where it is to end."""
    pieces = components.copy()
    for jump in zip(exits, entrances, strict=True):
        pieces.join(*jump)
    holes = []
    for rank in range(len(exits) - 1):
        low = max(exits[rank], entrances[rank])
        high = min(exits[rank + 1], entrances[rank + 1])
        holes.append((max(0, high - low), rank))
    exchanged = []
    for hole, rank in sorted(holes):
        if pieces.join(exits[rank], exits[rank + 1]):
            exchanged.append((hole, rank))
    if exits and pieces.of(end) != pieces.of(exits[0]):
        return None
    partner = list(range(len(entrances)))
    # In this order no exchange lengthens the jump that a later one takes up.
    rising = sorted((r for _, r in exchanged if exits[r] <= entrances[r]), reverse=True)
    falling = sorted(r for _, r in exchanged if exits[r] > entrances[r])
    for rank in [*rising, *falling]:
        partner[rank], partner[rank + 1] = partner[rank + 1], partner[rank]
    jumps = tuple((exits[rank], entrances[partner[rank]]) for rank in range(len(exits)))
    return Bridges(sum(abs(a - b) for a, b in jumps), jumps)
