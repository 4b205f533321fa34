from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.operations.timeline import timeline
from engine.store.operator_moves import RunMove
from engine.store.run import Attempt, Run
from engine.store.runs import RunStore
from tests.builders.booking import a_run
from tests.builders.database import a_database

NIGHT = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    database = a_database(tmp_path)
    booked = a_run(RunStore(database), actor="root")
    database.dispose()
    return replace(booked, created_at=NIGHT, due_at=NIGHT)


def an_attempt(run: Run, number: int, start: int, end: int | None, outcome: str | None) -> Attempt:
    """From one minute of the night to another."""
    return Attempt(
        run_id=run.id,
        number=number,
        worker="host:7:aaaaaa",
        outcome=outcome,
        error_type="RuntimeError" if outcome == "failed" else None,
        error_message="the bank is away" if outcome == "failed" else None,
        error_trace=None,
        started_at=NIGHT + start * MINUTE,
        finished_at=None if end is None else NIGHT + end * MINUTE,
        peak_memory_bytes=None,
        limit_key=None,
    )


def a_move(run: Run, at: int) -> RunMove:
    """A person retries it at a minute of the night."""
    return RunMove(
        run_id=run.id,
        actor="sara",
        source="failed",
        target="queued",
        reason="the bank is back",
        moved_at=NIGHT + at * MINUTE,
    )


def test_attempts_and_what_people_did_are_in_one_line_with_the_waits_between(run: Run) -> None:
    attempts = [
        an_attempt(run, 1, 1, 3, "failed"),
        an_attempt(run, 2, 8, 9, "failed"),
        an_attempt(run, 3, 61, None, None),
    ]
    moments = timeline(run, attempts, [a_move(run, 60)])
    failed = "failed: RuntimeError: the bank is away"
    assert [(moment.what, moment.waited, moment.took) for moment in moments] == [
        ("booked by root", None, None),
        (f"attempt 1 on host:7:aaaaaa: {failed}", MINUTE, 2 * MINUTE),
        (f"attempt 2 on host:7:aaaaaa: {failed}", 5 * MINUTE, MINUTE),
        ("sara retried it: the bank is back", 51 * MINUTE, None),
        ("attempt 3 on host:7:aaaaaa: running", MINUTE, None),
    ]


def test_a_run_that_is_due_later_waits_from_then_on(run: Run) -> None:
    later = replace(run, due_at=NIGHT + 30 * MINUTE)
    booked, first = timeline(later, [an_attempt(run, 1, 32, 33, "succeeded")], [])
    assert booked.what == "booked by root, due at 2026-11-24T00:30:00.000Z"
    assert first.waited == 2 * MINUTE


def test_a_person_who_stops_an_attempt_does_so_while_it_runs(run: Run) -> None:
    stop = replace(a_move(run, 2), target="cancel requested", reason=None)
    moments = timeline(run, [an_attempt(run, 1, 1, 3, "cancelled")], [stop])
    assert [moment.what for moment in moments[1:]] == [
        "attempt 1 on host:7:aaaaaa: cancelled",
        "sara told it to stop",
    ]
    assert moments[2].waited is None


def test_a_lost_and_a_handed_back_attempt_are_told_in_words(run: Run) -> None:
    attempts = [an_attempt(run, 1, 1, 3, "lost"), an_attempt(run, 2, 4, 5, "handed_back")]
    texts = [moment.what.partition(": ")[2] for moment in timeline(run, attempts, [])[1:]]
    assert texts == ["lost with its worker", "handed back at a stop"]
