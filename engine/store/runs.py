"""Runs at rest: one method for each move in `states.RUN`."""

import secrets
from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, and_, exists, func, insert, not_, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.elements import ColumnElement

from engine.states import RUN, UNFINISHED_RUNS, RunState
from engine.store.database import Database
from engine.store.instant import database_now
from engine.store.key import require_key
from engine.store.reference import new_reference
from engine.store.run import CRASHED_OUTCOMES, CRASHES_ALLOWED, Claim, NewRun, Run, RunError
from engine.store.run_reader import CLAIMABLE, RunReader, as_run
from engine.store.tables import attempts, runs
from engine.store.turns import take_turn
from engine.store.upsert import upsert

# A reference is random; that one is taken so often in a row means that something is wrong.
_BOOKINGS = 5


class RunStore(RunReader):
    """The runs of one ledger. A lease lasts `lease` from each renewal, by the database's clock."""

    def __init__(self, database: Database, *, lease: timedelta = timedelta(seconds=10)) -> None:
        super().__init__(database)
        self.lease = lease

    @property
    def longest_lease(self) -> timedelta:
        """What no lease lasts, however slowly the clocks go."""
        return 2 * self.lease

    def book(self, new: NewRun) -> tuple[Run, bool]:
        """Write the run down; False beside it if its key or its firing was booked before.

        A firing that overlaps an unfinished run of its schedule is booked as skipped.
        """
        with self.database.begin() as connection:
            return self.book_within(connection, new)

    def book_within(self, connection: Connection, new: NewRun) -> tuple[Run, bool]:
        """`book`, in the caller's transaction."""
        if new.key is not None:
            require_key(new.key)
        if new.firing is not None:
            # Whether it overlaps depends on what others book of this schedule.
            take_turn(connection, "schedule", new.firing.schedule)
        for _ in range(_BOOKINGS):
            earlier = self._booked_before(connection, new)
            if earlier is not None:
                return earlier, False
            booked = self._insert(connection, new)
            if booked is not None:
                return booked, True
        raise RuntimeError(f"a run could be neither booked nor found: {new}")

    def _insert(self, connection: Connection, new: NewRun) -> Run | None:
        """None if its key, its firing or its random reference was booked meanwhile."""
        reason = new.skipped or self._overlap(connection, new)
        firing = new.firing
        serial = firing is not None and firing.overlap != "allow"
        now = connection.execute(select(database_now())).scalar_one()
        row = {
            "reference": new_reference(),
            "job": new.job,
            "queue": new.queue,
            "state": RunState.SKIPPED if reason else RunState.QUEUED,
            "reason": reason,
            "actor": new.actor,
            "key": new.key,
            "params": dict(new.params),
            "attempts_allowed": new.attempts,
            "schedule": firing.schedule if firing else None,
            "scheduled_for": firing.scheduled_for if firing else None,
            "revision": firing.revision if firing else 0,
            "exclusive": firing.schedule if firing and serial else None,
            "period_start": new.period[0] if new.period else None,
            "period_end": new.period[1] if new.period else None,
            "due_at": new.due_at or now,
            "created_at": now,
            "finished_at": now if reason else None,
        }
        written = connection.execute(
            upsert(connection, runs).values(row).on_conflict_do_nothing().returning(*runs.c)
        )
        booked = written.mappings().one_or_none()
        return as_run(booked) if booked is not None else None

    def claim(self, run_id: int, worker: str) -> Claim | None:
        """Take a due run; None if it is not due, already taken, ended, or must wait its turn.

        Of the runs that one more crash would quarantine, a worker carries out one at a time: what
        kills it takes the others along, and they are not to blame.
        """
        token = secrets.token_hex(16)
        mine = update(runs).where(
            runs.c.id == run_id,
            runs.c.state.in_(CLAIMABLE),
            runs.c.due_at <= database_now(),
            ~_has_one_before_it(),
        )
        values = {
            "state": RunState.RUNNING,
            "attempt": runs.c.attempt + 1,
            "lease_token": token,
            "lease_until": database_now(self.lease),
            "worker": worker,
            "started_at": func.coalesce(runs.c.started_at, database_now()),
            "progress_done": None,
            "progress_total": None,
            "progress_note": None,
        }
        for source in CLAIMABLE:
            RUN.require(source, RunState.RUNNING)
        try:
            with self.database.begin() as connection:
                number = connection.execute(
                    mine.values(values).returning(runs.c.attempt)
                ).scalar_one_or_none()
                if number is None:
                    return None
                if number >= CRASHES_ALLOWED and _is_beside_another(connection, run_id, worker):
                    raise _NotNow
                begun = {"run_id": run_id, "number": number, "worker": worker}
                connection.execute(insert(attempts).values(begun | {"started_at": database_now()}))
        except _NotNow:
            # So that the sweep rings soon: another worker may have it.
            with self.database.begin() as connection:
                connection.execute(update(runs).where(runs.c.id == run_id).values(rung_at=None))
            return None
        except IntegrityError:
            # Another run of the same schedule is running: `uq_runs_exclusive_running`.
            return None
        return Claim(run_id=run_id, attempt=number, token=token)

    def renew(self, claims: Collection[Claim]) -> Collection[Claim]:
        """Renew the leases; returns the claims that still hold. An ended lease stays ended."""
        held = []
        with self.database.begin() as connection:
            # Runs are locked in the order of their ids everywhere: nobody waits in a circle.
            for claim in sorted(claims, key=lambda claim: claim.run_id):
                renewed = connection.execute(
                    update(runs)
                    .where(_held(claim), runs.c.lease_until > database_now())
                    .values(lease_until=database_now(self.lease))
                )
                if renewed.rowcount == 1:
                    held.append(claim)
        return held

    def progress(self, claim: Claim, done: int, total: int | None, note: str | None) -> bool:
        """Note how far the attempt is; False if the lease was lost."""
        values = {"progress_done": done, "progress_total": total, "progress_note": note}
        with self.database.begin() as connection:
            return connection.execute(update(runs).where(_held(claim)).values(values)).rowcount == 1

    def succeed(self, claim: Claim, result: Any, peak_memory_bytes: int | None = None) -> bool:
        """The attempt ended well; False if the lease was lost."""
        return self._end(
            claim,
            RunState.SUCCEEDED,
            "succeeded",
            None,
            peak_memory_bytes,
            result=result,
            finished_at=database_now(),
        )

    def retry_later(
        self, claim: Claim, error: RunError, wait: timedelta, peak_memory_bytes: int | None = None
    ) -> bool:
        """The attempt failed and another one follows after `wait`; False if the lease was lost."""
        return self._end(
            claim,
            RunState.RETRYING,
            "failed",
            error,
            peak_memory_bytes,
            due_at=database_now(wait),
            rung_at=None,
        )

    def fail(self, claim: Claim, error: RunError, peak_memory_bytes: int | None = None) -> bool:
        """The attempt failed and none is left; False if the lease was lost."""
        return self._end(
            claim,
            RunState.FAILED,
            "failed",
            error,
            peak_memory_bytes,
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
    ) -> bool:
        """The attempt's process died: another one follows after `wait`, or the run fails with None.

        `quarantined` fails it too, and says why a person must look at it first. False if the lease
        was lost.
        """
        moved_to = _after_crash(error, wait, quarantined)
        return self._end(
            claim, moved_to.pop("state"), "crashed", error, peak_memory_bytes, **moved_to
        )

    def hand_back(
        self, claim: Claim, error: RunError, peak_memory_bytes: int | None = None
    ) -> bool:
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
    ) -> bool:
        """Take a lost run from its dead worker, to run again after `wait` or to fail with None.

        Its lease has ended, or lasts longer than any: see `leased_beyond`. `quarantined` fails it
        too, and says why a person must look at it first. False if its lease was renewed, or another
        rescuer was faster.
        """
        moved_to = _after_crash(error, wait, quarantined)
        RUN.require(RunState.RUNNING, moved_to["state"])
        values = {"lease_token": None, "lease_until": None, **moved_to}
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
            moved = connection.execute(update(runs).where(*dead).values(values)).rowcount == 1
            if moved:
                _end_attempt(connection, run.id, run.attempt, "lost", error, None)
        return moved

    def rung(self, run_ids: Iterable[int]) -> None:
        """Note that the queue was told of these runs."""
        told = select(runs.c.id).where(runs.c.id.in_(list(run_ids))).order_by(runs.c.id)
        in_order = told.with_for_update(key_share=True)
        with self.database.begin() as connection:
            connection.execute(
                update(runs).where(runs.c.id.in_(in_order)).values(rung_at=database_now())
            )

    def _booked_before(self, connection: Connection, new: NewRun) -> Run | None:
        same: list[ColumnElement[bool]] = []
        if new.key is not None:
            same.append(runs.c.key == new.key)
        if new.firing is not None:
            same.append(
                and_(
                    runs.c.schedule == new.firing.schedule,
                    runs.c.scheduled_for == new.firing.scheduled_for,
                    runs.c.revision == new.firing.revision,
                )
            )
        if not same:
            return None
        found = connection.execute(select(runs).where(or_(*same))).mappings().first()
        return as_run(found) if found else None

    def _overlap(self, connection: Connection, new: NewRun) -> str | None:
        """Why the firing must be skipped, if an earlier run of its schedule is unfinished.

        A run whose lease is over is dead until it is rescued; the firing waits for that then.
        """
        if new.firing is None or new.firing.overlap != "skip":
            return None
        dead = and_(
            runs.c.state == RunState.RUNNING,
            runs.c.lease_until.is_not(None),
            runs.c.lease_until < database_now(),
        )
        unfinished = select(runs.c.reference).where(
            runs.c.schedule == new.firing.schedule, runs.c.state.in_(UNFINISHED_RUNS), not_(dead)
        )
        earlier = connection.execute(unfinished.order_by(runs.c.id).limit(1)).scalar()
        return f"overlap: run {earlier} of this schedule had not ended" if earlier else None

    def _end(
        self,
        claim: Claim,
        target: RunState,
        outcome: str,
        error: RunError | None,
        peak_memory_bytes: int | None,
        **values: Any,
    ) -> bool:
        """Only the holder of the lease may say how its attempt ended."""
        RUN.require(RunState.RUNNING, target)
        moved_to = {
            "state": target,
            "lease_token": None,
            "lease_until": None,
            "peak_memory_bytes": peak_memory_bytes,
            **_error_values(error),
            **values,
        }
        with self.database.begin() as connection:
            moved = connection.execute(update(runs).where(_held(claim)).values(moved_to))
            if moved.rowcount == 1:
                _end_attempt(
                    connection, claim.run_id, claim.attempt, outcome, error, peak_memory_bytes
                )
        return moved.rowcount == 1


