"""A worker that is told to stop finishes what fits its grace time and hands back the rest."""

import signal
from pathlib import Path

import pytest

from engine.states import RunState
from tests.builders.home import Home, signal_group
from tests.processes.waiting import noted, until

pytestmark = pytest.mark.process


def test_what_fits_the_grace_time_ends_and_the_rest_is_carried_out_by_the_next_worker(
    home: Home, tmp_path: Path
) -> None:
    pids = str(tmp_path / "pids")
    short = home.book("take_a_while", seconds=2, pids=pids)
    long = home.book("take_a_while", seconds=7, pids=pids)
    waiting = home.book("take_a_while", seconds=0, pids=pids)
    worker = home.start_worker("-w", "2", "--grace", "4")
    noted(tmp_path / "pids", 2)

    signal_group(worker, signal.SIGTERM)
    assert worker.wait(timeout=15) == 0
    assert home.runs.get(short.id).state is RunState.SUCCEEDED
    assert home.runs.get(waiting.id).attempt == 0
    handed_back = home.runs.get(long.id)
    assert handed_back.state is RunState.QUEUED
    assert handed_back.attempts_allowed == 2  # it was allowed one, and has had none

    home.start_worker("-w", "2")
    until(lambda: home.ended(long) and home.ended(waiting), within=20)
    assert home.runs.get(long.id).result == "slept"
    outcomes = [attempt.outcome for attempt in home.runs.attempts_of(long.id)]
    assert outcomes == ["handed_back", "succeeded"]


def test_a_second_signal_ends_the_worker_at_once(home: Home, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    home.book("take_a_while", seconds=60, pids=str(pids))
    worker = home.start_worker("-w", "1", "--grace", "60")
    (attempt,) = noted(pids, 1)
    worker.send_signal(signal.SIGINT)
    until(lambda: "drain" in home.said())
    worker.send_signal(signal.SIGINT)
    worker.wait(timeout=5)
    until(lambda: not Path(f"/proc/{attempt}").exists(), within=2)


def test_huey_consumer_drains_too(home: Home, tmp_path: Path) -> None:
    run = home.book("take_a_while", seconds=1, pids=str(tmp_path / "pids"))
    consumer = home.start_huey_consumer("-w", "4")
    noted(tmp_path / "pids", 1)
    signal_group(consumer, signal.SIGINT)
    assert consumer.wait(timeout=15) == 0
    assert home.runs.get(run.id).state is RunState.SUCCEEDED
