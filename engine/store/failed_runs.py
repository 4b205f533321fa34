"""Failed runs: sent back to their queue by a person, or put aside."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, case, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.elements import ColumnElement

from engine.states import RunState
from engine.store.approvals import FOUR_EYES, Retrier
from engine.store.failed_run_reader import FailedRunReader, FailedRuns
from engine.store.instant import Instant, database_now
from engine.store.left_runs import (
    UNDECIDED,
    LeftRun,
    failed_or_left,
    kept_back,
    told_who_approves,
    without_taken_keys,
    without_void_approvals,
)
from engine.store.moved_at_once import refuse_too_many
from engine.store.operator_moves import RunBrief, locked, looked_at, move
from engine.store.run_acts import filter_of, note_moves
from engine.store.settling import confirm
from engine.store.tables import runs


@dataclass(frozen=True, kw_only=True)
class Moved:
    """What became of the runs that a person wanted to move: those that were, and those left."""

    moved: Sequence[RunBrief]
    left: Sequence[LeftRun] = ()


class _Rehearsed(Exception):
    """Undoes what was only to be tried."""


class FailedRunStore(FailedRunReader):
    """The failed runs of one ledger."""

    def retry(
        self,
        which: FailedRuns,
        *,
        actor: str,
        reason: str | None,
        attempts: Callable[[str], int],
        spacing: timedelta = timedelta(),
        limit: int | None = None,
        rehearse: bool = False,
        authenticated: bool = False,
        four_eyes: bool = False,
    ) -> Moved:
        """A person sends failed runs back to their queues, in one transaction; oldest first.

        Each may take as many attempts more as `attempts` says of its job, and may be claimed
        `spacing` after the one before it. Left are those that are not failed any more, that a
        review keeps, and whose unique key another unfinished run has. Runs that are not named by
        id are not left for being in another state: they were not meant. An approved run is left if
        it has changed since; with `four_eyes` it takes another user than the one who approved.

        Raises TooManyAtOnce, before anything is locked.
        """
        meant = self.count(which)
        refuse_too_many(self.database, meant if limit is None else min(meant, limit))
        retrier = Retrier(name=actor, authenticated=authenticated, four_eyes=four_eyes)

        def retry(connection: Connection) -> Moved:
            moving, left = self._chosen(connection, which, limit)
            moving, void = without_void_approvals(connection, moving, retrier)
            left = [*told_who_approves(connection, [*void, *left], retrier)]
            moving, taken = without_taken_keys(connection, moving)
            moved, lost = self._retry(connection, moving, actor, reason, attempts, spacing)
            # Of what one person approved another one wants an attempt.
            confirm(connection, [run.id for run in moved if run.effects_in_doubt])
            note_moves(
                connection, "retry", moved, actor=actor, reason=reason, after="queued",
                chosen_by=filter_of(which),
            )  # fmt: skip
            return Moved(moved=moved, left=[*left, *taken, *lost])

        return self._act(retry, rehearse=rehearse)

    def discard(
        self,
        which: FailedRuns,
        *,
        actor: str,
        reason: str | None,
        chosen_by: Mapping[str, Any] | None = None,
        rehearse: bool = False,
    ) -> Moved:
        """A person puts failed runs aside for good; the rows stay. Left are those not failed, those
        that wait for a review, and those of which an effect is open: somebody must say what came of
        it first.

        The audit says that they were `chosen_by` this filter.
        """

        def discard(connection: Connection) -> Moved:
            moving, left = failed_or_left(connection, locked(connection, *_meant(which)))
            kept = [each for each in map(kept_back, moving) if each is not None]
            moving = [run for run in moving if kept_back(run) is None]
            left = [*left, *kept]
            move(connection, moving, RunState.DISCARDED, actor=actor, reason=reason, values={})
            note_moves(
                connection, "discard", moving, actor=actor, reason=reason, after="discarded",
                chosen_by=chosen_by,
            )  # fmt: skip
            return Moved(moved=moving, left=left)

        return self._act(discard, rehearse=rehearse)

    def _act(self, act: Callable[[Connection], Moved], *, rehearse: bool) -> Moved:
        done = Moved(moved=())
        try:
            with self.database.begin() as connection:
                done = act(connection)
                if rehearse:
                    raise _Rehearsed
        except _Rehearsed:
            pass
        return done

    def _chosen(
        self, connection: Connection, which: FailedRuns, limit: int | None
    ) -> tuple[Sequence[RunBrief], Sequence[LeftRun]]:
        """The first `limit` that may be retried, and those that may not."""
        meant, undecided = _meant(which), runs.c.review.in_(UNDECIDED)
        kept = looked_at(connection, *meant, undecided, runs.c.state == RunState.FAILED)
        free = or_(runs.c.review.is_(None), ~undecided, runs.c.state != RunState.FAILED)
        moving, left = failed_or_left(connection, locked(connection, *meant, free, limit=limit))
        # Somebody may have decided about one of them meanwhile.
        decided = {run.id for run in moving} | {each.run.id for each in left}
        needed = [
            LeftRun(run=run, obstacle="needs_review") for run in kept if run.id not in decided
        ]
        return moving, [*needed, *left]

    def _retry(
        self,
        connection: Connection,
        moving: Sequence[RunBrief],
        actor: str,
        reason: str | None,
        attempts: Callable[[str], int],
        spacing: timedelta,
    ) -> tuple[Sequence[RunBrief], Sequence[LeftRun]]:
        now = connection.execute(select(database_now())).scalar_one()
        turns = {run.id: now + turn * spacing for turn, run in enumerate(moving)}
        allowed = {job: attempts(job) for job in {run.job for run in moving}}

        def send_back(chosen: Sequence[RunBrief]) -> None:
            move(
                connection,
                chosen,
                RunState.QUEUED,
                actor=actor,
                reason=reason,
                values=_QUEUED_AGAIN,
                each=lambda run: {"turn": turns[run.id], "more": allowed[run.job]},
            )

        if not any(run.unique_key for run in moving):
            send_back(moving)
            return moving, []
        try:
            with connection.begin_nested():
                send_back(moving)
        except IntegrityError:
            # Somebody booked a run with one of the unique keys since they were looked at.
            return _one_by_one(connection, moving, send_back)
        return moving, []


_QUEUED_AGAIN: Mapping[str, Any] = {
    "attempts_allowed": runs.c.attempt + bindparam("more"),
    "ready_at": bindparam("turn", type_=Instant()),
    "finished_at": None,
    "review": None,
    "approval_hash": case((runs.c.approval_hash.contains(FOUR_EYES), FOUR_EYES)),
    "approved_by": None,
    "rung_at": None,
    "blocked_at": None,
    "reason": None,
    "cancel_requested_at": None,
    "cancelled_by": None,
    # A person who wants another attempt overrules the instant after which there is none.
    "retry_until": case((runs.c.retry_until > database_now(), runs.c.retry_until)),
}


def _one_by_one(
    connection: Connection,
    moving: Sequence[RunBrief],
    send_back: Callable[[Sequence[RunBrief]], None],
) -> tuple[Sequence[RunBrief], Sequence[LeftRun]]:
    moved: list[RunBrief] = []
    left: list[LeftRun] = []
    for run in moving:
        try:
            with connection.begin_nested():
                send_back([run])
            moved.append(run)
        except IntegrityError:
            _, taken = without_taken_keys(connection, [run])
            left += taken or [LeftRun(run=run, obstacle="key_taken")]
    return moved, left


def _meant(which: FailedRuns) -> list[ColumnElement[bool]]:
    where = which.conditions()
    return where if which.ids is not None else [runs.c.state == RunState.FAILED, *where]
