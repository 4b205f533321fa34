"""The watch: what nobody else would tell an operator of is an event, once."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from engine.events import EventKind
from engine.execution.watch import Watch
from engine.store.database import Database
from engine.store.events import EventStore
from engine.store.run_counts import RunCounts
from engine.store.runs import RunStore
from engine.store.tables import runs as run_table
from tests.builders.booking import BROKEN, LONG_AGO, a_claim


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
