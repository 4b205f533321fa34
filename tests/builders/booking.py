"""Runs as tests want them, and a ledger whose leases can be made to run out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import update

from engine.states import RunState
from engine.store.database import Database
from engine.store.run import Claim, Firing, NewRun, Run, RunError
from engine.store.runs import RunStore
from engine.store.tables import leases, runs, workers

# Long past, so that whatever is due then is due by the database's clock too.
MIDNIGHT = datetime(2020, 11, 24, tzinfo=UTC)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
BROKEN = RunError(type="RuntimeError", message="broken", fingerprint="f" * 16, trace="Traceback")


def a_new_run(**changes: Any) -> NewRun:
    """A run of the job `purge`, due at once, with three attempts."""
    return replace(NewRun(job="purge", queue="default", attempts=3), **changes)


def a_firing(hour: int = 0, **changes: Any) -> Firing:
    """A firing of the schedule `hourly` at this hour."""
    at = MIDNIGHT + timedelta(hours=hour)
    return replace(Firing(schedule="hourly", scheduled_for=at), **changes)


def a_run(store: RunStore, **changes: Any) -> Run:
    """A run that has just been booked."""
    run, is_new = store.book(a_new_run(**changes))
    assert is_new
    return run


def a_claim(store: RunStore, run: Run | None = None, worker: str = "worker-1") -> Claim:
    """A claim on the run, or on a new one."""
    claim = store.claim((run or a_run(store)).id, worker)
    assert claim is not None
    return claim


def let_leases_run_out(database: Database) -> None:
    """As if every worker had been dead for an hour."""
    with database.begin() as connection:
        held = runs.c.lease_until.is_not(None)
        connection.execute(update(runs).where(held).values(lease_until=LONG_AGO))
        connection.execute(update(leases).values(until=LONG_AGO))
        connection.execute(update(workers).values(seen_until=LONG_AGO))


def set_the_clock_back(database: Database) -> None:
    """As if the ledger's clock had been an hour ahead until now."""
    ahead = datetime.now(UTC) + timedelta(hours=1)
    with database.begin() as connection:
        held = runs.c.lease_until.is_not(None)
        connection.execute(update(runs).where(held).values(lease_until=ahead))
        rung = runs.c.rung_at.is_not(None)
        connection.execute(update(runs).where(rung).values(rung_at=ahead))


def let_rings_fade(database: Database) -> None:
    """As if every ring was long ago."""
    with database.begin() as connection:
        connection.execute(update(runs).where(runs.c.rung_at.is_not(None)).values(rung_at=LONG_AGO))


def due_now(database: Database) -> None:
    """As if every run had waited long enough."""
    with database.begin() as connection:
        connection.execute(update(runs).values(ready_at=LONG_AGO))


def put_all_in(database: Database, state: RunState) -> None:
    """As if every run had come to this state."""
    with database.begin() as connection:
        connection.execute(update(runs).values(state=state))
