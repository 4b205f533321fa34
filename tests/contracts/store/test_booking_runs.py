"""Booking: a run, its key and its firing are one row, and the row says why it will not run."""

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest

from engine.states import RunState
from engine.store.database import Database
from engine.store.run import Run
from engine.store.runs import RunStore
from tests.builders.booking import (
    BROKEN,
    MIDNIGHT,
    a_claim,
    a_firing,
    a_new_run,
    a_run,
    let_leases_run_out,
    put_all_in,
)


def test_a_run_is_queued_with_what_it_was_booked_with(runs: RunStore) -> None:
    period = (MIDNIGHT - timedelta(days=1), MIDNIGHT)
    new = a_new_run(params={"older_than_days": 9}, actor="sara", period=period)
    run, is_new = runs.book(new)
    assert is_new
    assert run == runs.get(run.id)
    assert (run.state, run.attempt, run.attempts_allowed) == (RunState.QUEUED, 0, 3)
    assert (run.params, run.actor, run.period) == ({"older_than_days": 9}, "sara", period)
    assert run.due_at == run.created_at
    assert abs(datetime.now(UTC) - run.created_at) < timedelta(seconds=10)
    assert (run.wait, run.duration, run.error) == (None, None, None)


def test_references_are_unlike_each_other_and_easy_to_read_out(runs: RunStore) -> None:
    references = {a_run(runs).reference for _ in range(50)}
    assert len(references) == 50
    letters = [each.rpartition("-")[2] for each in references]
    assert all(len(each) == 5 for each in letters)
    assert not set("".join(letters)) & set("ILOU")


def test_a_key_books_one_run_whatever_else_is_said(runs: RunStore) -> None:
    first = a_run(runs, key="night 24")
    again, is_new = runs.book(a_new_run(key="night 24", params={"older_than_days": 1}))
    assert (again, is_new) == (first, False)
    assert a_run(runs, key="night 25").id != first.id
    assert a_run(runs).id != a_run(runs).id


def test_a_firing_books_one_run_for_each_revision(runs: RunStore) -> None:
    first = a_run(runs, firing=a_firing(1, overlap="allow"))
    assert runs.book(a_new_run(firing=a_firing(1, overlap="allow"))) == (first, False)
    a_run(runs, firing=a_firing(1, overlap="allow", revision=1))
    a_run(runs, firing=a_firing(1, overlap="allow", schedule="other"))
    a_run(runs, firing=a_firing(2, overlap="allow"))


def test_one_of_many_threads_books_a_firing(runs: RunStore) -> None:
    barrier = Barrier(8)
    booked: list[tuple[Run, bool]] = []

    def book() -> None:
        barrier.wait()
        booked.append(runs.book(a_new_run(firing=a_firing())))

    threads = [Thread(target=book) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(is_new for _, is_new in booked) == [False] * 7 + [True]
    assert len({run.id for run, _ in booked}) == 1


def test_a_firing_that_is_not_to_run_is_booked_with_the_reason(runs: RunStore) -> None:
    run = a_run(runs, firing=a_firing(), skipped="missed: nobody was there")
    assert (run.state, run.reason) == (RunState.SKIPPED, "missed: nobody was there")
    assert run.finished_at is not None
    assert runs.claim(run.id, "worker-1") is None


@pytest.mark.parametrize("state", ["queued", "running", "retrying"])
def test_overlap_skip_skips_while_an_earlier_run_is_unfinished(
    runs: RunStore, database: Database, state: str
) -> None:
    earlier = a_run(runs, firing=a_firing(1))
    put_all_in(database, RunState(state))
    later = a_run(runs, firing=a_firing(2))
    assert later.state is RunState.SKIPPED
    assert later.reason == f"overlap: run {earlier.reference} of this schedule had not ended"


def test_overlap_skip_does_not_wait_for_a_dead_run_to_be_rescued(
    runs: RunStore, database: Database
) -> None:
    dead = a_run(runs, firing=a_firing(1))
    a_claim(runs, dead)
    assert a_run(runs, firing=a_firing(2)).state is RunState.SKIPPED
    let_leases_run_out(database)
    later = a_run(runs, firing=a_firing(3))
    assert later.state is RunState.QUEUED
    assert a_run(runs, firing=a_firing(4)).state is RunState.SKIPPED
    # Nor does it run beside it: the dead one may be tried again first.
    assert runs.claim(later.id, "worker-2") is None
    assert runs.rescue(runs.get(dead.id), BROKEN, timedelta())
    assert runs.claim(later.id, "worker-2") is None
    assert runs.succeed(a_claim(runs, dead), None)
    a_claim(runs, later)


@pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled", "skipped", "discarded"])
def test_overlap_skip_runs_when_the_earlier_run_is_over(
    runs: RunStore, database: Database, state: str
) -> None:
    a_run(runs, firing=a_firing(1))
    put_all_in(database, RunState(state))
    assert a_run(runs, firing=a_firing(2)).state is RunState.QUEUED


def test_overlap_skip_looks_at_its_own_schedule_only(runs: RunStore) -> None:
    a_run(runs)
    a_run(runs, firing=a_firing(1, schedule="other"))
    assert a_run(runs, firing=a_firing(1)).state is RunState.QUEUED


def test_overlap_queue_waits_for_one_that_will_be_tried_again(runs: RunStore) -> None:
    first = a_run(runs, firing=a_firing(1, overlap="queue"))
    second = a_run(runs, firing=a_firing(2, overlap="queue"))
    assert runs.claim(second.id, "worker-1") is None
    assert runs.retry_later(a_claim(runs, first), BROKEN, timedelta(hours=1))
    assert runs.claim(second.id, "worker-1") is None
    other = a_run(runs, firing=a_firing(1, schedule="other", overlap="queue"))
    a_claim(runs, other)
    a_claim(runs, a_run(runs, firing=a_firing(3, overlap="allow")))


def test_overlap_queue_waits_for_the_running_one(runs: RunStore) -> None:
    first = a_run(runs, firing=a_firing(1, overlap="queue"))
    second = a_run(runs, firing=a_firing(2, overlap="queue"))
    claim = a_claim(runs, first)
    assert runs.claim(second.id, "worker-2") is None
    assert runs.get(second.id).attempt == 0
    waiting = runs.next_in_line("hourly")
    assert waiting is not None
    assert waiting.id == second.id
    assert runs.succeed(claim, None)
    assert runs.claim(second.id, "worker-2") is not None
    assert runs.next_in_line("hourly") is None


def test_overlap_allow_runs_beside_the_running_one(runs: RunStore) -> None:
    for hour in (1, 2, 3):
        a_claim(runs, a_run(runs, firing=a_firing(hour, overlap="allow")))
    assert runs.next_in_line("hourly") is None


def test_the_oldest_due_run_is_next_in_line(runs: RunStore) -> None:
    for hour in (3, 1, 2):
        firing = a_firing(hour, overlap="queue")
        a_run(runs, firing=firing, due_at=firing.scheduled_for)
    later = datetime.now(UTC) + timedelta(hours=1)
    a_run(runs, firing=a_firing(0, overlap="queue"), due_at=later)
    waiting = runs.next_in_line("hourly")
    assert waiting is not None
    assert waiting.scheduled_for == MIDNIGHT + timedelta(hours=1)
    assert runs.next_in_line("other") is None
