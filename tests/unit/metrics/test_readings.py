"""Readings: shared, fresh, and never waited for long."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.metrics.reading import Reading
from engine.metrics.readings import Readings
from engine.store.attempt_sums import Sums
from engine.store.database import LedgerUnreachable

SOON = 30.0


def a_reading(seconds: float = 0.0) -> Reading:
    """Of an empty ledger."""
    return Reading(
        ledger="sqlite",
        queues={},
        paused=set(),
        untouched=0,
        processes=[],
        sums=Sums(attempts={}, retries={}, durations={}, booked={}, skipped={}),
        events={},
        open_breaks={},
        seconds=seconds,
    )


class Ledger:
    """Counts how often it is read; it can be away, silent until it is let go, or broken."""

    def __init__(self) -> None:
        self.read_times = 0
        self.error: Exception | None = None
        self.answers = threading.Event()
        self.answers.set()

    def read(self) -> Reading:
        """What was asked for."""
        self.read_times += 1
        assert self.answers.wait(SOON)
        if self.error is not None:
            raise self.error
        return a_reading(self.read_times)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def test_a_fresh_reading_is_not_made_again(ledger: Ledger) -> None:
    readings = Readings(ledger.read, fresh_for=SOON, patience=SOON)
    assert readings.newest() == readings.newest() == a_reading(1)


def test_an_old_reading_is_made_again(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr("engine.metrics.readings.elapsed", lambda: now)
    readings = Readings(ledger.read, fresh_for=3, patience=SOON)
    assert readings.newest() == a_reading(1)
    now += 3.1
    assert readings.newest() == a_reading(2)


def test_who_asks_at_once_shares_one_reading(ledger: Ledger) -> None:
    readings = Readings(ledger.read, fresh_for=SOON, patience=SOON)
    ledger.answers.clear()
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(readings.newest) for _ in range(4)]
        ledger.answers.set()
        assert [each.result() for each in asked] == 4 * [a_reading(1)]
    assert ledger.read_times == 1


def test_a_ledger_that_is_silent_is_not_waited_for_and_is_asked_once(ledger: Ledger) -> None:
    readings = Readings(ledger.read, fresh_for=SOON, patience=0.01)
    ledger.answers.clear()
    assert [readings.newest() for _ in range(3)] == [None, None, None]
    assert ledger.read_times == 1
    ledger.answers.set()
    assert _patient(readings).newest() == a_reading(1)


def _patient(readings: Readings) -> Readings:
    """The same ones, for somebody who waits."""
    readings._patience = SOON
    return readings


def test_a_ledger_that_is_away_is_asked_at_each_scrape_and_found_again(ledger: Ledger) -> None:
    readings = Readings(ledger.read, fresh_for=SOON, patience=SOON)
    ledger.error = LedgerUnreachable(url="sqlite:///engine.db", error="gone")
    assert [readings.newest(), readings.newest()] == [None, None]
    ledger.error = None
    assert readings.newest() == a_reading(3)


def test_a_mistake_of_ours_is_logged_and_no_end_of_it(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    readings = Readings(ledger.read, fresh_for=SOON, patience=SOON)
    ledger.error = ValueError("a bug")
    with caplog.at_level(logging.ERROR, "engine.metrics"):
        assert readings.newest() is None
    assert [line.message for line in caplog.records] == ["the ledger could not be read for metrics"]
    ledger.error = None
    assert readings.newest() is not None


def test_a_reading_can_be_begun_before_anybody_asks(ledger: Ledger) -> None:
    readings = Readings(ledger.read, fresh_for=SOON, patience=SOON)
    readings.prepare()
    readings.prepare()
    assert readings.newest() == a_reading(1)
