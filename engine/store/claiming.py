"""Claiming a run: one guarded update hands out its lease, if it is ready and its turn has come."""

import secrets
from datetime import timedelta

from sqlalchemy import Connection, exists, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.elements import ColumnElement

from engine.states import RUN, UNFINISHED_RUNS, RunState
from engine.store.database import Database
from engine.store.instant import database_now
from engine.store.paused_queues import is_paused
from engine.store.run import CRASHED_OUTCOMES, CRASHES_ALLOWED, Claim
from engine.store.run_reader import CLAIMABLE
from engine.store.tables import attempts, runs
from engine.store.turns import take_turn


class _NotNow(Exception):
    """Undoes a claim."""


def claim(database: Database, run_id: int, worker: str, *, lease: timedelta) -> Claim | None:
    """Take a due run; None if it is not due, already taken, ended, or must wait its turn.

    Of the runs that one more crash would quarantine, a worker carries out one at a time: what
    kills it takes the others along, and they are not to blame.
    """
    token = secrets.token_hex(16)
    mine = update(runs).where(
        runs.c.id == run_id,
        runs.c.state.in_(CLAIMABLE),
        runs.c.ready_at <= database_now(),
        or_(runs.c.retry_until.is_(None), runs.c.retry_until >= database_now()),
        ~_has_one_before_it(),
        ~is_paused(runs.c.queue),
    )
    values = {
        "state": RunState.RUNNING,
        "attempt": runs.c.attempt + 1,
        "lease_token": token,
        "lease_until": database_now(lease),
        "worker": worker,
        "started_at": func.coalesce(runs.c.started_at, database_now()),
        "progress_done": None,
        "progress_total": None,
        "progress_note": None,
    }
    for source in CLAIMABLE:
        RUN.require(source, RunState.RUNNING)
    try:
        with database.begin() as connection:
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
        with database.begin() as connection:
            connection.execute(update(runs).where(runs.c.id == run_id).values(rung_at=None))
        return None
    except IntegrityError:
        # Another run of the same schedule is running: `uq_runs_exclusive_running`.
        return None
    return Claim(run_id=run_id, attempt=number, token=token)


def _has_one_before_it() -> ColumnElement[bool]:
    """Whether the run waits for an earlier one of its schedule, running or between attempts."""
    earlier = runs.alias("earlier")
    return exists().where(
        earlier.c.schedule == runs.c.exclusive,
        earlier.c.exclusive == runs.c.exclusive,
        earlier.c.state.in_(UNFINISHED_RUNS),
        earlier.c.id < runs.c.id,
    )


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
