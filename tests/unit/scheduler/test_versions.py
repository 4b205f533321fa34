"""Versions of a schedule: the one read last is in force, and each firing of each is booked once."""

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from engine.registry import UnknownJob
from engine.scheduler.booking import Booking
from engine.schedules.interval import IntervalTrigger
from engine.schedules.schedule import Schedule
from engine.schedules.stored import UnreadableSchedule
from engine.states import RunState
from engine.store.run import Run
from engine.store.runs import RunStore
from engine.store.schedule_marks import ScheduleMark, all_marks, put_mark
from engine.store.tables import schedule_marks
from tests.builders.clock import FakeClock
from tests.builders.schedule import a_schedule

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
SIX = datetime(2020, 11, 24, 6, tzinfo=UTC)

EVERY_HOUR = a_schedule(overlap="allow")
HALF_PAST = a_schedule(
    overlap="allow", trigger=IntervalTrigger(HOUR, datetime(2000, 1, 1, 0, 30, tzinfo=UTC))
)


OTHER = replace(EVERY_HOUR, name="other")


def having_read(booking: Booking, at: datetime) -> Booking:
    """Another scheduler's booking, which read its schedules at this instant."""
    return replace(booking, read_at=at)


def booked(runs: RunStore) -> list[Run]:
    """Every firing's run, the oldest firing first."""
    return sorted(runs.newest(limit=100_000), key=lambda run: run.scheduled_for or SIX)


def times(runs: RunStore) -> list[str]:
    """The firings that have a row."""
    return [f"{run.scheduled_for:%H:%M}" for run in booked(runs)]


def test_a_new_trigger_fires_from_now_on(
    booking: Booking, runs: RunStore, clock: FakeClock
) -> None:
    booking.book(EVERY_HOUR)
    clock.advance(HOUR + MINUTE * 40)
    newer = having_read(booking, clock.now())
    # The old trigger's firing at seven was not booked by anybody yet.
    assert newer.book(HALF_PAST) == 1
    clock.advance(MINUTE * 50)
    assert newer.book(HALF_PAST) == 1
    assert times(runs) == ["07:00", "08:30"]


def test_what_the_trigger_before_owes_is_run_if_it_is_on_time_and_else_skipped(
    booking: Booking, runs: RunStore, clock: FakeClock
) -> None:
    booking.book(a_schedule(missed="all", overlap="allow"))
    clock.advance(HOUR * 2 + SECOND * 59)
    changed = replace(HALF_PAST, missed="all", params={"older_than_days": 5})
    assert having_read(booking, clock.now()).book(changed) == 2
    seven, eight = booked(runs)
    assert (seven.state, eight.state) == (RunState.SKIPPED, RunState.QUEUED)
    assert seven.reason == (
        "missed: no scheduler was running, and the schedule has been given another trigger since"
    )
    assert eight.params == {"older_than_days": 5}


def test_a_scheduler_that_read_an_older_version_books_by_the_newer_one(
    booking: Booking, runs: RunStore, clock: FakeClock
) -> None:
    booking.book(EVERY_HOUR)
    newer = having_read(booking, SIX + MINUTE)
    newer.book(replace(HALF_PAST, params={"older_than_days": 5}, queue="slow"))
    for _ in range(3):
        clock.advance(MINUTE * 30)
        booking.book(EVERY_HOUR)
    assert times(runs) == ["06:30", "07:30"]
    assert {(run.queue, run.params["older_than_days"]) for run in booked(runs)} == {("slow", 5)}


def test_a_version_that_was_read_before_the_one_in_force_is_not_put_in_force(
    booking: Booking, runs: RunStore, clock: FakeClock
) -> None:
    having_read(booking, SIX + SECOND).book(HALF_PAST)
    booking.book(EVERY_HOUR)
    clock.advance(HOUR)
    booking.book(EVERY_HOUR)
    assert times(runs) == ["06:30"]


def test_a_version_may_come_back(booking: Booking, runs: RunStore, clock: FakeClock) -> None:
    booking.book(EVERY_HOUR)
    for schedule in (HALF_PAST, EVERY_HOUR):
        clock.advance(MINUTE)
        having_read(booking, clock.now()).book(schedule)
    clock.advance(HOUR)
    # It reads as the one in force does, however long ago it was read.
    booking.book(EVERY_HOUR)
    having_read(booking, SIX + MINUTE).book(HALF_PAST)
    assert times(runs) == ["07:00"]


