"""Any number of schedulers book each firing once."""

import signal
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from engine.store.run import Run
from tests.builders.home import Home
from tests.processes.waiting import until

pytestmark = pytest.mark.process

EVERY = timedelta(seconds=2)
SCHEDULES = """
schedules:
  often:
    job: tick
    every: 2s
    overlap: allow
"""


@pytest.mark.parametrize("firings", [pytest.param(8), pytest.param(30, marks=pytest.mark.soak)])
def test_two_schedulers_book_every_firing_once(home: Home, firings: int) -> None:
    (home.folder / "schedules.yaml").write_text(SCHEDULES)
    schedulers = [home.start("scheduler"), home.start("scheduler")]
    # A trigger that is new to the ledger fires from then on.
    until(lambda: home.runs.newest(schedule="often"), within=20)
    begin = home.runs.newest(schedule="often")[-1].scheduled_for
    assert begin is not None
    end = begin + EVERY * (firings - 1)
    until(lambda: datetime.now(UTC) > end + timedelta(seconds=1), within=firings * 2 + 5)
    for scheduler in schedulers:
        scheduler.send_signal(signal.SIGTERM)
    assert [scheduler.wait(timeout=10) for scheduler in schedulers] == [0, 0]

    booked = sorted(_instants(home.runs.newest(schedule="often", limit=1000)))
    assert booked[:firings] == [begin + EVERY * number for number in range(firings)]
    assert len(set(booked)) == len(booked)


def test_a_scheduler_that_returns_makes_up_for_the_latest_firing(home: Home) -> None:
    (home.folder / "schedules.yaml").write_text(SCHEDULES)
    first = home.start("scheduler")
    until(lambda: home.runs.newest(schedule="often"), within=20)
    first.kill()
    first.wait()
    gap_from = home.runs.newest(schedule="often")[0].scheduled_for
    time.sleep(EVERY.total_seconds() * 2)
    home.start("scheduler")
    until(lambda: len(home.runs.newest(schedule="often")) >= 4, within=20)
    booked = sorted(_instants(home.runs.newest(schedule="often")))
    assert gap_from is not None
    assert gap_from + EVERY in booked
    assert gap_from + EVERY * 2 in booked


def _instants(runs: Sequence[Run]) -> list[datetime]:
    return [run.scheduled_for for run in runs if run.scheduled_for is not None]
