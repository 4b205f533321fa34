"""Chains: the suspect lanes, settled instant by instant; what each came to is kept as a table."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

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
    circle: frozenset[int] = frozenset()
    for _, group in groupby(rows, key=lambda row: row[3]):
        edges = [Edge(entry, after - amount, after) for *_, entry, amount, after in group]
        settled = settle(at, edges, circle=circle)
        for gap in settled.gaps:
            chains.breaks.append(ChainBreak(wallet, currency, gap))
        if len(edges) > 1 and not settled.gaps and not chains_as_given(at, edges):
            chains.order_only += 1
        at, circle = settled.end, settled.circle
    # A circle that nothing followed: the balance check takes wallets to have opened with nothing.
    return 0 if 0 in circle else at


def _list_suspects(staging: Staging) -> None:
    """Make the table `suspects`: lanes to settle, each with the balance that it starts from.

    A lane that does not start at its wallet's opening balance is suspect, too.
    """
    staging.run(
        "CREATE TABLE suspects AS SELECT wallet, currency, opening FROM holdings "
        "WHERE suspect OR first_pre <> opening"
    )


def _rows(definition: Definition, staging: Staging, cut_off: int) -> Iterator[tuple[Any, ...]]:
    """Rows of suspect lanes: wallet, currency, opening, instant, entry, amount, balance after."""
    order = 'e."order", entry' if definition.ordered else "entry"
    lane = ", ".join(definition.entry_lane)
    replicas = ""
    if "duplicate" in definition.checks:
        replicas = "AND e.rowid NOT IN (SELECT row_ FROM copies WHERE replica)"
    return staging.stream(f"""
        SELECT wallet, s.currency, s.opening, posted_at, entry, amount, balance_after
        FROM entries e JOIN suspects s USING ({lane})
        WHERE posted_at < {cut_off} AND balance_after IS NOT NULL AND entry IS NOT NULL {replicas}
        ORDER BY wallet, s.currency, posted_at, {order}
    """)  # noqa: S608


def _keep(staging: Staging, ends: list[tuple[Any, str, int]]) -> None:
    if ends:
        columns = [list(column) for column in zip(*ends, strict=True)]
        staging.run("INSERT INTO ends SELECT unnest(?), unnest(?), unnest(?)", columns)
