"""What a run's retry policy leaves in the ledger: attempts that do not count, and their end."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from engine.states import RunState
from engine.store.database import Database
from engine.store.run import Run, RunError
from engine.store.runs import RunStore
from engine.store.tables import paused_queues
from engine.store.tables import runs as run_table
from tests.builders.booking import (
    BROKEN,
    LONG_AGO,
    MIDNIGHT,
    a_claim,
    a_firing,
    a_run,
    due_now,
    let_leases_run_out,
)

HOUR = timedelta(hours=1)
LATER = RunError(type="RetryLater", message="the bank is closed", fingerprint="l" * 16)
TOO_LATE = RunError(type="RuntimeError", message="too late", fingerprint="t" * 16)


def too_late(database: Database) -> None:
    """As if the time for attempts had passed long ago."""
    with database.begin() as connection:
        bounded = run_table.c.retry_until.is_not(None)
        connection.execute(update(run_table).where(bounded).values(retry_until=LONG_AGO))


def test_an_attempt_that_is_put_off_does_not_count(runs: RunStore) -> None:
    run = a_run(runs, attempts=1)
    assert runs.put_off(a_claim(runs, run), LATER, timedelta(), 7)
    later = runs.get(run.id)
    assert (later.state, later.attempt, later.attempts_allowed) == (RunState.RETRYING, 1, 2)
    assert (later.error, later.first_error) == (LATER, None)
    (attempt,) = runs.attempts_of(run.id)
    assert (attempt.outcome, attempt.failed) == ("put_off", False)
    assert runs.fail(a_claim(runs, run), BROKEN)
    failed = runs.get(run.id)
    assert failed.first_error is not None
    assert failed.first_error.message == "broken"
    assert [each.failed for each in runs.attempts_of(run.id)] == [False, True]


def test_it_comes_back_when_it_said(runs: RunStore) -> None:
    run = a_run(runs)
    assert runs.put_off(a_claim(runs, run), LATER, HOUR)
    assert runs.claim(run.id, "worker-1") is None
    ready_in = runs.get(run.id).ready_at - run.ready_at
    assert HOUR <= ready_in < HOUR + timedelta(minutes=1)


def test_whoever_holds_a_run_settles_its_attempts(runs: RunStore, database: Database) -> None:
    claim = a_claim(runs)
    assert runs.allow(claim, 7)
    assert runs.get(claim.run_id).attempts_allowed == 7
    let_leases_run_out(database)
    assert runs.rescue(runs.get(claim.run_id), BROKEN, timedelta())
    assert not runs.allow(claim, 9)
    assert runs.get(claim.run_id).attempts_allowed == 7


@pytest.mark.parametrize("due_at", [None, MIDNIGHT])
def test_the_time_for_attempts_counts_from_due_or_from_a_later_booking(
    runs: RunStore, due_at: datetime | None
) -> None:
    run = a_run(runs, due_at=due_at, retry_for=HOUR)
    assert run.retry_until == run.created_at + HOUR


def test_the_time_for_attempts_counts_from_a_later_due_instant(runs: RunStore) -> None:
    due_at = a_run(runs).created_at + HOUR
    run = a_run(runs, due_at=due_at, retry_for=HOUR)
    assert run.retry_until == due_at + HOUR


def test_no_attempt_starts_too_late(runs: RunStore, database: Database) -> None:
    run, retried = a_run(runs, retry_for=HOUR), a_run(runs, retry_for=HOUR)
    assert runs.retry_later(a_claim(runs, retried), BROKEN, timedelta())
    assert runs.overdue() == []
    too_late(database)
    for each in (run, retried):
        assert runs.claim(each.id, "worker-1") is None
    assert [each.id for each in runs.overdue()] == [run.id, retried.id]


def test_a_run_is_given_up_when_it_is_too_late(runs: RunStore, database: Database) -> None:
    run = a_run(runs, retry_for=HOUR)
    assert runs.retry_later(a_claim(runs, run), BROKEN, timedelta())
    assert not runs.give_up(runs.get(run.id), TOO_LATE)
    too_late(database)
    (late,) = runs.overdue()
    assert runs.give_up(late, TOO_LATE)
    assert not runs.give_up(late, TOO_LATE)
    failed = runs.get(run.id)
    assert (failed.state, failed.error) == (RunState.FAILED, TOO_LATE)
    assert failed.first_error is not None
    assert failed.first_error.message == "broken"
    assert failed.finished_at is not None
    assert runs.overdue() == []


def test_a_running_attempt_may_end_after_that_time(runs: RunStore, database: Database) -> None:
    run = a_run(runs, retry_for=HOUR)
    claim = a_claim(runs, run)
    too_late(database)
    assert runs.overdue() == []
    assert not runs.give_up(runs.get(run.id), TOO_LATE)
    assert runs.succeed(claim, None)


def test_a_queue_has_a_ready_run_if_one_could_be_claimed(
    runs: RunStore, database: Database
) -> None:
    def ready(*queues: str) -> bool:
        return runs.has_ready(queues)

    assert not ready("default")
    run: Run = a_run(runs)
    assert ready("default")
    assert ready("payouts", "default")
    assert not ready("payouts")
    claim = a_claim(runs, run)
    assert not ready("default")
    assert runs.retry_later(claim, BROKEN, HOUR)
    assert not ready("default")
    due_now(database)
    assert ready("default")
    assert runs.succeed(a_claim(runs, run), None)
    a_claim(runs, a_run(runs, firing=a_firing(1, overlap="queue")))
    a_run(runs, firing=a_firing(2, overlap="queue"))
    assert not ready("default")
    a_run(runs)
    assert ready("default")
    with database.begin() as connection:
        paused = {"queue": "default", "paused_at": MIDNIGHT, "actor": "noura"}
        connection.execute(paused_queues.insert().values(paused))
    assert not ready("default")
