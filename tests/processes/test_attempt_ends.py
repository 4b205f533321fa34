"""However an attempt ends, nothing of it is left and its end says why."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from engine.execution.orders import Cause, StopReason
from engine.worker.fork_server import ForkServer
from tests.builders.orders import an_order
from tests.processes.waiting import all_gone, is_gone, noted, until

pytestmark = pytest.mark.process

MIB = 1024 * 1024


def test_an_outcome_is_delivered_as_it_was_given(fork_server: ForkServer) -> None:
    value = {"rows": 3, "text": "é\n\0 ﷼", "none": None}
    end = fork_server.run(an_order("deliver", value=value))
    assert (end.cause, end.outcome, end.error) == (Cause.FINISHED, value, None)
    assert (end.exit_code, end.signal, end.killed) == (0, None, 0)
    assert end.duration < timedelta(seconds=5)
    assert end.peak_memory_bytes


def test_a_large_outcome_is_delivered_whole(fork_server: ForkServer) -> None:
    value = ["x" * 1000] * 5000
    assert fork_server.run(an_order("deliver", value=value)).outcome == value


def test_an_outcome_beyond_the_limit_is_refused_by_name(fork_server: ForkServer) -> None:
    said: list[str] = []
    end = fork_server.run(
        an_order("deliver_bytes", bytes=20_000_000),
        on_lines=lambda lines: said.extend(line.text for line in lines),
    )
    assert end.cause is Cause.CRASHED
    assert any("OutcomeTooLarge" in line for line in said)


def test_the_time_limit_ends_an_attempt_that_does_everything_to_stay(
    fork_server: ForkServer, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    order = an_order("refuse_to_die", time_limit=0.6, grace=0.3, pids=str(pids))
    end = fork_server.run(order)
    assert len(noted(pids, 4)) == 4
    assert all_gone(noted(pids, 4))
    assert end.cause is Cause.TIME_LIMIT
    assert end.error == (
        "the time limit of 0.6 s passed; the attempt and 3 other processes were killed"
    )
    assert end.signal == signal.SIGKILL
    assert timedelta(seconds=0.9) <= end.duration < timedelta(seconds=1.9)


def test_an_attempt_that_stops_when_asked_to_is_not_killed(
    fork_server: ForkServer, tmp_path: Path
) -> None:
    pids = str(tmp_path / "pids")
    end = fork_server.run(an_order("finish_when_asked", time_limit=0.3, pids=pids))
    assert (end.cause, end.outcome) == (Cause.TIME_LIMIT, "tidied up")
    assert end.error == "the time limit of 0.3 s passed; the attempt stopped"
    assert end.duration < timedelta(seconds=3)


def test_a_suspended_attempt_is_ended_by_its_time_limit(
    fork_server: ForkServer, tmp_path: Path
) -> None:
    pids = str(tmp_path / "pids")
    end = fork_server.run(an_order("stop_itself", time_limit=0.3, grace=0.2, pids=pids))
    assert end.cause is Cause.TIME_LIMIT
    assert end.duration < timedelta(seconds=2)


def test_the_memory_of_a_grandchild_counts(fork_server: ForkServer, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    end = fork_server.run(
        an_order(
            "eat_memory_in_a_grandchild",
            memory_limit=100 * MIB,
            grace=0.3,
            pids=str(pids),
            bytes=150 * MIB,
        )
    )
    assert all_gone(noted(pids, 2))
    assert end.cause is Cause.MEMORY_LIMIT
    assert end.error is not None
    assert "the memory limit of 100 MiB was exceeded: the attempt's processes used" in end.error
    assert end.peak_memory_bytes is not None
    assert 100 * MIB < end.peak_memory_bytes < 220 * MIB


def test_a_runaway_gets_no_grace(fork_server: ForkServer, tmp_path: Path) -> None:
    end = fork_server.run(
        an_order(
            "eat_memory_in_a_grandchild",
            memory_limit=40 * MIB,
            grace=60,
            pids=str(tmp_path / "pids"),
            bytes=150 * MIB,
        )
    )
    assert end.cause is Cause.MEMORY_LIMIT
    assert end.duration < timedelta(seconds=10)


def test_memory_used_only_for_a_moment_is_in_the_peak(fork_server: ForkServer) -> None:
    end = fork_server.run(an_order("use_memory_for_a_moment", bytes=80 * MIB))
    assert end.peak_memory_bytes is not None
    assert 80 * MIB < end.peak_memory_bytes < 120 * MIB


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        (StopReason.CANCELLED, "cancelled while it ran"),
        (StopReason.HANDED_BACK, "handed back because the worker shuts down"),
    ],
)
def test_a_stopped_attempt_has_its_grace(
    fork_server: ForkServer, tmp_path: Path, reason: StopReason, sentence: str
) -> None:
    order = an_order("finish_when_asked", pids=str(tmp_path / "pids"))
    with ThreadPoolExecutor() as threads:
        ending = threads.submit(fork_server.run, order)
        noted(tmp_path / "pids", 1)
        assert fork_server.stop(order.id, reason) is True
        end = ending.result(timeout=10)
    assert (end.cause, end.reason, end.outcome) == (Cause.STOPPED, reason, "tidied up")
    assert end.error == f"{sentence}; the attempt stopped"
    assert fork_server.stop(order.id, reason) is False


def test_an_attempt_without_its_lease_is_killed_at_once(
    fork_server: ForkServer, tmp_path: Path
) -> None:
    order = an_order("finish_when_asked", pids=str(tmp_path / "pids"), grace=60)
    with ThreadPoolExecutor() as threads:
        ending = threads.submit(fork_server.run, order)
        noted(tmp_path / "pids", 1)
        assert fork_server.stop(order.id, StopReason.LEASE_LOST)
        end = ending.result(timeout=10)
    assert (end.cause, end.reason) == (Cause.STOPPED, StopReason.LEASE_LOST)
    assert end.outcome is None


def test_an_attempt_is_killed_when_its_worker_says_nothing_of_its_lease(
    fork_server: ForkServer, tmp_path: Path
) -> None:
    order = an_order("refuse_to_die", pids=str(tmp_path / "pids"), grace=60, fuse=1.5)
    end = fork_server.run(order)
    assert all_gone(noted(tmp_path / "pids", 4))
    assert (end.cause, end.reason) == (Cause.STOPPED, StopReason.LEASE_LOST)
    assert timedelta(seconds=1.5) <= end.duration < timedelta(seconds=3)


def test_an_attempt_goes_on_while_its_worker_renews_the_lease(
    fork_server: ForkServer, tmp_path: Path
) -> None:
    order = an_order("refuse_to_die", pids=str(tmp_path / "pids"), fuse=1)
    with ThreadPoolExecutor() as threads:
        ending = threads.submit(fork_server.run, order)
        noted(tmp_path / "pids", 1)
        for _ in range(4):
            assert fork_server.prolong(order.id, timedelta(seconds=1)) is True
            time.sleep(0.5)
        end = ending.result(timeout=10)
    assert timedelta(seconds=2.5) <= end.duration < timedelta(seconds=4)
    assert fork_server.prolong(order.id, timedelta(seconds=1)) is False


def test_an_attempt_that_comes_too_late_is_killed_at_once(fork_server: ForkServer) -> None:
    end = fork_server.run(an_order("finish_when_asked", pids="/dev/null", fuse=-1))
    assert (end.cause, end.reason) == (Cause.STOPPED, StopReason.LEASE_LOST)
    assert end.signal == signal.SIGKILL
    assert end.error == "the worker no longer held the lease of the run; the attempt was killed"


def test_a_stop_right_after_the_start_is_not_lost(fork_server: ForkServer) -> None:
    with ThreadPoolExecutor() as threads:
        orders = [an_order("sleep", grace=30) for _ in range(5)]
        endings = [threads.submit(fork_server.run, order) for order in orders]
        for order in orders:
            until(lambda order=order: fork_server.stop(order.id, StopReason.CANCELLED))  # type: ignore[misc]
        ends = [ending.result(timeout=10) for ending in endings]
    assert {end.signal for end in ends} == {signal.SIGTERM}


def test_an_attempt_that_ends_by_itself_leaves_nobody_behind(
    fork_server: ForkServer, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    end = fork_server.run(an_order("leave_grandchildren", pids=str(pids)))
    assert (end.cause, end.outcome, end.killed) == (Cause.FINISHED, "left some", 3)
    assert all_gone(noted(pids, 3))


def test_a_crash_says_the_signal_and_what_was_left(fork_server: ForkServer, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    end = fork_server.run(an_order("leave_grandchildren", pids=str(pids), crash=True))
    assert (end.cause, end.signal) == (Cause.CRASHED, signal.SIGKILL)
    assert end.error == (
        "killed by signal 9 (SIGKILL), not by the engine; the machine may have run out of "
        "memory; 3 other processes it left behind were killed"
    )
    assert all_gone(noted(pids, 3))


def test_a_segmentation_fault_is_a_crash_whose_lines_show_where(fork_server: ForkServer) -> None:
    said: list[str] = []
    end = fork_server.run(
        an_order("crash"), on_lines=lambda lines: said.extend(line.text for line in lines)
    )
    assert (end.cause, end.signal) == (Cause.CRASHED, signal.SIGSEGV)
    assert end.error == "killed by signal 11 (SIGSEGV)"
    assert any("in _crash" in line for line in said)


@pytest.mark.parametrize(("leaving", "code"), [(7, 7), ("words", 1)])
def test_leaving_without_an_outcome_is_a_crash(
    fork_server: ForkServer, leaving: int | str, code: int
) -> None:
    end = fork_server.run(an_order("exit", code=leaving))
    assert (end.cause, end.exit_code) == (Cause.CRASHED, code)
    assert end.error == f"the process ended with exit code {code} before the job had an outcome"


def test_what_an_attempt_raises_is_in_its_lines(fork_server: ForkServer) -> None:
    said: list[str] = []
    end = fork_server.run(
        an_order("raise"), on_lines=lambda lines: said.extend(line.text for line in lines)
    )
    assert (end.cause, end.exit_code) == (Cause.CRASHED, 1)
    assert "RuntimeError: this is wrong" in said


def test_a_fork_that_returns_from_the_job_speaks_for_nobody(fork_server: ForkServer) -> None:
    for _ in range(10):
        end = fork_server.run(an_order("fork_and_come_back"))
        assert (end.cause, end.outcome) == (Cause.FINISHED, "parent")


def test_an_outcome_stands_when_the_process_lingers(fork_server: ForkServer) -> None:
    end = fork_server.run(an_order("linger_at_exit", grace=0.3))
    assert (end.cause, end.outcome, end.error) == (Cause.FINISHED, "done", None)
    assert end.duration < timedelta(seconds=3)


def test_a_daemon_lives_as_long_as_its_attempt(fork_server: ForkServer, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    order = an_order("daemonize_and_go_on", pids=str(pids))
    with ThreadPoolExecutor() as threads:
        ending = threads.submit(fork_server.run, order)
        (daemon,) = noted(pids, 1)
        fork_server.run(an_order("deliver"))
        assert not is_gone(daemon)
        fork_server.stop(order.id, StopReason.CANCELLED)
        end = ending.result(timeout=10)
    assert is_gone(daemon)
    assert end.killed == 1
    assert end.error == "cancelled while it ran; the attempt stopped and 1 other process was killed"


def test_an_attempt_is_a_clean_process_of_its_own(own_fork_server: ForkServer) -> None:
    with ThreadPoolExecutor() as threads:
        other = an_order("sleep")
        ending = threads.submit(own_fork_server.run, other)
        outcome = own_fork_server.run(an_order("tell_of_itself")).outcome
        own_fork_server.stop(other.id, StopReason.LEASE_LOST)
        ending.result(timeout=10)
    kinds = [name.partition(":")[0] for name in outcome["files"]]
    assert kinds == ["/dev/null", "pipe", "pipe", "pipe", "pipe"]
    assert outcome["leads"] is True
    assert outcome["default"] is True
    assert outcome["blocked"] == 0
    assert outcome["parent"] == own_fork_server.pid != os.getpid()