def test_a_version_that_was_read_again_is_not_replaced_by_what_was_read_before_that(
    booking: Booking, runs: RunStore, clock: FakeClock
) -> None:
    booking.book(EVERY_HOUR)
    slow = having_read(booking, SIX + SECOND)
    having_read(booking, SIX + SECOND * 2).begin([EVERY_HOUR, a_schedule(name="new")])
    slow.book(HALF_PAST)
    clock.advance(HOUR)
    booking.book(EVERY_HOUR)
    assert times(runs) == ["07:00"]


def test_new_schedules_begin_at_once_and_changed_ones_are_left_to_booking(
    booking: Booking, runs: RunStore, clock: FakeClock
) -> None:
    booking.begin([EVERY_HOUR])
    clock.advance(HOUR)
    changed = replace(HALF_PAST, name="hourly")
    newer = having_read(booking, clock.now())
    newer.begin([changed, replace(EVERY_HOUR, name="new")])
    assert newer.book(changed) == 1
    clock.advance(HOUR)
    assert newer.book(replace(EVERY_HOUR, name="new")) == 1
    assert [(run.schedule, f"{run.scheduled_for:%H:%M}") for run in booked(runs)] == [
        ("hourly", "07:00"),
        ("new", "08:00"),
    ]


def test_disabling_holds_for_those_that_read_the_file_before(
    booking: Booking, runs: RunStore, clock: FakeClock
) -> None:
    booking.book(EVERY_HOUR)
    having_read(booking, SIX + SECOND).book(replace(EVERY_HOUR, enabled=False))
    clock.advance(HOUR)
    assert booking.book(EVERY_HOUR) == 0
    assert booked(runs) == []


def test_a_schedule_that_was_removed_fires_no_more_whoever_read_it_before(
    booking: Booking, runs: RunStore, clock: FakeClock
) -> None:
    booking.begin([EVERY_HOUR, OTHER])
    newer = having_read(booking, SIX + SECOND)
    newer.begin([OTHER])
    assert newer.with_work([OTHER]) == []
    clock.advance(HOUR)
    for each in (EVERY_HOUR, OTHER):
        booking.book(each)
    assert [run.schedule for run in booked(runs)] == ["other"]
    # What is in neither file was let go by whoever read the later one.
    assert booking.with_work([]) == []
    clock.advance(HOUR)
    assert booking.book(OTHER) == 1


@pytest.mark.parametrize("days", [1, 40])
def test_a_schedule_that_comes_back_makes_up_for_nothing(
    booking: Booking, runs: RunStore, clock: FakeClock, days: int
) -> None:
    again = replace(EVERY_HOUR, missed="all")
    booking.book(again)
    having_read(booking, SIX + SECOND).with_work([])
    clock.advance(timedelta(days=days))
    # Forty days later nobody knows it any more.
    having_read(booking, clock.now()).with_work([])
    clock.advance(MINUTE)
    newer = having_read(booking, clock.now())
    newer.begin([again])
    assert newer.book(again) == 0
    clock.advance(HOUR)
    assert newer.book(again) == 1
    assert times(runs) == ["07:00"]
    with runs.database.read() as connection:
        assert set(all_marks(connection)) == {"hourly"}


def test_a_schedule_that_a_late_comer_began_is_let_go_in_the_next_round(
    booking: Booking, runs: RunStore, clock: FakeClock
) -> None:
    newer = having_read(booking, SIX + SECOND)
    newer.begin([])
    booking.begin([EVERY_HOUR])
    newer.with_work([])
    clock.advance(HOUR)
    assert booking.book(EVERY_HOUR) == 0
    assert booked(runs) == []


def test_a_mark_from_before_there_were_versions_keeps_its_place(
    booking: Booking, runs: RunStore, clock: FakeClock
) -> None:
    for name, fingerprint in (("hourly", EVERY_HOUR.trigger.fingerprint), ("other", "gone")):
        mark = ScheduleMark(schedule=name, fingerprint=fingerprint, booked_until=SIX - HOUR)
        with runs.database.begin() as connection:
            put_mark(connection, mark)
    clock.advance(SECOND)
    assert booking.book(EVERY_HOUR) == 1
    assert times(runs) == ["06:00"]
    assert booking.book(replace(EVERY_HOUR, name="other")) == 0


