"""Chains: the suspect lanes, settled instant by instant; what each came to is kept as a table."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from engine.reconciliation.copies import place_of
from engine.reconciliation.definition import Definition
from engine.reconciliation.edges import Edge
from engine.reconciliation.settle import Gap, chains_as_given, settle
from engine.reconciliation.staging import Staging

_BATCH = 50_000


@dataclass(frozen=True, slots=True)
class ChainBreak:
    """A gap, and whose it is."""

    wallet: Any
    currency: str
    gap: Gap


@dataclass
class Chains:
    """What following the balances found."""

    breaks: list[ChainBreak] = field(default_factory=list)
    order_only: int = 0  # instants whose rows chain, but not in the order given


def follow(definition: Definition, staging: Staging, *, cut_off: int) -> Chains:
    """Settle every lane that the walk could not prove clean.

    Makes the table `ends`: the last balance of each lane that was settled.
    """
    _list_suspects(staging)
    chains = Chains()
    kind = staging.kind("holdings", "wallet")
    staging.run(f"CREATE TABLE ends (wallet {kind}, currency VARCHAR, last_balance BIGINT)")
    ends: list[tuple[Any, str, int]] = []
    for lane, rows in groupby(_rows(definition, staging, cut_off), key=lambda row: row[:3]):
        wallet, currency, opening = lane
        end = _follow_lane(chains, wallet, currency, opening, rows)
        if end is not None:
            ends.append((wallet, currency, end))
        if len(ends) >= _BATCH:
            _keep(staging, ends)
            ends = []
    _keep(staging, ends)
    return chains


def _follow_lane(
    chains: Chains, wallet: Any, currency: str, at: int | None, rows: Iterable[tuple[Any, ...]]
) -> int | None:
    """Where the lane ends, as far as anything says it.

    A row that lacks its instant, its id or its balance is a finding, and makes no break of the rows
    around it: where it lies, the chain starts anew.
    """
    circle: frozenset[int] = frozenset()
    undated, end = Undated(), at
    for instant, group in groupby(rows, key=lambda row: row[3]):
        members = [((entry, place), *said) for entry, place, *said in (row[4:] for row in group)]
        if instant is None:
            undated = Undated(members)
            continue
        edges = [Edge(entry, after - amount, after) for entry, amount, after in _whole(members)]
        if len(edges) < len(members):
            end = settle(None, edges).end if edges else end
            at, circle = None, frozenset()
            continue
        settled = settle(at, edges, circle=circle)
        for gap in settled.gaps:
            if not undated.lie_between(gap.expected, gap.actual):
                chains.breaks.append(ChainBreak(wallet, currency, gap))
        if len(edges) > 1 and not settled.gaps and not chains_as_given(at, edges):
            chains.order_only += 1
        at, circle = settled.end, settled.circle
        end = at
    # A circle that nothing followed: the balance check takes wallets to have opened with nothing.
    return 0 if 0 in circle else end


def _whole(members: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [member for member in members if None not in member and member[0][0] is not None]


class Undated:
    """Rows of a lane that say no instant: each may lie wherever it fits, once."""

    def __init__(self, members: Sequence[tuple[Any, ...]] = ()) -> None:
        self._steps = sorted(
            (after - amount, after) for _, amount, after in members if after is not None
        )
        self._amounts = sorted(amount for _, amount, after in members if after is None)

    def lie_between(self, expected: int, actual: int) -> bool:
        """Whether some of them lead from one balance to the other; they are used up then."""
        left, at = list(self._steps), expected
        while at != actual:
            step = next((step for step in left if step[0] == at), None)
            if step is None:
                break
            left.remove(step)
            at = step[1]
        if at == actual:
            self._steps = left
            return True
        if actual - expected in self._amounts:
            self._amounts.remove(actual - expected)
            return True
        return False


def _list_suspects(staging: Staging) -> None:
    """Make the table `suspects`: lanes to settle, each with the balance that it starts from.

    A lane that does not start at its wallet's opening balance is suspect, too.
    """
    staging.run(
        "CREATE TABLE suspects AS SELECT wallet, currency, opening FROM holdings "
        "WHERE suspect OR first_pre <> opening"
    )


def _rows(definition: Definition, staging: Staging, cut_off: int) -> Iterator[tuple[Any, ...]]:
    """Rows of suspect lanes: wallet, currency, opening, instant, entry, place, amount, balance.

    Those without an instant come first. The place is the one among entries that bear the same id,
    the balance that after the entry.
    """
    order = 'e."order", entry' if definition.ordered else "entry"
    lane = ", ".join(definition.entry_lane)
    place, places = place_of(definition)
    replicas = ""
    if "duplicate" in definition.checks:
        replicas = "AND e.rowid NOT IN (SELECT row_ FROM copies WHERE replica)"
    return staging.stream(f"""
        SELECT wallet, s.currency, s.opening, posted_at, entry, {place}, amount, balance_after
        FROM entries e JOIN suspects s USING ({lane}) {places}
        WHERE coalesce(posted_at < {cut_off}, true) {replicas}
        ORDER BY wallet, s.currency, posted_at NULLS FIRST, {order}, amount, balance_after
    """)  # noqa: S608


def _keep(staging: Staging, ends: list[tuple[Any, str, int]]) -> None:
    if ends:
        columns = [list(column) for column in zip(*ends, strict=True)]
        staging.run("INSERT INTO ends SELECT unnest(?), unnest(?), unnest(?)", columns)
