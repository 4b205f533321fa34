"""Dispatch: what is booked is rung for, once, when it is due; a silent queue loses nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.dispatch import Dispatch
from engine.huey_app.doorbell import QueueRefused, QueueUnreachable
from engine.limits import LimitGroup, Limits
from engine.store.runs import RunStore
from tests.builders.booking import a_claim, a_firing, a_new_run, a_run, let_rings_fade
from tests.builders.database import a_database
from tests.builders.doorbell import FakeDoorbell


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[RunStore]:
    """The runs of an empty ledger."""
    database = a_database(tmp_path)
    yield RunStore(database)
    database.dispose()


@pytest.fixture
def doorbell() -> FakeDoorbell:
    """Queues without messages."""
    return FakeDoorbell()


@pytest.fixture
def dispatch(runs: RunStore, doorbell: FakeDoorbell) -> Dispatch:
    """Both together."""
    return Dispatch(runs=runs, doorbell=doorbell)


def test_a_new_run_is_rung_for_in_its_queue(dispatch: Dispatch, doorbell: FakeDoorbell) -> None:
    booked = dispatch.book(a_new_run(queue="nightly"))
    assert booked.is_new
    assert booked.unrung is None
    assert doorbell.messages == [("nightly", booked.run.id)]
    dispatch.ring_due()
    assert len(doorbell.messages) == 1


def test_a_run_booked_before_is_not_rung_for_again(
    dispatch: Dispatch, doorbell: FakeDoorbell
) -> None:
    first = dispatch.book(a_new_run(key="once"))
    again = dispatch.book(a_new_run(key="once"))
    assert (again.run.id, again.is_new) == (first.run.id, False)
    assert len(doorbell.messages) == 1


def test_a_run_that_is_not_due_or_skipped_is_not_rung_for(
    dispatch: Dispatch, doorbell: FakeDoorbell
) -> None:
    dispatch.book(a_new_run(due_at=datetime.now(UTC) + timedelta(hours=1)))
    dispatch.book(a_new_run(firing=a_firing(), skipped="missed"))
    dispatch.ring_due()
    assert doorbell.messages == []


def test_a_queue_that_does_not_answer_is_told_later(
    dispatch: Dispatch, doorbell: FakeDoorbell
) -> None:
    doorbell.broken = True
    booked = dispatch.book(a_new_run())
    assert isinstance(booked.unrung, QueueUnreachable)
    with pytest.raises(QueueUnreachable):
        dispatch.ring_due()
    doorbell.broken = False
    dispatch.ring_due()
    assert doorbell.messages == [("default", booked.run.id)]


def test_ringing_for_others_survives_a_silent_queue(
    dispatch: Dispatch, doorbell: FakeDoorbell, runs: RunStore, caplog: pytest.LogCaptureFixture
) -> None:
    doorbell.broken = True
    for _ in range(3):
        dispatch.ring_booked([a_run(runs)])
    assert caplog.messages == ["the queue is away; waiting for it"]


def test_a_queue_that_refuses_keeps_no_other_one_waiting(
    dispatch: Dispatch, doorbell: FakeDoorbell, runs: RunStore
) -> None:
    a_run(runs, queue="broken")
    nightly = a_run(runs, queue="nightly")
    a_run(runs, queue="broken")
    doorbell.refused = "broken"
    with pytest.raises(QueueRefused):
        dispatch.ring_due()
    assert doorbell.messages == [("nightly", nightly.id)]


def test_a_message_that_an_outage_took_is_rung_for_again_at_once(
    dispatch: Dispatch, doorbell: FakeDoorbell
) -> None:
    taken, kept = (dispatch.book(a_new_run()).run for _ in range(2))
    doorbell.broken = True
    dispatch.ring_due()
    doorbell.broken = False
    doorbell.messages.remove(("default", taken.id))
    for _ in range(2):
        dispatch.ring_due()
    assert doorbell.messages == [("default", kept.id), ("default", taken.id)]


def test_a_run_booked_before_is_rung_for_when_its_message_is_gone(
    dispatch: Dispatch, doorbell: FakeDoorbell
) -> None:
    doorbell.broken = True
    first, again = (dispatch.book(a_new_run(key="once")) for _ in range(2))
    assert (first.is_new, again.is_new) == (True, False)
    assert isinstance(again.unrung, QueueUnreachable)
    doorbell.broken = False
    assert dispatch.book(a_new_run(key="once")).unrung is None
    assert doorbell.messages == [("default", first.run.id)]


def test_a_lost_message_is_rung_for_again_only_after_a_silence(
    dispatch: Dispatch, doorbell: FakeDoorbell, runs: RunStore
) -> None:
    run = dispatch.book(a_new_run()).run
    doorbell.messages.clear()
    dispatch.ring_due()
    assert doorbell.messages == []
    let_rings_fade(runs.database)
    dispatch.ring_due()
    dispatch.ring_due()
    assert doorbell.messages == [("default", run.id)]


def test_a_message_that_is_still_there_is_not_doubled(
    dispatch: Dispatch, doorbell: FakeDoorbell, runs: RunStore
) -> None:
    run = dispatch.book(a_new_run()).run
    let_rings_fade(runs.database)
    dispatch.ring_due()
    assert doorbell.messages == [("default", run.id)]
    assert runs.due(silent_for=timedelta(seconds=30)) == []


def test_a_message_in_another_queue_is_not_this_runs(
    dispatch: Dispatch, doorbell: FakeDoorbell, runs: RunStore
) -> None:
    run = a_run(runs, queue="nightly")
    doorbell.ring("default", run.id)
    dispatch.ring_due()
    assert doorbell.messages[1:] == [("nightly", run.id)]


def test_a_run_under_way_is_not_rung_for(
    dispatch: Dispatch, doorbell: FakeDoorbell, runs: RunStore
) -> None:
    a_claim(runs)
    dispatch.ring_due()
    assert doorbell.messages == []


def test_a_free_slot_is_rung_for_at_once(
    dispatch: Dispatch, doorbell: FakeDoorbell, runs: RunStore
) -> None:
    group = LimitGroup(key="wallet 7", limits=Limits(concurrency=1))
    first, second = (a_run(runs, limit_key=group.key) for _ in range(2))
    held = runs.claim(first.id, "worker-1", group)
    assert held is not None
    assert runs.claim(second.id, "worker-1", group) is None
    dispatch.ring_next(runs.get(first.id), group)
    assert doorbell.messages == []
    assert runs.succeed(held, None)
    dispatch.ring_next(runs.get(first.id), group)
    assert doorbell.messages == [("default", second.id)]
    dispatch.ring_due()
    assert len(doorbell.messages) == 1


def test_another_run_of_which_there_may_be_one_is_no_new_one(
    dispatch: Dispatch, doorbell: FakeDoorbell
) -> None:
    first = dispatch.book(a_new_run(unique_key="wallet 7", key="monday"))
    assert (first.is_new, first.is_duplicate) == (True, False)
    for key, is_duplicate in ((None, True), ("tuesday", True), ("monday", False)):
        again = dispatch.book(a_new_run(unique_key="wallet 7", key=key))
        assert (again.run.id, again.is_new) == (first.run.id, False)
        assert again.is_duplicate is is_duplicate
    assert len(doorbell.messages) == 1
