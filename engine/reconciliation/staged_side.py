"""A side that was staged: how it was read, and what was found on the way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.reconciliation.definition import Definition, Side
from engine.reconciliation.file_side import FileSide
from engine.reconciliation.query_side import QuerySide
from engine.reconciliation.result import Finding, SideRead

Totals = Mapping[str, tuple[int, Mapping[str, int]]]
"""By currency: how many rows there are, and the sum of each of their amounts."""


@dataclass
class StagedSide:
    """A side that was staged, and how it was read."""

    side: Side
    reads: QuerySide | FileSide
    read: SideRead
    findings: Sequence[Finding]
    guarded: bool


def wanted(definition: Definition, side: Side) -> Sequence[str]:
    """The canonical columns that the checks need of a side, in a fixed order."""
    needed = {"wallet", "currency", "amount", "opening", "balance"}
    needed |= {"balance_after"} if definition.says_balances else set()
    needed |= {"order"} if definition.follows and definition.ordered else set()
    needed |= {"entry", "posted_at"}  # to say where, and when
    needed |= {"owner"} if definition.owners else set()
    needed |= {"floor"} if definition.floor else set()
    if definition.stored == "last_balance_after":
        needed -= {"balance"}
    return [name for name in (*side.keys, *side.amounts) if name in needed]
