"""What is told of a run: wait, duration, attempts, memory and size, however it came to its end."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import update

from engine.operations.run_json import run_json
from engine.store.cancelled_runs import CancelStore
from engine.store.failed_run_reader import FailedRuns
from engine.store.failed_runs import FailedRunStore
from engine.store.run import Run
from engine.store.runs import RunStore
from engine.store.tables import runs as run_table
from tests.builders.booking import (
    BROKEN,
    a_claim,
    a_firing,
    a_run,
    due_now,
    let_leases_run_out,
)

DUE = datetime(2026, 1, 1, tzinfo=UTC)
STARTED, FINISHED = DUE + timedelta(seconds=2), DUE + timedelta(minutes=5)
NOTHING = timedelta()


def told(runs: RunStore, run: Run) -> dict[str, Any]:
    """What is told of it now."""
    return run_json(runs.get(run.id))


def at(runs: RunStore, **instants: datetime) -> None:
    """As if it had happened then."""
    with runs.database.begin() as connection:
        connection.execute(update(run_table).values(instants))


def test_a_run_that_succeeded_has_waited_from_when_it_was_due(runs: RunStore) -> None:
    run = a_run(runs, params={"name": "Noura"})
    assert (told(runs, run)["wait_ms"], told(runs, run)["duration_ms"]) == (None, None)
    claim = a_claim(runs, run)
    assert told(runs, run)["duration_ms"] is None
    runs.succeed(claim, None, 7_000_000)
    at(runs, due_at=DUE, started_at=STARTED, finished_at=FINISHED)
    found = told(runs, run)
    assert (found["wait_ms"], found["duration_ms"]) == (2_000, 298_000)
    assert (found["attempt"], found["attempts_allowed"]) == (1, 3)
    assert found["peak_memory_bytes"] == 7_000_000
    assert found["payload_bytes"] == len('{"name": "Noura"}')


def test_a_retried_run_has_waited_once_and_the_most_memory_of_its_attempts(
    runs: RunStore,
) -> None:
    run = a_run(runs)
    runs.retry_later(a_claim(runs, run), BROKEN, NOTHING, 9_000_000)
    at(runs, due_at=DUE, started_at=STARTED)
    assert told(runs, run)["duration_ms"] is None
    due_now(runs.database)
    runs.succeed(a_claim(runs, run), None, 5_000_000)
    at(runs, finished_at=FINISHED)
    found = told(runs, run)
    assert (found["wait_ms"], found["duration_ms"], found["attempt"]) == (2_000, 298_000, 2)
    assert found["peak_memory_bytes"] == 9_000_000
    assert [each.peak_memory_bytes for each in runs.attempts_of(run.id)] == [9_000_000, 5_000_000]


def test_a_larger_later_attempt_and_one_without_a_measure_count_as_they_should(
    runs: RunStore,
) -> None:
    run = a_run(runs)
    runs.retry_later(a_claim(runs, run), BROKEN, NOTHING, 5_000_000)
    runs.retry_later(a_claim(runs, run), BROKEN, NOTHING, 9_000_000)
    runs.fail(a_claim(runs, run), BROKEN, None)
    assert told(runs, run)["peak_memory_bytes"] == 9_000_000


def test_a_rescued_run_keeps_when_it_first_started(runs: RunStore) -> None:
    run = a_run(runs)
    a_claim(runs, run)
    at(runs, due_at=DUE, started_at=STARTED)
    let_leases_run_out(runs.database)
    (lost,) = runs.lost()
    assert runs.rescue(lost, BROKEN, NOTHING)
    assert told(runs, run)["duration_ms"] is None
    runs.succeed(a_claim(runs, run), None)
    at(runs, finished_at=FINISHED)
    found = told(runs, run)
    assert (found["wait_ms"], found["duration_ms"], found["attempt"]) == (2_000, 298_000, 2)


def test_a_run_that_a_person_sent_back_has_no_duration_until_it_ends_again(
    runs: RunStore,
) -> None:
    run = a_run(runs, attempts=1)
    runs.fail(a_claim(runs, run), BROKEN)
    at(runs, due_at=DUE, started_at=STARTED)
    assert told(runs, run)["duration_ms"] is not None
    FailedRunStore(runs.database).retry(
        FailedRuns(ids=[run.id]), actor="sara", reason=None, attempts=lambda _: 1
    )
    found = told(runs, run)
    assert (found["state"], found["finished_at"], found["duration_ms"]) == ("queued", None, None)
    assert (found["attempt"], found["attempts_allowed"]) == (1, 2)
    runs.succeed(a_claim(runs, run), None)
    assert told(runs, run)["wait_ms"] == 2_000


def test_a_skipped_firing_has_neither_waited_nor_lasted(runs: RunStore) -> None:
    run = a_run(runs, firing=a_firing(), skipped="missed: no scheduler was running")
    found = told(runs, run)
    assert (found["wait_ms"], found["duration_ms"], found["attempt"]) == (None, None, 0)
    assert found["finished_at"] is not None


def test_a_run_that_was_cancelled_before_it_started_has_not_lasted(runs: RunStore) -> None:
    waiting, running = a_run(runs), a_run(runs)
    claim = a_claim(runs, running)
    store = CancelStore(runs.database)
    store.cancel([waiting.id, running.id], actor="sara", reason=None)
    runs.cancel(claim, 3_000_000)
    found = told(runs, waiting)
    assert (found["state"], found["wait_ms"], found["duration_ms"]) == ("cancelled", None, None)
    assert found["finished_at"] is not None
    found = told(runs, running)
    assert (found["state"], found["attempt"]) == ("cancelled", 1)
    assert found["duration_ms"] >= 0
    assert found["peak_memory_bytes"] == 3_000_000


def test_an_attempt_that_was_handed_back_neither_counts_nor_resets_the_start(
    runs: RunStore,
) -> None:
    run = a_run(runs, attempts=1)
    runs.hand_back(a_claim(runs, run), BROKEN, 2_000_000)
    at(runs, due_at=DUE, started_at=STARTED)
    runs.succeed(a_claim(runs, run), None)
    at(runs, finished_at=FINISHED)
    found = told(runs, run)
    assert (found["attempt"], found["attempts_allowed"]) == (2, 2)
    assert (found["wait_ms"], found["duration_ms"]) == (2_000, 298_000)
    assert found["peak_memory_bytes"] == 2_000_000