def test_a_version_that_cannot_be_read_here_is_replaced_by_a_newer_one_only(
    booking: Booking, runs: RunStore, clock: FakeClock
) -> None:
    newer = having_read(booking, SIX + SECOND)
    newer.book(EVERY_HOUR)
    with runs.database.begin() as connection:
        changed = {"definition": {"job": "purge", "jitter": "5m"}, "version": "of the future"}
        connection.execute(update(schedule_marks).values(changed))
    clock.advance(HOUR)
    with pytest.raises(UnreadableSchedule, match="the stored schedule 'hourly' cannot be read"):
        booking.book(EVERY_HOUR)
    newest = having_read(booking, SIX + SECOND * 2)
    # The trigger is the same, so nothing that has fired is lost.
    assert newest.book(EVERY_HOUR) == 1


def test_a_job_that_only_newer_code_has_is_left_to_newer_code(
    booking: Booking, runs: RunStore, clock: FakeClock
) -> None:
    newer = having_read(booking, SIX + SECOND)
    changed = replace(EVERY_HOUR, job="reconcile", params={"definition": "wallets"})
    newer.book(changed)
    clock.advance(HOUR)
    with pytest.raises(UnknownJob):
        replace(booking, jobs={"purge": booking.jobs["purge"]}).book(EVERY_HOUR)
    assert newer.book(changed) == 1
    assert booked(runs)[0].job == "reconcile"


def test_only_schedules_with_work_are_looked_at(booking: Booking, clock: FakeClock) -> None:
    hourly, other = EVERY_HOUR, replace(HALF_PAST, name="other")
    assert booking.with_work([hourly, other]) == [hourly, other]
    for each in (hourly, other):
        booking.book(each)
    assert booking.with_work([hourly, other]) == []
    clock.advance(MINUTE * 30)
    assert booking.with_work([hourly, other]) == [other]
    assert booking.with_work([replace(hourly, queue="slow")]) == [replace(hourly, queue="slow")]


@pytest.mark.parametrize("seed", range(20))
def test_every_firing_of_every_version_is_booked_once_whoever_books(
    booking: Booking, runs: RunStore, clock: FakeClock, seed: int
) -> None:
    """Schedulers come and go with what they read; the file is edited, or empty, meanwhile."""
    chance = random.Random(seed)  # noqa: S311 - a test's choices
    file: Schedule | None = a_version(0)
    schedulers: list[tuple[Booking, Schedule | None]] = []
    expected: list[datetime] = []
    in_force: Schedule | None = None
    since = clock.now()
    edits = 0
    for _ in range(400):
        clock.advance(SECOND * chance.choice((0.1, 0.5, 1, 3)))
        happens = chance.random()
        if happens < 0.05:
            edits += 1
            file = a_version(edits if chance.random() < 0.8 else chance.randrange(edits))
            file = None if chance.random() < 0.2 else file
        elif happens < 0.25 or not schedulers:
            if len(schedulers) == 3:
                schedulers.pop(chance.randrange(3))
            for other, read in schedulers:
                # Nothing is owed, which a schedule that goes would take with it.
                book(other, read)
            scheduler = having_read(booking, clock.now())
            scheduler.begin([file] if file else [])
            schedulers.append((scheduler, file))
            if in_force != file:
                if in_force is not None:
                    expected += in_force.trigger.firings(since, clock.now())
                in_force, since = file, clock.now()
            book(scheduler, file)
        else:
            book(*chance.choice(schedulers))
    for scheduler, read in schedulers:
        book(scheduler, read)
    if in_force is not None:
        expected += in_force.trigger.firings(since, clock.now())
    assert edits > 5
    found = Counter(run.scheduled_for for run in booked(runs))
    assert found == Counter(expected)
    assert set(found.values()) <= {1}


def book(scheduler: Booking, read: Schedule | None) -> None:
    """A scheduler's round: by what it read, be that nothing."""
    for each in scheduler.with_work([read] if read else []):
        scheduler.book(each)


def a_version(number: int) -> Schedule:
    """One with firings of its own, some of which other versions have too."""
    trigger = IntervalTrigger(SECOND * (1 + number % 4), SIX + SECOND * (number % 3) / 2)
    return a_schedule(trigger=trigger, overlap="allow", params={"older_than_days": number})
