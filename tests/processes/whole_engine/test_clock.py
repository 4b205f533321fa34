"""Clocks that are wrong, or are set while work goes on: nothing fires twice, no lease is lost."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.states import RunState
from tests.builders.home import ROOT, Home, kill
from tests.builders.wrong_clock import WrongClock
from tests.processes.waiting import noted, until
from tests.processes.whole_engine.rows import book_a_row, rows

pytestmark = pytest.mark.process

HOUR = timedelta(hours=1)
EVERY = timedelta(seconds=2)
SCHEDULES = "schedules:\n  often: {job: tick, every: 2s, overlap: allow, missed: skip}\n"
# Beyond a lease of ten seconds, whichever way it is counted.
LONGER_THAN_A_LEASE = 14


@pytest.fixture
def clock(tmp_path: Path) -> WrongClock:
    """The clock of processes that are started by it."""
    return WrongClock(tmp_path / "clock")


def test_a_clock_set_back_an_hour_fires_nothing_twice_and_loses_no_lease(
    home: Home, clock: WrongClock
) -> None:
    (home.folder / "schedules.yaml").write_text(SCHEDULES)
    home.more = clock.environment(str(ROOT))
    run = book_a_row(home, seconds=LONGER_THAN_A_LEASE)
    workers = [home.start_worker("-w", "1"), home.start_worker("-w", "1")]
    home.start("scheduler")
    noted(home.folder / "pids", 1)
    until(lambda: len(firings(home)) >= 2, within=20)

    clock.set(-HOUR)
    time.sleep(1)
    before = firings(home)
    until(lambda: home.ended(run), within=40)
    assert home.runs.get(run.id).state is RunState.SUCCEEDED
    assert home.runs.get(run.id).attempt == 1
    assert rows(home) == 1
    # Who dies now is found dead now, and not in an hour.
    doomed = book_a_row(home, 1, seconds=60, due_at=datetime.now(UTC) - HOUR * 2)
    (holder,) = until(lambda: [each for each in workers if home.holds_runs(each)], within=20)
    kill(holder)
    until(lambda: home.runs.get(doomed.id).attempt == 2, within=30)
    assert firings(home) == before

    clock.set(timedelta())
    until(lambda: len(firings(home)) >= len(before) + 8, within=40)
    every_firing_once(home)


def test_who_is_dead_when_the_clock_is_set_back_an_hour_is_found_dead_now(
    home: Home, clock: WrongClock
) -> None:
    home.more = clock.environment(str(ROOT))
    run = book_a_row(home, seconds=4)
    holder = home.start_worker("-w", "1")
    noted(home.folder / "pids", 1)
    kill(holder)
    clock.set(-HOUR)
    assert home.runs.get(run.id).state is RunState.RUNNING
    home.start_worker("-w", "1")
    until(lambda: home.ended(run), within=40)
    assert home.runs.get(run.id).state is RunState.SUCCEEDED
    assert [each.outcome for each in home.runs.attempts_of(run.id)] == ["lost", "succeeded"]
    assert rows(home) == 1


def test_a_clock_set_forward_an_hour_ends_leases_and_doubles_nothing(
    home: Home, clock: WrongClock
) -> None:
    (home.folder / "schedules.yaml").write_text(SCHEDULES)
    home.more = clock.environment(str(ROOT))
    run = book_a_row(home, seconds=5)
    for _ in range(2):
        home.start_worker("-w", "1")
    home.start("scheduler")
    noted(home.folder / "pids", 1)
    until(lambda: len(firings(home)) >= 2, within=20)

    clock.set(HOUR)
    until(lambda: home.ended(run), within=40)
    assert home.runs.get(run.id).state is RunState.SUCCEEDED
    assert rows(home) == 1
    until(lambda: len(firings(home)) > HOUR / EVERY, within=60)
    every_firing_once(home)


@pytest.mark.parametrize("ahead", [-HOUR, HOUR])
def test_a_machine_whose_clock_is_wrong_books_and_carries_out_by_the_ledgers_clock(
    postgres_home: Home, clock: WrongClock, ahead: timedelta
) -> None:
    home = postgres_home
    (home.folder / "schedules.yaml").write_text(SCHEDULES)
    clock.set(ahead)
    home.more = clock.environment(str(ROOT))
    run = book_a_row(home, seconds=LONGER_THAN_A_LEASE)
    home.start("scheduler")
    home.start_worker("-w", "2")
    until(lambda: len(firings(home)) >= 3, within=40)
    # Another one, whose clock is right.
    home.more = {}
    home.start("scheduler")
    before = len(firings(home))
    clock.set(-ahead)
    until(lambda: home.ended(run), within=60)
    until(lambda: len(firings(home)) >= before + 3, within=20)
    assert home.runs.get(run.id).attempt == 1
    assert rows(home) == 1
    every_firing_once(home)
    for each in home.runs.newest(schedule="often", limit=1000):
        assert timedelta() <= each.created_at - each.due_at < timedelta(seconds=40)
        assert each.state is not RunState.SKIPPED


def every_firing_once(home: Home) -> None:
    """No firing is missing between the first and the last one, and none is there twice."""
    found = firings(home)
    count = (found[-1] - found[0]) // EVERY + 1
    assert found == [found[0] + EVERY * number for number in range(count)]


def firings(home: Home) -> list[datetime]:
    """What is booked, in order."""
    runs = home.runs.newest(schedule="often", limit=10_000)
    return sorted(run.scheduled_for for run in runs if run.scheduled_for is not None)