def _has_one_before_it() -> ColumnElement[bool]:
    """Whether the run waits for an earlier one of its schedule, running or between attempts."""
    earlier = runs.alias("earlier")
    return exists().where(
        earlier.c.schedule == runs.c.exclusive,
        earlier.c.exclusive == runs.c.exclusive,
        earlier.c.state.in_(UNFINISHED_RUNS),
        earlier.c.id < runs.c.id,
    )


class _NotNow(Exception):
    """Undoes a claim."""


def _is_beside_another(connection: Connection, run_id: int, worker: str) -> bool:
    """Whether this run and another one of the worker's have crashed as often as they may."""
    take_turn(connection, "suspects", worker)
    crashes = (
        select(func.count())
        .where(attempts.c.run_id == runs.c.id, attempts.c.outcome.in_(CRASHED_OUTCOMES))
        .scalar_subquery()
    )
    running = (runs.c.state == RunState.RUNNING, runs.c.worker == worker)
    suspects = select(runs.c.id).where(*running, crashes >= CRASHES_ALLOWED - 1)
    found = set(connection.execute(suspects).scalars())
    return run_id in found and len(found) > 1


def held(claim: Claim) -> ColumnElement[bool]:
    """The run is this claim's, and its lease has not run out; for writes of the attempt itself."""
    return and_(_held(claim), runs.c.lease_until > database_now())


