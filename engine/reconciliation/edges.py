"""The rows of one instant as a graph: balances are nodes, a row leads from one to the next."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

EntryId = int | str | tuple[int | str, int]
"""The id of an entry, or with it the place among those that bear the same."""


@dataclass(frozen=True, order=True, slots=True)
class Edge:
    """A row: the balance before it, the balance after it, and its entry's id."""

    entry: EntryId
    pre: int
    post: int


class Components:
    """Which balances hang together by rows, whatever their direction (a union-find)."""

    def __init__(self, edges: Iterable[Edge] = ()) -> None:
        self._parent: dict[int, int] = {}
        for edge in edges:
            self.join(edge.pre, edge.post)

    def of(self, balance: int) -> int:
        """The balance that stands for the component of `balance`."""
        parent = self._parent
        root = balance
        while (above := parent.setdefault(root, root)) != root:
            root = above
        while parent[balance] != root:
            parent[balance], balance = root, parent[balance]
        return root

    def join(self, one: int, other: int) -> bool:
        """Make two components one; False if they are one already."""
        first, second = self.of(one), self.of(other)
        # The lesser balance stands for both, so that the order of rows changes nothing.
        self._parent[max(first, second)] = min(first, second)
        return first != second

    def copy(self) -> "Components":
        """The same, to be joined further."""
        other = Components()
        other._parent = self._parent.copy()
        return other


def excess(edges: Iterable[Edge]) -> dict[int, int]:
    """How many more rows leave each balance than reach it; balances that are even are left out."""
    count: defaultdict[int, int] = defaultdict(int)
    for edge in edges:
        count[edge.pre] += 1
        count[edge.post] -= 1
    return {balance: more for balance, more in count.items() if more}


def walk(start: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """An Eulerian trail: positions of `edges` in an order in which each follows from the last.

    The caller has made sure that there is one; of two edges at a fork, the earlier is taken.
    """
    leaving: defaultdict[int, list[int]] = defaultdict(list)
    for position in range(len(edges) - 1, -1, -1):
        leaving[edges[position][0]].append(position)
    stack: list[tuple[int, int | None]] = [(start, None)]
    trail: list[int] = []
    while stack:
        balance, came_by = stack[-1]
        if leaving[balance]:
            position = leaving[balance].pop()
            stack.append((edges[position][1], position))
        else:
            stack.pop()
            if came_by is not None:
                trail.append(came_by)
    trail.reverse()
    return trail
