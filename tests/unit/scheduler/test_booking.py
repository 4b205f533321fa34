"""Booking: every firing is one row, a run or the reason why not, however many schedulers book."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.job import Job
from engine.registry import UnknownJob
from engine.scheduler.booking import Booking
from engine.schedules.interval import IntervalTrigger
from engine.schedules.schedule import Schedule
from engine.states import RunState
from engine.store.run import Run
from engine.store.runs import RunStore
from tests.builders.booking import a_claim, put_all_in
from tests.builders.clock import FakeClock
from tests.builders.doorbell import FakeDoorbell
from tests.builders.schedule import a_schedule

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
SIX = datetime(2020, 11, 24, 6, tzinfo=UTC)


def having_read(booking: Booking, at: datetime) -> Booking:
    """Another scheduler's booking, which read its schedules at this instant."""
    return replace(booking, read_at=at)


def booked(runs: RunStore) -> list[Run]:
    """Every firing's run, the oldest firing first."""
    return list(reversed(runs.newest(limit=100_000)))


def hours(runs: RunStore) -> list[int]:
    """The hours of the firings that have a row."""
    return [run.scheduled_for.hour for run in booked(runs) if run.scheduled_for]


def states(runs: RunStore) -> list[RunState]:
    """Their states."""
    return [run.state for run in booked(runs)]


def test_a_new_trigger_fires_from_now_on(
    booking: Booking, runs: RunStore, clock: FakeClock
) -> None:
    schedule = a_schedule()
    assert booking.book(schedule) == 0
    clock.advance(HOUR - SECOND)
    assert booking.book(schedule) == 0
    clock.advance(SECOND)
    assert booking.book(schedule) == 1
    assert hours(runs) == [7]


def test_a_firing_becomes_a_run_that_says_where_it_came_from(
    booking: Booking, runs: RunStore, clock: FakeClock, doorbell: FakeDoorbell
) -> None:
    schedule = a_schedule(
        job="export",
        queue="nightly",
        period="previous_day",
        params={"since": "${period.start}", "until": "${period.end}"},
    )
    booking.book(schedule)
    clock.advance(HOUR)
    booking.book(schedule)
    (run,) = booked(runs)
    assert (run.job, run.queue, run.actor, run.schedule) == (
        "export", "nightly", "schedule", "hourly",
    )  # fmt: skip
    assert run.scheduled_for == run.due_at == SIX + HOUR
    riyadh = ZoneInfo("Asia/Riyadh")
    day = (datetime(2020, 11, 23, tzinfo=riyadh), datetime(2020, 11, 24, tzinfo=riyadh))
    assert run.period == day
    assert [datetime.fromisoformat(run.params[name]) for name in ("since", "until")] == [*day]
    assert doorbell.messages == [("nightly", run.id)]


def test_other_changes_do_not_lose_a_firing(
    booking: Booking, runs: RunStore, clock: FakeClock
) -> None:
    booking.book(a_schedule())
    clock.advance(HOUR)
    changed = having_read(booking, clock.now())
    assert changed.book(a_schedule(params={"older_than_days": 5})) == 1
    assert booked(runs)[0].params == {"older_than_days": 5}


def test_latest_makes_up_for_one_firing_and_says_why_not_for_the_others(
    booking: Booking, runs: RunStore, clock: FakeClock
) -> None:
    schedule = a_schedule()
    booking.book(schedule)
    clock.advance(HOUR * 3 + MINUTE * 30)
    assert booking.book(schedule) == 3
    assert hours(runs) == [7, 8, 9]
    assert states(runs) == [RunState.SKIPPED, RunState.SKIPPED, RunState.QUEUED]
    assert [run.reason for run in booked(runs)] == [
        *["missed: no scheduler was running, and only the latest firing is made up for"] * 2,
        None,
    ]


def test_all_makes_up_for_every_firing_one_after_the_other(
    booking: Booking, runs: RunStore, clock: FakeClock
) -> None:
    schedule = a_schedule(missed="all")
    booking.book(schedule)
    clock.advance(HOUR * 3 + MINUTE * 30)
    booking.book(schedule)
    assert states(runs) == [RunState.QUEUED] * 3
    first, second, _ = booked(runs)
    a_claim(runs, first)
    assert runs.claim(second.id, "worker-2") is None


