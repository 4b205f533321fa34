"""Firings of jobs that have limits: one at a time, by priority."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.job import Job, job
from engine.scheduler.booking import Booking
from engine.states import RunState
from engine.store.run import Run
from engine.store.runs import RunStore
from tests.builders.booking import put_all_in
from tests.builders.clock import FakeClock
from tests.builders.schedule import a_schedule

HOUR = timedelta(hours=1)


@job(unique_by=("wallet",), concurrency=2, limit_by=("wallet",), priority=5)
def refund(context: Any, *, wallet: int = 7) -> None:
    """Refund."""


JOBS: dict[str, Job] = {"refund": refund}


@pytest.fixture
def limited(booking: Booking) -> Booking:
    """A scheduler that knows a job with limits."""
    return replace(booking, jobs=JOBS)


def booked(runs: RunStore) -> list[Run]:
    """Every firing's run, the oldest firing first."""
    return list(reversed(runs.newest()))


def test_a_firing_of_what_has_not_ended_is_skipped(
    limited: Booking, runs: RunStore, clock: FakeClock
) -> None:
    schedule = a_schedule(job="refund", overlap="allow", missed="all")
    limited.book(schedule)
    clock.advance(HOUR * 3)
    assert limited.book(schedule) == 3
    first, second, third = booked(runs)
    assert first.state is RunState.QUEUED
    reason = f"duplicate: run {first.reference}, which is the same one, had not ended"
    assert (second.reason, third.reason) == (reason, reason)
    put_all_in(runs.database, RunState.SUCCEEDED)
    clock.advance(HOUR)
    limited.book(schedule)
    assert booked(runs)[-1].state is RunState.QUEUED


def test_a_firing_has_the_keys_and_the_priority_of_its_job_or_its_own(
    limited: Booking, runs: RunStore, clock: FakeClock
) -> None:
    group = refund.group_of({"wallet": 7})
    assert group is not None
    for schedule in (
        a_schedule(job="refund"),
        a_schedule(name="urgent", job="refund", params={"wallet": 8}, priority=0),
    ):
        limited.book(schedule)
        clock.advance(HOUR)
        limited.book(schedule)
    first, urgent = booked(runs)
    assert (first.limit_key, first.unique_key) == (group.key, refund.unique_key({}))
    assert urgent.limit_key != first.limit_key
    assert (first.priority, urgent.priority) == (5, 0)
