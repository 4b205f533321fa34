"""However a job refuses to end, it ends, grandchildren included, and its run says why."""

import signal
import time
from pathlib import Path

import pytest

from engine.execution.executor import KILL_GRACE
from engine.states import RunState
from engine.store.run import Run
from tests.builders.home import Home, kill, signal_group
from tests.processes.waiting import all_gone, noted, until

pytestmark = pytest.mark.process

GRACE = KILL_GRACE.total_seconds()
# What a busy machine may add to a limit.
SLACK = 1.5


@pytest.fixture
def pids(tmp_path: Path) -> Path:
    """Where the processes of the job note themselves."""
    return tmp_path / "pids"


def test_a_time_limit_ends_a_job_that_does_everything_to_stay(home: Home, pids: Path) -> None:
    home.start_worker("-w", "1")
    run = home.book("outstay", pids=str(pids))
    processes = noted(pids, 3)
    begun_at = time.monotonic()
    until(lambda: all_gone(processes), within=1.5 + GRACE + SLACK)
    assert time.monotonic() - begun_at > 1
    assert _error(home, run) == (
        "TimeLimitExceeded",
        "the time limit of 1.5 s passed; the attempt and 2 other processes were killed",
    )


def test_a_grandchild_that_eats_memory_ends_the_attempt(home: Home, pids: Path) -> None:
    home.start_worker("-w", "1")
    run = home.book("eat_memory", pids=str(pids))
    processes = noted(pids, 2)
    until(lambda: all_gone(processes), within=1 + GRACE + SLACK)
    kind, message = _error(home, run)
    assert kind == "MemoryLimitExceeded"
    assert "the memory limit of 150 MiB was exceeded: the attempt's processes used" in message


def test_a_worker_killed_takes_its_attempts_along(home: Home, pids: Path) -> None:
    worker = home.start_worker("-w", "1")
    run = home.book("refuse_to_die", pids=str(pids))
    processes = noted(pids, 3)
    kill(worker)
    until(lambda: all_gone(processes), within=2)
    home.start_worker("-w", "1")
    until(lambda: home.ended(run), within=20)
    kind, message = _error(home, run)
    assert kind == "WorkerLost"
    assert message.startswith("worker lost: ")


@pytest.mark.parametrize("grace", [0, 1])
def test_a_worker_whose_group_is_told_to_stop_ends_its_attempts(
    home: Home, pids: Path, grace: int
) -> None:
    worker = home.start_worker("-w", "1", "--grace", str(grace))
    run = home.book("refuse_to_die", pids=str(pids))
    processes = noted(pids, 3)
    signal_group(worker, signal.SIGTERM)
    until(lambda: all_gone(processes), within=grace + 2)
    assert worker.wait(timeout=10) == 0
    handed_back = home.runs.get(run.id)
    assert handed_back.state is RunState.QUEUED
    (attempt,) = home.runs.attempts_of(run.id)
    assert attempt.outcome == "handed_back"
    assert _error(home, run) == (
        "HandedBack",
        "handed back because the worker shuts down; the attempt and 2 other processes were killed",
    )


def _error(home: Home, run: Run) -> tuple[str, str]:
    """What the run says of its end, once the worker has written it down."""
    until(lambda: home.runs.get(run.id).error is not None)
    error = home.json("runs", "show", run.reference)["error"]
    return error["type"], error["message"]