def test_skip_makes_up_for_nothing(booking: Booking, runs: RunStore, clock: FakeClock) -> None:
    schedule = a_schedule(missed="skip")
    booking.book(schedule)
    clock.advance(HOUR * 2 + MINUTE * 30)
    booking.book(schedule)
    assert states(runs) == [RunState.SKIPPED] * 2
    reason = "missed: no scheduler was running, and the schedule skips missed firings"
    assert {run.reason for run in booked(runs)} == {reason}


@pytest.mark.parametrize(("missed", "ran"), [("latest", [9]), ("all", [8, 9]), ("skip", [])])
def test_within_bounds_how_old_a_firing_may_be(
    booking: Booking, runs: RunStore, clock: FakeClock, missed: Any, ran: list[int]
) -> None:
    schedule = a_schedule(missed=missed, within=HOUR * 2)
    booking.book(schedule)
    clock.advance(HOUR * 3 + MINUTE * 30)
    booking.book(schedule)
    assert hours(runs) == [7, 8, 9]
    queued = [run for run in booked(runs) if run.state is RunState.QUEUED]
    assert [run.scheduled_for.hour for run in queued if run.scheduled_for] == ran
    if missed != "skip":
        assert booked(runs)[0].reason == (
            "missed: no scheduler was running, and it is older than 2:00:00"
        )


def test_a_latest_firing_that_is_too_old_is_not_made_up_for(
    booking: Booking, runs: RunStore, clock: FakeClock
) -> None:
    schedule = a_schedule(within=MINUTE * 10)
    booking.book(schedule)
    clock.advance(HOUR * 2 + MINUTE * 30)
    booking.book(schedule)
    assert states(runs) == [RunState.SKIPPED] * 2


@pytest.mark.parametrize("missed", ["latest", "all", "skip"])
def test_a_firing_seen_within_a_minute_was_not_missed(
    booking: Booking, runs: RunStore, clock: FakeClock, missed: Any
) -> None:
    schedule = a_schedule(missed=missed, within=SECOND)
    booking.book(schedule)
    clock.advance(HOUR + MINUTE)
    booking.book(schedule)
    assert states(runs) == [RunState.QUEUED]


def test_a_firing_beside_an_unfinished_run_is_skipped_with_its_reason(
    booking: Booking, runs: RunStore, clock: FakeClock
) -> None:
    schedule = a_schedule()
    booking.book(schedule)
    for _ in range(2):
        clock.advance(HOUR)
        booking.book(schedule)
    first, second = booked(runs)
    assert (first.state, second.state) == (RunState.QUEUED, RunState.SKIPPED)
    assert second.reason == f"overlap: run {first.reference} of this schedule had not ended"
    put_all_in(runs.database, RunState.SUCCEEDED)
    clock.advance(HOUR)
    booking.book(schedule)
    assert states(runs)[-1] is RunState.QUEUED


@pytest.mark.parametrize("overlap", ["queue", "allow"])
def test_a_firing_may_wait_for_or_run_beside_an_unfinished_one(
    booking: Booking, runs: RunStore, clock: FakeClock, overlap: Any
) -> None:
    schedule = a_schedule(overlap=overlap)
    booking.book(schedule)
    for _ in range(2):
        clock.advance(HOUR)
        booking.book(schedule)
    first, second = booked(runs)
    a_claim(runs, first)
    assert (runs.claim(second.id, "worker-2") is None) == (overlap == "queue")


def test_two_schedulers_book_each_firing_once(
    booking: Booking, runs: RunStore, clock: FakeClock, doorbell: FakeDoorbell
) -> None:
    late = FakeClock(SIX)
    other = replace(booking, clock=late)
    schedule = a_schedule(trigger=IntervalTrigger(SECOND * 7), overlap="allow")
    booking.book(schedule)
    for turn in range(60):
        clock.advance(SECOND * 5)
        if turn % 3:
            booking.book(schedule)
        other.book(schedule)
        late.advance(SECOND * 5)
        other.book(schedule)
    instants = [run.scheduled_for for run in booked(runs)]
    assert instants == list(schedule.trigger.firings(SIX, clock.now()))
    assert len(doorbell.messages) == len(instants)


