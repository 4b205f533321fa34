"""How runs end, or go on after an attempt: one method for each way."""

from datetime import timedelta
from typing import Any

from sqlalchemy import BigInteger, Connection, and_, case, literal, or_, update
from sqlalchemy.sql.elements import ColumnElement

from engine.states import RUN, RunState
from engine.store.database import Database
from engine.store.endings import after_crash, end_attempt, end_run, is_of, settled
from engine.store.instant import database_now
from engine.store.open_effects import recount_if_any, tell_unknown
from engine.store.peaks import largest_peak
from engine.store.run import UNCOUNTED_OUTCOMES, Claim, Run, RunError
from engine.store.run_errors import error_values
from engine.store.run_reader import CLAIMABLE, RunReader
from engine.store.success import succeed
from engine.store.tables import runs
from engine.store.words import Words


class RunEndings(RunReader):
    """The ends of the runs of one ledger; only the holder of its lease says how an attempt ended.

    If an effect of the run is open then, the run fails and waits for a review, whatever else was to
    become of it; unless another attempt follows, which does again what is repeatable.
    """

    def __init__(self, database: Database, *, lease: timedelta = timedelta(seconds=10)) -> None:
        super().__init__(database)
        self.lease = lease

    @property
    def longest_lease(self) -> timedelta:
        """What no lease lasts, however slowly the clocks go."""
        return 2 * self.lease

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
            if recount_if_any(connection, [claim.run_id]) and succeed(
                connection, claim, result, peak_memory_bytes
            ):
                return RunState.SUCCEEDED
            open_ = and_(is_of(claim), runs.c.effects_open != 0)
            values = {
                "state": RunState.FAILED,
                "finished_at": database_now(),
                "result": literal(result, runs.c.result.type),
            }
            return self._end_in(connection, claim, open_, values, "failed", None, peak_memory_bytes)

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
        open_, needed = (
            runs.c.effects_open != 0,
            literal("required" if needs_review else None, Words),
        )
        values = {
            "state": RunState.FAILED,
            "review": case((open_, literal("required", Words)), else_=needed),
            "finished_at": database_now(),
            "rung_at": None,
            "blocked_at": None,
            **error_values(error),
        }
        given_up = update(runs).where(*late).values(values)
        with self.database.begin() as connection:
            recount_if_any(connection, [run.id])
            told = given_up.returning(runs.c.reference, runs.c.effects_open)
            row = connection.execute(told).one_or_none()
            if row is not None and row.effects_open:
                tell_unknown(connection, run.id, row.reference, error)
        return row is not None

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
