"""The watch: what nobody else would tell an operator of is an event, once."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from engine.app import build_app
from engine.dispatch import Dispatch
from engine.events import EventKind
from engine.execution.sweep import Sweep
from engine.execution.watch import Watch
from engine.settings import Settings
from engine.store.database import Database
from engine.store.events import EventStore
from engine.store.leases import LeaseStore
from engine.store.run_counts import RunCounts
from engine.store.runs import RunStore
from engine.store.tables import runs as run_table
from tests.builders.booking import BROKEN, LONG_AGO, a_claim
from tests.builders.doorbell import FakeDoorbell


def watch(database: Database) -> Watch:
    return Watch(events=EventStore(database), counts=RunCounts(database))


def kinds(database: Database) -> list[EventKind]:
    return [each.kind for each in EventStore(database).newest()]


def a_failed_run(runs: RunStore, *, needs_review: bool = False) -> None:
    runs.fail(a_claim(runs), BROKEN, needs_review=needs_review)


def let_a_day_pass(database: Database) -> None:
    with database.begin() as connection:
        connection.execute(update(run_table).values(finished_at=LONG_AGO))


def test_failed_runs_that_nobody_touched_for_a_day_are_told_of_once_a_day(
    database: Database, runs: RunStore
) -> None:
    a_failed_run(runs)
    watch(database).look()
    assert kinds(database) == []
    let_a_day_pass(database)
    watch(database).look()
    a_failed_run(runs)
    let_a_day_pass(database)
    watch(database).look()
    assert kinds(database) == [EventKind.FAILED_RUNS_UNTOUCHED]
    (event,) = EventStore(database).newest()
    assert event.facts["count"] == 1
    assert event.key.endswith(RunCounts(database).now().date().isoformat())


def test_a_run_that_needs_a_decision_is_told_of_once(database: Database, runs: RunStore) -> None:
    a_failed_run(runs, needs_review=True)
    for _ in range(2):
        watch(database).look()
    assert kinds(database) == [EventKind.RUN_NEEDS_REVIEW]


def test_it_does_not_look_again_at_once(
    database: Database, runs: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000.0
    monkeypatch.setattr("engine.execution.watch.elapsed", lambda: now)
    ours = watch(database)
    ours.look()
    a_failed_run(runs, needs_review=True)
    a_failed_run(runs)
    let_a_day_pass(database)
    ours.look()
    assert kinds(database) == []
    now += timedelta(minutes=1).total_seconds()
    ours.look()
    assert kinds(database) == [EventKind.RUN_NEEDS_REVIEW]
    now += timedelta(minutes=5).total_seconds()
    ours.look()
    assert kinds(database) == [EventKind.FAILED_RUNS_UNTOUCHED, EventKind.RUN_NEEDS_REVIEW]


def test_whoever_sweeps_watches(database: Database, runs: RunStore) -> None:
    a_failed_run(runs, needs_review=True)
    doorbell = FakeDoorbell()
    sweep = Sweep(
        holder="one",
        dispatch=Dispatch(runs=runs, doorbell=doorbell),
        leases=LeaseStore(database),
        jobs={},
        watch=watch(database),
    )
    doorbell.broken = True
    assert sweep.once()
    assert kinds(database) == [EventKind.RUN_NEEDS_REVIEW]


def test_every_process_of_an_engine_takes_its_part(tmp_path: Path) -> None:
    app = build_app(Settings(home=tmp_path))
    assert app._sweep("one").watch is not None
    app.close()
