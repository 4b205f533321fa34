"""Sums that only grow: the same whether they are made at once or bit by bit."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from engine.store.attempt_sums import BOUNDS, RunningSums
from engine.store.database import Database
from engine.store.runs import RunStore
from engine.store.tables import attempts
from engine.store.tables import runs as run_table
from tests.builders.booking import (
    BROKEN,
    LONG_AGO,
    a_claim,
    a_firing,
    a_run,
    due_now,
    let_leases_run_out,
)

NOTHING = timedelta()


@pytest.fixture
def sums(database: Database) -> RunningSums:
    return RunningSums(database)


def test_an_empty_ledger_has_none(sums: RunningSums) -> None:
    found = sums.read()
    assert (found.attempts, found.retries, found.durations) == ({}, {}, {})
    assert (found.booked, found.skipped) == ({}, {})


def test_attempts_are_counted_once_they_ended(sums: RunningSums, runs: RunStore) -> None:
    run = a_run(runs)
    runs.retry_later(a_claim(runs, run), BROKEN, NOTHING)
    runs.succeed(a_claim(runs, run), None)
    a_claim(runs)
    runs.hand_back(a_claim(runs, a_run(runs, job="pay")), BROKEN)
    found = sums.read()
    assert found.attempts == {
        ("purge", "failed"): 1,
        ("purge", "succeeded"): 1,
        ("pay", "handed_back"): 1,
    }
    assert found.retries == {"purge": 1, "pay": 0}
    assert found.booked == {"purge": 2, "pay": 1}
    assert {job: took.count for job, took in found.durations.items()} == {"purge": 2}


def test_a_rescue_is_an_attempt_that_was_lost(sums: RunningSums, runs: RunStore) -> None:
    run = a_run(runs)
    a_claim(runs, run)
    let_leases_run_out(runs.database)
    (lost,) = runs.lost()
    assert runs.rescue(lost, BROKEN, NOTHING)
    assert sums.read().attempts == {("purge", "lost"): 1}


@pytest.mark.parametrize(
    ("took", "bound"), [(0.1, 0.1), (0.2, 0.5), (59.5, 60), (14400, 14400), (20000, None)]
)
def test_durations_fall_under_their_bound(
    sums: RunningSums, runs: RunStore, took: float, bound: float | None
) -> None:
    runs.succeed(a_claim(runs), None)
    took_so_long(runs.database, took)
    durations = sums.read().durations["purge"]
    expected = [int(bound is not None and bound <= each) for each in BOUNDS]
    assert (durations.within, durations.count) == (expected, 1)
    assert durations.seconds == pytest.approx(took, abs=0.002)


def test_an_attempt_that_ended_before_it_began_by_a_clock_set_back_took_no_time(
    sums: RunningSums, runs: RunStore
) -> None:
    runs.succeed(a_claim(runs), None)
    took_so_long(runs.database, -3600)
    durations = sums.read().durations["purge"]
    assert (durations.within[0], durations.seconds) == (1, 0)


def test_skipped_firings_have_a_cause(sums: RunningSums, runs: RunStore) -> None:
    a_run(runs, firing=a_firing(0), skipped="missed: no scheduler was running, and it is old")
    a_run(runs, firing=a_firing(1), skipped="params: wrong")
    a_run(runs, firing=a_firing(2))
    a_run(runs, firing=a_firing(3))
    assert sums.read().skipped == {
        ("purge", "missed"): 1,
        ("purge", "other"): 1,
        ("purge", "overlap"): 1,
    }


def test_what_is_old_is_not_counted_again_and_what_is_new_is(
    sums: RunningSums, runs: RunStore
) -> None:
    runs.succeed(a_claim(runs), None)
    long_ago(runs.database)
    assert sums.read().attempts == {("purge", "succeeded"): 1}
    runs.fail(a_claim(runs), BROKEN)
    expected = {("purge", "succeeded"): 1, ("purge", "failed"): 1}
    for _ in range(2):
        found = sums.read()
        assert (found.attempts, found.booked) == (expected, {"purge": 2})
    assert RunningSums(runs.database).read() == found


def test_an_old_run_that_is_tried_again_is_seen(
    sums: RunningSums, runs: RunStore, database: Database
) -> None:
    run = a_run(runs)
    runs.retry_later(a_claim(runs, run), BROKEN, NOTHING)
    long_ago(database)
    sums.read()
    due_now(database)
    runs.succeed(a_claim(runs, run), None)
    found = sums.read()
    assert (found.attempts, found.booked) == (
        {("purge", "failed"): 1, ("purge", "succeeded"): 1},
        {"purge": 1},
    )


def test_a_ledger_whose_clock_was_set_back_is_counted_anew(
    sums: RunningSums, runs: RunStore, database: Database
) -> None:
    runs.succeed(a_claim(runs), None)
    ahead = datetime.now(UTC) + timedelta(hours=1)
    with database.begin() as connection:
        connection.execute(update(attempts).values(finished_at=ahead))
    sums._ended_until = ahead + timedelta(minutes=5)
    runs.fail(a_claim(runs), BROKEN)
    assert sums.read().attempts == {("purge", "succeeded"): 1, ("purge", "failed"): 1}


def test_only_the_last_minute_is_read_again(
    sums: RunningSums, runs: RunStore, database: Database
) -> None:
    runs.succeed(a_claim(runs), None)
    long_ago(database)
    sums.read()
    # As if it had never been: whoever looked again would miss it.
    with database.begin() as connection:
        connection.execute(attempts.delete())
    assert sums.read().attempts == {("purge", "succeeded"): 1}
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(attempts)).scalar() == 0


def took_so_long(database: Database, seconds: float) -> None:
    end = LONG_AGO + timedelta(seconds=seconds)
    with database.begin() as connection:
        connection.execute(update(attempts).values(started_at=LONG_AGO, finished_at=end))


def long_ago(database: Database) -> None:
    """As if all that has happened so far was long ago."""
    with database.begin() as connection:
        ended = attempts.c.finished_at.is_not(None)
        connection.execute(update(attempts).where(ended).values(finished_at=LONG_AGO))
        connection.execute(update(run_table).values(created_at=LONG_AGO))
