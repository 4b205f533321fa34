"""Runs as they are found: by name, newest first, due, and counted."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.errors import UnknownId
from engine.states import RunState
from engine.store.database import Database
from engine.store.runs import RunStore
from tests.builders.booking import (
    BROKEN,
    a_claim,
    a_firing,
    a_new_run,
    a_run,
    let_rings_fade,
    set_the_clock_back,
)

HALF_A_MINUTE = timedelta(seconds=30)


def test_a_run_is_found_by_its_id_and_its_reference_as_people_type_them(runs: RunStore) -> None:
    run = a_run(runs)
    for name in (str(run.id), f" {run.id} ", run.reference, run.reference.lower()):
        assert runs.find(name) == run


@pytest.mark.parametrize("name", ["2", "0", "-1", "", "K7M2-9QXF", "9" * 30, "1; DROP TABLE runs"])
def test_a_name_that_no_run_has_is_said(runs: RunStore, name: str) -> None:
    a_run(runs)
    with pytest.raises(UnknownId, match="no run has the id"):
        runs.find(name)


def test_an_id_that_no_run_has_is_said(runs: RunStore) -> None:
    with pytest.raises(UnknownId, match="no run has the id 7"):
        runs.get(7)


def test_the_newest_runs_come_first_and_can_be_narrowed_down(runs: RunStore) -> None:
    first = a_run(runs, job="reconcile", queue="nightly")
    second = a_run(runs, firing=a_firing(1))
    third = a_run(runs)
    runs.claim(third.id, "worker-1")
    assert [run.id for run in runs.newest()] == [third.id, second.id, first.id]
    assert [run.id for run in runs.newest(limit=1)] == [third.id]
    assert [run.id for run in runs.newest(job="reconcile")] == [first.id]
    assert [run.id for run in runs.newest(queue="nightly")] == [first.id]
    assert [run.id for run in runs.newest(schedule="hourly")] == [second.id]
    assert [run.id for run in runs.newest(states=[RunState.RUNNING])] == [third.id]
    assert runs.newest(since=datetime.now(UTC) + timedelta(minutes=1)) == []


def test_due_runs_are_those_nobody_rang_for_of_late(runs: RunStore, database: Database) -> None:
    silent, rung, faded = a_run(runs), a_run(runs), a_run(runs)
    a_run(runs, due_at=datetime.now(UTC) + timedelta(hours=1))
    a_claim(runs)
    runs.rung([faded.id])
    let_rings_fade(database)
    runs.rung([rung.id])
    assert [run.id for run in runs.due(silent_for=HALF_A_MINUTE)] == [silent.id, faded.id]
    assert [run.id for run in runs.due(silent_for=HALF_A_MINUTE, limit=1)] == [silent.id]


def test_a_run_that_is_rung_for_as_it_is_booked_is_due_once_it_was_not(runs: RunStore) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    run, _ = runs.book(a_new_run(), to_be_rung=True)
    later, _ = runs.book(a_new_run(due_at=tomorrow), to_be_rung=True)
    assert run.due_at <= run.created_at
    assert later.due_at == tomorrow
    assert runs.due(silent_for=HALF_A_MINUTE) == []
    runs.not_rung(run.id)
    assert [run.id for run in runs.due(silent_for=HALF_A_MINUTE)] == [run.id]


def test_a_ring_from_before_the_clock_was_set_back_is_as_none(
    runs: RunStore, database: Database
) -> None:
    run = a_run(runs)
    runs.rung([run.id])
    set_the_clock_back(database)
    assert [run.id for run in runs.due(silent_for=HALF_A_MINUTE)] == [run.id]


def test_the_longest_due_come_first(runs: RunStore) -> None:
    now = datetime.now(UTC)
    late = a_run(runs, due_at=now - timedelta(minutes=1))
    later = a_run(runs, due_at=now - timedelta(minutes=2))
    assert [run.id for run in runs.due(silent_for=HALF_A_MINUTE)] == [later.id, late.id]


def test_a_run_tried_again_handed_back_or_rescued_is_rung_for_anew(runs: RunStore) -> None:
    again, back = a_run(runs), a_run(runs)
    runs.rung([again.id, back.id])
    assert runs.retry_later(a_claim(runs, again), BROKEN, timedelta())
    assert runs.hand_back(a_claim(runs, back), BROKEN)
    found = {run.id for run in runs.due(silent_for=HALF_A_MINUTE)}
    assert found == {again.id, back.id}


def test_counts_tell_what_is_not_over_in_each_queue(runs: RunStore) -> None:
    a_run(runs, queue="nightly")
    a_run(runs)
    a_claim(runs)
    assert runs.fail(a_claim(runs), BROKEN)
    assert runs.succeed(a_claim(runs), None)
    assert runs.counts() == {
        "nightly": {RunState.QUEUED: 1},
        "default": {RunState.QUEUED: 1, RunState.RUNNING: 1, RunState.FAILED: 1},
    }


def test_states_are_told_by_reference(runs: RunStore) -> None:
    claimed, queued = runs.get(a_claim(runs).run_id), a_run(runs)
    told = runs.states([claimed.reference, queued.reference, "K7M2-9QXF", "a\0b"])
    assert told == {claimed.reference: RunState.RUNNING, queued.reference: RunState.QUEUED}
    assert runs.states([]) == {}
