"""Runs at rest: one method for each move in `states.RUN`."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import BigInteger, Connection, and_, literal, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from engine.limits import LimitGroup, Limits
from engine.states import RUN, RunState
from engine.store.bookings import book
from engine.store.claiming import GroupOf, claim, take
from engine.store.database import Database
from engine.store.endings import (
    after_crash,
    end_attempt,
    end_run,
    error_values,
    held,
    is_of,
    settled,
)
from engine.store.instant import database_now
from engine.store.limits import release, release_all
from engine.store.peaks import largest_peak
from engine.store.run import UNCOUNTED_OUTCOMES, Claim, ClaimedRun, NewRun, Run, RunError
from engine.store.run_acts import note_booking
from engine.store.run_reader import CLAIMABLE, RunReader
from engine.store.success import succeed
from engine.store.tables import runs


class RunStore(RunReader):
    """The runs of one ledger. A lease lasts `lease` from each renewal, by the database's clock.

    However an attempt ends: if an effect of its run was started, is not done and may not be
    repeated, the run fails and waits for a review, whatever else was to become of it.
    """

    def __init__(self, database: Database, *, lease: timedelta = timedelta(seconds=10)) -> None:
        super().__init__(database)
        self.lease = lease

    @property
    def longest_lease(self) -> timedelta:
        """What no lease lasts, however slowly the clocks go."""
        return 2 * self.lease

    def book(self, new: NewRun, *, to_be_rung: bool = False) -> tuple[Run, bool]:
        """Write the run down; False beside the one that was booked before, if any.

        That has the same key, or the same firing; or it has the same unique key and has not ended.
        Raises DuplicateRun instead of that if the run says so. A firing that is a duplicate, or
        overlaps an unfinished run of its schedule, is booked as skipped.

        With `to_be_rung` a run that is due is noted as rung for: the caller does so at once, or
        says that it was `not_rung`.
        """
        with self.database.begin() as connection:
            run, is_new = book(connection, new, to_be_rung=to_be_rung)
            if is_new:
                note_booking(connection, new, run)
        return run, is_new

    def book_within(self, connection: Connection, new: NewRun) -> tuple[Run, bool]:
        """`book`, in the caller's transaction."""
        return book(connection, new)

    def take(self, run_id: int, worker: str, group_of: GroupOf) -> ClaimedRun | None:
        """Take the run that a ring for this one calls; None if there is none.

        That is the first of its queue that is ready: the highest priority, then who was ready
        first. `group_of` says with whom a run shares limits, by its job; one that they do not let
        start is blocked until `release`. A power cut may undo it until `secure`.
        """
        return take(self.database, run_id, worker, lease=self.lease, group_of=group_of)

    def claim(self, run_id: int, worker: str, group: LimitGroup | None = None) -> Claim | None:
        """Take this run; None if it is not ready, already taken, ended, or must wait its turn.

        Of the runs that one more crash would quarantine, a worker carries out one at a time: what
        kills it takes the others along, and they are not to blame.
        """
        found = self._many(select(runs).where(runs.c.id == run_id))
        if not found:
            return None
        claimed = claim(self.database, found[0], worker, lease=self.lease, group=group)
        return claimed.claim if claimed else None

    def secure(self, claim: Claim, *, unguarded: bool = False) -> bool:
        """Have the claim survive a power cut: for a run that must not be repeated after one.

        One that is `unguarded` goes to review unless it succeeds, however this attempt ends. False
        if the lease was lost.
        """
        if unguarded:
            with self.database.begin() as connection:
                noted = update(runs).where(held(claim)).values(unguarded=True)
                return connection.execute(noted).rowcount == 1
        return not self.database.may_forget or bool(self.renew([claim]))

    def release(self, group: LimitGroup) -> Sequence[Run]:
        """Let as many blocked runs of a group try as may start now; the caller rings for them."""
        return release(self.database, group)

    def release_all(self, limits: Mapping[str, Limits]) -> None:
        """`release` in every group, by the limits of each job; those released are due again."""
        release_all(self.database, limits)

    def renew(self, claims: Collection[Claim]) -> Collection[Claim]:
        """Renew the leases; returns the claims that still hold. An ended lease stays ended."""
        held = []
        with self.database.begin() as connection:
            # Runs are locked in the order of their ids everywhere: nobody waits in a circle.
            for claim in sorted(claims, key=lambda claim: claim.run_id):
                renewed = connection.execute(
                    update(runs)
                    .where(is_of(claim), runs.c.lease_until > database_now())
                    .values(lease_until=database_now(self.lease))
                )
                if renewed.rowcount == 1:
                    held.append(claim)
        return held

    def progress(self, claim: Claim, done: int, total: int | None, note: str | None) -> bool:
        """Note how far the attempt is; False if the lease was lost."""
        values = {"progress_done": done, "progress_total": total, "progress_note": note}
        with self.database.begin(lasting=False) as connection:
            return connection.execute(update(runs).where(is_of(claim)).values(values)).rowcount == 1

    def succeed(
        self,
        claim: Claim,
        result: Any,
        peak_memory_bytes: int | None = None,
        *,
        lasting: bool = True,
    ) -> RunState | None:
        """The attempt ended well; the run's state now, None if the lease was lost.

        Unless it must be `lasting` a power cut may undo it: for a run that is repeated then.
        """
        with self.database.begin(lasting=lasting) as connection:
            if succeed(connection, claim, result, peak_memory_bytes):
                return RunState.SUCCEEDED
            in_doubt = and_(is_of(claim), runs.c.effects_in_doubt > 0)
            values = {
                "state": RunState.FAILED,
                "finished_at": database_now(),
                "result": literal(result, runs.c.result.type),
            }
            return self._end_in(
                connection, claim, in_doubt, values, "failed", None, peak_memory_bytes
            )

    def retry_later(
        self, claim: Claim, error: RunError, wait: timedelta, peak_memory_bytes: int | None = None
    ) -> RunState | None:
        """The attempt failed and another one follows after `wait`; None if the lease was lost."""
        return self._end(
            claim,
            RunState.RETRYING,
            "failed",
            error,
            peak_memory_bytes,
            ready_at=database_now(wait),
            rung_at=None,
        )

    def put_off(
        self, claim: Claim, error: RunError, wait: timedelta, peak_memory_bytes: int | None = None
    ) -> RunState | None:
        """The job wants to come back after `wait`: the attempt does not count. None if lost."""
        return self._end(
            claim,
            RunState.RETRYING,
            "put_off",
            error,
            peak_memory_bytes,
            ready_at=database_now(wait),
            attempts_allowed=runs.c.attempts_allowed + 1,
            rung_at=None,
        )

    def allow(self, claim: Claim, attempts: int) -> bool:
        """Settle how many attempts the run has in all; False if the lease was lost."""
        with self.database.begin() as connection:
            allowed = update(runs).where(is_of(claim)).values(attempts_allowed=attempts)
            return connection.execute(allowed).rowcount == 1

    def give_up(self, run: Run, error: RunError, *, needs_review: bool = False) -> bool:
        """It is too late for another attempt at a run that waits; False if it waits no more.

        With `needs_review` a person must look at it before it is retried.
        """
        for source in CLAIMABLE:
            RUN.require(source, RunState.FAILED)
        late = (
            runs.c.id == run.id,
            runs.c.state.in_(CLAIMABLE),
            runs.c.retry_until == run.retry_until,
            runs.c.retry_until < database_now(),
        )
        values = {
            "state": RunState.FAILED,
            "review": "required" if needs_review else None,
            "finished_at": database_now(),
            "rung_at": None,
            "blocked_at": None,
            **error_values(error),
        }
        with self.database.begin() as connection:
            return connection.execute(update(runs).where(*late).values(values)).rowcount == 1

    def fail(
        self,
        claim: Claim,
        error: RunError,
        peak_memory_bytes: int | None = None,
        *,
        needs_review: bool = False,
    ) -> RunState | None:
        """The attempt failed and none is left; None if the lease was lost.

        With `needs_review` a person must look at it before it is retried.
        """
        return self._end(
            claim,
            RunState.FAILED,
            "failed",
            error,
            peak_memory_bytes,
            review="required" if needs_review else None,
            finished_at=database_now(),
        )

    def crash(
        self,
        claim: Claim,
        error: RunError,
        wait: timedelta | None,
        peak_memory_bytes: int | None = None,
        *,
        quarantined: RunError | None = None,
        needs_review: bool = False,
    ) -> RunState | None:
        """The attempt's process died: another one follows after `wait`, or the run fails with None.

        `quarantined` fails it too, and says why a person must look at it first; so must one with
        `needs_review`. None if the lease was lost.
        """
        moved_to = after_crash(error, wait, quarantined, needs_review)
        return self._end(
            claim, moved_to.pop("state"), "crashed", error, peak_memory_bytes, **moved_to
        )

    def cancel(self, claim: Claim, peak_memory_bytes: int | None = None) -> RunState | None:
        """The attempt was stopped, for a person cancelled its run; None if the lease was lost."""
        return self._end(
            claim,
            RunState.CANCELLED,
            "cancelled",
            None,
            peak_memory_bytes,
            finished_at=database_now(),
        )

    def hand_back(
        self, claim: Claim, error: RunError, peak_memory_bytes: int | None = None
    ) -> RunState | None:
        """The worker goes away: the run is queued again and the attempt does not count."""
        return self._end(
            claim,
            RunState.QUEUED,
            "handed_back",
            error,
            peak_memory_bytes,
            attempts_allowed=runs.c.attempts_allowed + 1,
            rung_at=None,
        )

    def rescue(
        self,
        run: Run,
        error: RunError,
        wait: timedelta | None,
        *,
        quarantined: RunError | None = None,
        needs_review: bool = False,
    ) -> RunState | None:
        """Take a lost run from its dead worker, to run again after `wait` or to fail with None.

        Its lease has ended, or lasts longer than any: see `leased_beyond`. `quarantined` fails it
        too, and says why a person must look at it first; so must one with `needs_review`. The run's
        state now; None if its lease was renewed, or another rescuer was faster.
        """
        moved_to = after_crash(error, wait, quarantined, needs_review)
        RUN.require(RunState.RUNNING, moved_to["state"])
        values = settled({"lease_token": None, "lease_until": None, **moved_to})
        unrenewed = and_(
            runs.c.lease_until == run.lease_until,
            runs.c.lease_until > database_now(self.longest_lease),
        )
        dead = (
            runs.c.id == run.id,
            runs.c.state == RunState.RUNNING,
            runs.c.lease_token == run.lease_token,
            or_(runs.c.lease_until < database_now(), unrenewed),
        )
        with self.database.begin() as connection:
            ended = end_run(connection, run.id, and_(*dead), values, quarantined or error)
            if ended is None:
                return None
            end_attempt(connection, run.id, run.attempt, "lost", error, None)
        return ended.state

    def rung(self, run_ids: Iterable[int]) -> None:
        """Note that the queue was told of these runs."""
        told = select(runs.c.id).where(runs.c.id.in_(list(run_ids))).order_by(runs.c.id)
        in_order = told.with_for_update(key_share=True)
        with self.database.begin(lasting=False) as connection:
            connection.execute(
                update(runs).where(runs.c.id.in_(in_order)).values(rung_at=database_now())
            )

    def not_rung(self, run_id: int) -> None:
        """The queue could not be told of this run after all: the sweep tells it soon."""
        with self.database.begin(lasting=False) as connection:
            connection.execute(update(runs).where(runs.c.id == run_id).values(rung_at=None))

    def _end(
        self,
        claim: Claim,
        target: RunState,
        outcome: str,
        error: RunError | None,
        peak_memory_bytes: int | None,
        **values: Any,
    ) -> RunState | None:
        """Only the holder of the lease may say how its attempt ended."""
        RUN.require(RunState.RUNNING, target)
        moved_to = {"state": target, **values}
        with self.database.begin() as connection:
            return self._end_in(
                connection, claim, is_of(claim), moved_to, outcome, error, peak_memory_bytes
            )

    def _end_in(
        self,
        connection: Connection,
        claim: Claim,
        here: ColumnElement[bool],
        values: dict[str, Any],
        outcome: str,
        error: RunError | None,
        peak_memory_bytes: int | None,
    ) -> RunState | None:
        moved_to = {
            "lease_token": None,
            "lease_until": None,
            "peak_memory_bytes": largest_peak(literal(peak_memory_bytes, BigInteger)),
            **error_values(error, counts=outcome not in UNCOUNTED_OUTCOMES),
            **values,
        }
        ended = end_run(connection, claim.run_id, here, settled(moved_to), error)
        if ended is None:
            return None
        error = error or ended.error
        end_attempt(connection, claim.run_id, claim.attempt, outcome, error, peak_memory_bytes)
        return ended.state