def test_a_clock_that_goes_back_books_nothing_twice(
    booking: Booking, runs: RunStore, clock: FakeClock
) -> None:
    schedule = a_schedule()
    booking.book(schedule)
    clock.advance(HOUR * 2)
    booking.book(schedule)
    clock.advance(-HOUR * 2)
    assert booking.book(schedule) == 0
    clock.advance(HOUR * 3)
    assert booking.book(schedule) == 1
    assert hours(runs) == [7, 8, 9]


@pytest.mark.parametrize("count", [499, 500, 501, 1000, 1201])
def test_many_firings_are_booked_in_batches_without_a_gap(
    booking: Booking, runs: RunStore, clock: FakeClock, count: int
) -> None:
    schedule = a_schedule(trigger=IntervalTrigger(SECOND), missed="all")
    booking.book(schedule)
    clock.advance(SECOND * count)
    assert booking.book(schedule) == count
    assert booking.book(schedule) == 0
    expected = [SIX + SECOND * number for number in range(1, count + 1)]
    assert [run.scheduled_for for run in booked(runs)] == expected


def test_latest_is_the_latest_of_all_batches(
    booking: Booking, runs: RunStore, clock: FakeClock
) -> None:
    schedule = a_schedule(trigger=IntervalTrigger(MINUTE), overlap="allow")
    booking.book(schedule)
    clock.advance(MINUTE * 1200)
    booking.book(schedule)
    # The firing of this minute, and the one of the minute before, are on time.
    assert Counter(states(runs)) == {RunState.SKIPPED: 1198, RunState.QUEUED: 2}


def test_booking_that_is_cut_off_in_a_batch_goes_on_where_it_was(
    booking: Booking, runs: RunStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = a_schedule(trigger=IntervalTrigger(SECOND), missed="all")
    booking.book(schedule)
    clock.advance(SECOND * 1100)
    book_within = RunStore.book_within
    seen: list[Any] = []

    def book_until_killed(*arguments: Any) -> Any:
        seen.append(arguments)
        if len(seen) == 700:
            raise KeyboardInterrupt
        return book_within(*arguments)

    with monkeypatch.context() as killed:
        killed.setattr(RunStore, "book_within", book_until_killed)
        with pytest.raises(KeyboardInterrupt):
            booking.book(schedule)
    assert len(booked(runs)) == 500
    assert booking.book(schedule) == 600


def test_nothing_is_written_while_nothing_fires(
    booking: Booking, runs: RunStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = a_schedule()
    booking.book(schedule)
    monkeypatch.setattr(runs.database, "begin", None)
    clock.advance(MINUTE * 59)
    assert booking.book(schedule) == 0


def test_a_schedule_that_was_off_makes_up_for_nothing(
    booking: Booking, runs: RunStore, clock: FakeClock
) -> None:
    off = a_schedule(enabled=False)
    booking.book(off)
    clock.advance(HOUR * 5 + MINUTE * 30)
    assert booking.book(off) == 0
    on = having_read(booking, clock.now())
    assert on.book(a_schedule()) == 0
    clock.advance(MINUTE * 30)
    assert on.book(a_schedule()) == 1
    assert hours(runs) == [12]


@pytest.mark.parametrize("was_on", [True, False])
def test_turning_it_off_or_on_while_no_scheduler_runs_makes_up_for_nothing(
    booking: Booking, runs: RunStore, clock: FakeClock, was_on: bool
) -> None:
    booking.book(a_schedule(enabled=was_on))
    clock.advance(HOUR * 5)
    assert having_read(booking, clock.now()).book(a_schedule(enabled=not was_on)) == 0
    assert booked(runs) == []


def test_params_that_no_longer_fit_are_a_reason_not_an_error(
    booking: Booking, runs: RunStore, clock: FakeClock
) -> None:
    schedule = a_schedule(params={"older_then_days": 5})
    booking.book(schedule)
    clock.advance(HOUR)
    booking.book(schedule)
    (run,) = booked(runs)
    assert run.state is RunState.SKIPPED
    assert run.reason is not None
    assert run.reason.startswith("params: purge: older_then_days: no such parameter")


def test_a_job_that_is_gone_stops_the_booking_and_loses_no_firing(
    booking: Booking, runs: RunStore, clock: FakeClock
) -> None:
    schedule: Schedule = a_schedule()
    booking.book(schedule)
    clock.advance(HOUR)
    jobs: dict[str, Job] = {}
    with pytest.raises(UnknownJob):
        replace(booking, jobs=jobs).book(schedule)
    assert booking.book(schedule) == 1