def _held(claim: Claim) -> ColumnElement[bool]:
    # A worker that is late may still say how its attempt ended, if nobody has taken the run.
    return and_(
        runs.c.id == claim.run_id,
        runs.c.state == RunState.RUNNING,
        runs.c.lease_token == claim.token,
    )


def _after_crash(
    error: RunError, wait: timedelta | None, quarantined: RunError | None
) -> dict[str, Any]:
    if quarantined is not None:
        return {
            "state": RunState.FAILED,
            "review": "required",
            "finished_at": database_now(),
            "rung_at": None,
            **_error_values(quarantined),
        }
    if wait is None:
        ended = {"state": RunState.FAILED, "finished_at": database_now()}
    else:
        ended = {"state": RunState.RETRYING, "due_at": database_now(wait)}
    return {**ended, "rung_at": None, **_error_values(error)}


def _error_values(error: RunError | None) -> dict[str, Any]:
    return {
        "error_type": error.type if error else None,
        "error_message": error.message if error else None,
        "error_fingerprint": error.fingerprint if error else None,
    }


def _end_attempt(
    connection: Connection,
    run_id: int,
    number: int,
    outcome: str,
    error: RunError | None,
    peak_memory_bytes: int | None,
) -> None:
    connection.execute(
        update(attempts)
        .where(attempts.c.run_id == run_id, attempts.c.number == number)
        .values(
            outcome=outcome,
            error_type=error.type if error else None,
            error_message=error.message if error else None,
            error_trace=error.trace if error else None,
            finished_at=database_now(),
            peak_memory_bytes=peak_memory_bytes,
        )
    )
