"""Settling a group: in which order rows of one instant happened, as far as they can tell.

The best order has the fewest breaks, then the smallest total gap, then the lowest entry ids
first. Nothing depends on the order in which the rows are given.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.reconciliation.bridges import Bridges, least_bridges
from engine.reconciliation.edges import Components, Edge, EntryId, excess, walk

# Places to start at that are tried when no balance is carried over; fewer where each costs more.
_STARTS, _STARTS_OF_MANY, _MANY = 24, 2, 500


@dataclass(frozen=True, slots=True)
class Gap:
    """A break: a trail that starts at `actual` where the chain had come to `expected`.

    `entry` is the lowest entry id of that trail.
    """

    entry: EntryId
    expected: int
    actual: int


@dataclass(frozen=True, slots=True)
class Settled:
    """The best order's breaks, and the balance that it ends at.

    Rows that lead round in a circle from a start that nobody knows may have started, and ended,
    at any balance of the `circle`.
    """

    gaps: Sequence[Gap]
    end: int
    circle: frozenset[int] = frozenset()


def settle(
    start: int | None, rows: Iterable[Edge], *, circle: frozenset[int] = frozenset()
) -> Settled:
    """The best order of the rows of one instant; `start` is what the chain had come to, if known.

    Without `start` the first row is taken at its word. With a `circle` the chain may as well have
    come to any other balance of it, and these rows say which.
    """
    edges = sorted(rows)
    if circle:
        return _from_circle(start, edges, circle)
    settled = _best(start, edges)
    if start is None and not settled.gaps and sum(e.post - e.pre for e in edges) == 0:
        return Settled((), settled.end, frozenset(edge.pre for edge in edges))
    return settled


def _from_circle(start: int | None, edges: Sequence[Edge], circle: frozenset[int]) -> Settled:
    alone = settle(None, edges)
    if not alone.gaps:
        if common := circle & alone.circle:
            return Settled((), start if start in common else min(common), common)
        if alone.end - sum(edge.post - edge.pre for edge in edges) in circle:
            return Settled((), alone.end)
    starts = list(dict.fromkeys([start, *sorted(circle)]))[:_STARTS]
    return min((_best(each, edges) for each in starts), key=_merit)


def _best(start: int | None, edges: Sequence[Edge]) -> Settled:
    if (end := _end_of(start, edges)) is not None:
        return Settled((), end)
    components = Components(edges)
    uneven = excess(edges)
    starts = [start] if start is not None else _starts(edges, uneven, components)
    # Ties go to the order whose breaks lie at the lowest entries.
    return min((_settle(each, edges, uneven, components) for each in starts), key=_merit)


def chains_as_given(start: int | None, edges: Sequence[Edge]) -> bool:
    """Whether the rows chain in the very order given."""
    return _end_of(start, edges) is not None


def _merit(settled: Settled) -> tuple[int, int, list[tuple[EntryId, int]]]:
    gaps = settled.gaps
    return (
        len(gaps),
        sum(abs(g.actual - g.expected) for g in gaps),
        [(gap.entry, gap.actual) for gap in gaps],
    )


def _end_of(start: int | None, edges: Sequence[Edge]) -> int | None:
    """Where the rows lead in the order given, if they chain in it; else None."""
    at = edges[0].pre if start is None else start
    for edge in edges:
        if edge.pre != at:
            return None
        at = edge.post
    return at


def _starts(edges: Sequence[Edge], uneven: dict[int, int], components: Components) -> list[int]:
    """Where a walk may start without a jump: an entrance, or anywhere in a loop."""
    open_ = {components.of(balance) for balance in uneven}
    found = {
        edge.pre
        for edge in edges
        if uneven.get(edge.pre, 0) > 0 or components.of(edge.pre) not in open_
    }
    most = _STARTS if len(edges) < _MANY else _STARTS_OF_MANY
    # The edges are sorted: the lowest entries that a walk may start with come first.
    return list(dict.fromkeys(edge.pre for edge in edges if edge.pre in found))[:most]


def _settle(
    start: int, edges: Sequence[Edge], uneven: dict[int, int], components: Components
) -> Settled:
    # What has come to `start` must go on from there, like the end of any other trail.
    needs = uneven | {start: uneven.get(start, 0) - 1}
    exits = [balance for balance, more in needs.items() for _ in range(-more)]
    entrances = [balance for balance, more in needs.items() for _ in range(more)]
    bridges = least_bridges(exits, entrances, _loops(start, edges, uneven, components), components)
    return _walked(start, edges, bridges)


def _loops(
    start: int, edges: Sequence[Edge], uneven: dict[int, int], components: Components
) -> list[list[int]]:
    """The balances of each loop that touches neither another row nor the start."""
    open_ = {components.of(balance) for balance in uneven} | {components.of(start)}
    loops: defaultdict[int, set[int]] = defaultdict(set)
    for edge in edges:
        if (component := components.of(edge.pre)) not in open_:
            loops[component].add(edge.pre)
    return [sorted(loops[component]) for component in sorted(loops)]


def _walked(start: int, edges: Sequence[Edge], bridges: Bridges) -> Settled:
    steps = [(edge.pre, edge.post) for edge in edges] + list(bridges.jumps)
    gaps: list[Gap] = []
    end, jump, lowest = start, None, None
    for position in [*walk(start, steps), None]:
        if position is not None and position < len(edges):
            edge = edges[position]
            lowest = edge.entry if lowest is None else min(lowest, edge.entry)
            end = edge.post
            continue
        if jump is not None and lowest is not None:
            gaps.append(Gap(lowest, *jump))
        if position is not None:
            jump, lowest = steps[position], None
            end = jump[1]
    return Settled(tuple(sorted(gaps, key=_entry)), end)


def _entry(gap: Gap) -> tuple[EntryId, int]:
    return gap.entry, gap.actual
