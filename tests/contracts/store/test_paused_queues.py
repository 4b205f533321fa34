"""Paused queues: nobody claims from them or rings for them, and nothing of them is lost."""

from datetime import timedelta
from functools import partial

import pytest

from engine.states import RunState
from engine.store.database import Database
from engine.store.paused_queues import PausedQueueStore
from engine.store.runs import RunStore
from tests.builders.at_once import at_once
from tests.builders.booking import a_claim, a_run

HOUR = timedelta(hours=1)


@pytest.fixture
def pauses(database: Database) -> PausedQueueStore:
    """The paused ones."""
    return PausedQueueStore(database)


def test_nothing_of_a_paused_queue_is_claimed_or_rung_for(
    runs: RunStore, pauses: PausedQueueStore
) -> None:
    kept, free = a_run(runs, queue="payouts"), a_run(runs)
    running = a_claim(runs, a_run(runs, queue="payouts"))
    pauses.pause("payouts", actor="sara", reason="the bank is away")
    assert runs.claim(kept.id, "worker-1") is None
    assert [run.id for run in runs.due(silent_for=HOUR)] == [free.id]
    assert runs.get(kept.id).state is RunState.QUEUED
    a_claim(runs, free)
    assert runs.renew([running]) == [running]
    assert runs.succeed(running, None)


def test_runs_of_a_queue_that_is_resumed_are_ready_and_due_to_be_rung_for(
    runs: RunStore, pauses: PausedQueueStore
) -> None:
    run, other = a_run(runs, queue="payouts"), a_run(runs)
    pauses.pause("payouts", actor="sara", reason="the bank is away")
    runs.rung([run.id, other.id])
    was = pauses.resume("payouts", actor="sara")
    assert was is not None
    assert (was.queue, was.actor, was.reason) == ("payouts", "sara", "the bank is away")
    assert [each.id for each in runs.due(silent_for=HOUR)] == [run.id]
    assert pauses.all() == []
    a_claim(runs, run)


def test_who_pauses_a_paused_queue_is_told_who_did_it_first(pauses: PausedQueueStore) -> None:
    first, is_new = pauses.pause("payouts", actor="sara", reason="the bank is away")
    assert is_new is True
    assert pauses.pause("payouts", actor="omar", reason=None) == (first, False)
    pauses.pause("default", actor="omar", reason=None)
    assert [paused.queue for paused in pauses.all()] == ["default", "payouts"]


def test_a_queue_that_is_not_paused_is_not_resumed(pauses: PausedQueueStore) -> None:
    assert pauses.resume("payouts", actor="sara") is None


def test_of_many_who_pause_a_queue_one_does(pauses: PausedQueueStore) -> None:
    for number in range(10):
        people = [
            partial(pauses.pause, f"q{number}", actor=f"person {each}", reason=None)
            for each in range(8)
        ]
        done = at_once(*people)
        assert sorted(is_new for _, is_new in done) == [False] * 7 + [True]
        assert len({paused for paused, _ in done}) == 1


def test_queues_that_a_run_was_booked_in_are_known(
    runs: RunStore, pauses: PausedQueueStore
) -> None:
    a_run(runs, queue="payouts")
    a_run(runs)
    assert pauses.queues_of_runs() == {"payouts", "default"}
