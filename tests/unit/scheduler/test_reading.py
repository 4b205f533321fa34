"""Reading the file: the instant that is told is one at which it held what was read."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from engine.documents.problem import InvalidDocument
from engine.scheduler.booking import Booking
from engine.scheduler.reading import ReadingClock, read_schedules
from engine.schedules.schedule import Schedule
from engine.store.runs import RunStore
from tests.builders.clock import FakeClock
from tests.builders.schedule import a_schedule, schedules_in

SECOND = timedelta(seconds=1)


def test_a_file_that_is_edited_while_it_is_read_is_read_again(tmp_path: Path) -> None:
    file, clock = tmp_path / "schedules.yaml", FakeClock()
    text = "schedules:\n  hourly: {{job: purge, every: {}h}}\n"
    file.write_text(text.format(1))
    begun_at = clock.now()
    hours = [2, 3]

    def load() -> Mapping[str, Schedule]:
        loaded = schedules_in(file)
        if hours:
            file.write_text(text.format(hours.pop(0)))
        clock.advance(SECOND)
        return loaded

    schedules, read_at = read_schedules(load, file, clock)
    assert str(schedules["hourly"].trigger) == "every 3h"
    assert read_at == begun_at + SECOND * 3


def test_a_file_that_is_not_there_is_the_loaders_to_complain_about(tmp_path: Path) -> None:
    file = tmp_path / "schedules.yaml"
    with pytest.raises(InvalidDocument, match="there is no such file"):
        read_schedules(lambda: schedules_in(file), file, FakeClock())


def test_a_file_that_is_read_after_the_clock_was_set_back_counts_at_once(
    booking: Booking, runs: RunStore, clock: FakeClock
) -> None:
    reading = ReadingClock(runs.database, clock)
    assert reading.now() == clock.now()
    hourly = a_schedule()
    booking.begin([hourly])
    clock.advance(SECOND)
    assert reading.now() == clock.now()
    clock.advance(-SECOND * 1000)
    edited = a_schedule(enabled=False)
    newer = replace(booking, read_at=reading.now())
    assert newer.read_at > booking.read_at
    newer.book(edited)
    clock.advance(SECOND * 4000)
    assert booking.book(hourly) == 0
    assert reading.now() == clock.now()
