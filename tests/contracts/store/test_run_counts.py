"""Counts of runs: what is ready is told apart from what is delayed."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from engine.states import RunState
from engine.store.database import Database
from engine.store.run_counts import QueueCounts, RunCounts
from engine.store.runs import RunStore
from engine.store.tables import runs as run_table
from tests.builders.booking import BROKEN, LONG_AGO, MIDNIGHT, a_claim, a_firing, a_run

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def counts(database: Database) -> RunCounts:
    return RunCounts(database)


def in_an_hour() -> datetime:
    return datetime.now(UTC) + HOUR


def test_a_ledger_without_runs_has_no_counts(counts: RunCounts) -> None:
    assert counts.by_queue() == {}
    assert counts.untouched(since=DAY) is None


def test_each_run_is_counted_once_in_its_queue(counts: RunCounts, runs: RunStore) -> None:
    a_run(runs)
    a_run(runs, due_at=MIDNIGHT)
    for _ in range(3):
        a_run(runs, due_at=in_an_hour())
    a_claim(runs)
    waits = a_claim(runs)
    runs.retry_later(waits, BROKEN, HOUR)
    is_back = a_claim(runs)
    runs.retry_later(is_back, BROKEN, timedelta())
    runs.fail(a_claim(runs), BROKEN)
    runs.fail(a_claim(runs), BROKEN, needs_review=True)
    runs.succeed(a_claim(runs), None)
    a_run(runs, firing=a_firing(), skipped="missed: nobody was there")
    a_run(runs, queue="payouts", due_at=in_an_hour())
    found = counts.by_queue()
    default = found["default"]
    assert (default.ready, default.delayed, default.retrying) == (3, 3, 1)
    assert (default.running, default.failed, default.in_review) == (1, 2, 1)
    assert default.oldest_wait is not None
    assert abs(counts.now() - MIDNIGHT - default.oldest_wait) < timedelta(minutes=1)
    assert found["payouts"] == QueueCounts(delayed=1)


def test_a_failed_run_is_untouched_until_somebody_did_something_since_it_failed(
    counts: RunCounts, runs: RunStore
) -> None:
    first, second = a_run(runs), a_run(runs)
    for run in (first, second):
        runs.fail(a_claim(runs, run), BROKEN)
    assert counts.untouched(since=DAY) is None
    touch(counts, finished_at=LONG_AGO + DAY)
    touch(counts, finished_at=LONG_AGO, run_id=second.id)
    found = counts.untouched(since=DAY)
    assert found is not None
    assert (found.count, found.reference, found.failed_at) == (2, second.reference, LONG_AGO)
    touch(counts, touched_at=LONG_AGO + HOUR)
    found = counts.untouched(since=DAY)
    assert found is not None
    assert (found.count, found.reference) == (1, first.reference)


def test_what_is_over_is_not_untouched(counts: RunCounts, runs: RunStore) -> None:
    runs.fail(a_claim(runs), BROKEN)
    touch(counts, finished_at=LONG_AGO, state=RunState.DISCARDED)
    assert counts.untouched(since=DAY) is None


def touch(counts: RunCounts, *, run_id: int | None = None, **values: object) -> None:
    """Set what a run has; that of all, if none is named."""
    change = update(run_table).values(values)
    if run_id is not None:
        change = change.where(run_table.c.id == run_id)
    with counts.database.begin() as connection:
        connection.execute(change)
