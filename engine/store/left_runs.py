"""Left runs: those that a person wanted to move and may not, each with what keeps it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import Connection, select

from engine.states import UNFINISHED_RUNS, RunState
from engine.store.approvals import Doubt, Retrier, approvers, objection
from engine.store.operator_moves import RunBrief, RunMove, last_moves
from engine.store.tables import runs

# Of a run that a person must approve before it is retried.
UNDECIDED = ("required", "rejected")

Obstacle = Literal["not_failed", "needs_review", "in_doubt", "key_taken", Doubt]

# What another person, or another decision, is needed for.
REFUSED: tuple[Obstacle, ...] = (
    "needs_review",
    "in_doubt",
    "changed",
    "same_person",
    "approved_by_nobody_known",
    "retried_by_nobody_known",
)


@dataclass(frozen=True, kw_only=True)
class LeftRun:
    """A run that was not moved, and why.

    `last_move` is what a person did with it last; `other` has its unique key now. What has
    `changed` since it was approved; who could approve: `approvers`, or anybody where there are no
    users.
    """

    run: RunBrief
    obstacle: Obstacle
    last_move: RunMove | None = None
    other: str | None = None
    changed: Sequence[str] = ()
    approvers: Collection[str] | None = None


def kept_back(run: RunBrief) -> LeftRun | None:
    """What somebody must say before a failed run is put aside."""
    if run.effects_open:
        return LeftRun(run=run, obstacle="in_doubt")
    return LeftRun(run=run, obstacle="needs_review") if run.review == "required" else None


def failed_or_left(
    connection: Connection, found: Sequence[RunBrief]
) -> tuple[Sequence[RunBrief], Sequence[LeftRun]]:
    """Those that failed, and the others."""
    failed = [run for run in found if run.state is RunState.FAILED]
    others = [run for run in found if run.state is not RunState.FAILED]
    moves = last_moves(connection, [run.id for run in others]) if others else {}
    return failed, [
        LeftRun(run=run, obstacle="not_failed", last_move=moves.get(run.id)) for run in others
    ]


def without_void_approvals(
    connection: Connection, moving: Sequence[RunBrief], retrier: Retrier
) -> tuple[Sequence[RunBrief], Sequence[LeftRun]]:
    """Without those whose approval is good for nothing, or not for this retrier."""
    good: list[RunBrief] = []
    left: list[LeftRun] = []
    for run in moving:
        against = objection(connection, run, retrier) if run.review == "approved" else None
        if against is None:
            good.append(run)
        else:
            left.append(LeftRun(run=run, obstacle=against.doubt, changed=against.changed))
    return good, left


def told_who_approves(
    connection: Connection, left: Sequence[LeftRun], retrier: Retrier
) -> Sequence[LeftRun]:
    """With the names of those who could approve, where that would help."""
    if not any(each.obstacle in REFUSED for each in left):
        return left
    but = [retrier.name] if retrier.four_eyes else []
    names = approvers(connection, but=but)
    return [replace(each, approvers=names) if each.obstacle in REFUSED else each for each in left]


def without_taken_keys(
    connection: Connection, moving: Sequence[RunBrief]
) -> tuple[Sequence[RunBrief], Sequence[LeftRun]]:
    """Without those whose unique key an unfinished run has, or an earlier one of these."""
    if not any(run.unique_key for run in moving):
        return moving, []
    # All that are held, for there may be more keys than a statement takes parameters.
    query = select(runs.c.unique_key, runs.c.reference).where(
        runs.c.unique_key.is_not(None), runs.c.state.in_(UNFINISHED_RUNS)
    )
    holders: dict[str, str] = {row[0]: row[1] for row in connection.execute(query)}
    free: list[RunBrief] = []
    left: list[LeftRun] = []
    for run in moving:
        if run.unique_key in holders:
            left.append(LeftRun(run=run, obstacle="key_taken", other=holders[run.unique_key]))
            continue
        free.append(run)
        if run.unique_key is not None:
            holders[run.unique_key] = run.reference
    return free, left
