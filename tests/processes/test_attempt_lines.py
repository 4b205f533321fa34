"""What an attempt writes arrives, bounded, and no attempt can drown another."""

import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.attempt import tree
from engine.execution.memory import proportional_memory
from engine.execution.orders import (
    AttemptEnd,
    Cause,
    Line,
    Lines,
    Prepare,
    Progress,
    Ready,
    StopReason,
    Stream,
    decode,
    encode,
)
from engine.worker.fork_server import ForkServer
from tests.builders.orders import an_order
from tests.processes.waiting import until

pytestmark = pytest.mark.process


def test_lines_and_progress_arrive_before_the_end(fork_server: ForkServer) -> None:
    lines: list[Line] = []
    progress: list[Progress] = []
    order = an_order("speak")
    end = fork_server.run(order, on_lines=lines.extend, on_progress=progress.append)
    assert end.cause is Cause.FINISHED
    assert {(line.stream, line.text) for line in lines} == {
        (Stream.STDOUT, "to stdout"),
        (Stream.STDERR, "to stderr"),
        (Stream.LOG, "a record\nof two lines"),
        (Stream.STDOUT, "not \\xff UTF-8, a \\0 and no end"),
    }
    assert progress[-1] == Progress(id=order.id, done=2, total=4, note="half")
    assert all(abs(datetime.now(UTC) - line.at) < timedelta(seconds=10) for line in lines)


def test_lines_arrive_while_the_attempt_runs(fork_server: ForkServer) -> None:
    spoken = threading.Event()
    order = an_order("sleep")
    with ThreadPoolExecutor() as threads:
        ending = threads.submit(fork_server.run, order, on_lines=lambda _: spoken.set())
        assert spoken.wait(timeout=5)
        fork_server.stop(order.id, StopReason.LEASE_LOST)
        ending.result(timeout=10)


def test_lines_are_kept_up_to_a_limit_and_the_rest_is_counted(fork_server: ForkServer) -> None:
    lines: list[Line] = []
    order = an_order("print_lines", lines=20_000, length=80, log_limit=50_000)
    end = fork_server.run(order, on_lines=lines.extend)
    assert end.cause is Cause.FINISHED
    *kept, last = lines
    assert [line.text.split()[0] for line in kept] == [str(n) for n in range(len(kept))]
    assert 35_000 < sum(len(line.text) for line in kept) < 50_000
    assert last.stream is Stream.LOG
    assert last.text.startswith(f"{20_000 - len(kept):,} more lines (")
    assert last.text.endswith("were not kept; an attempt may write 50,000 bytes")


def test_a_flood_leaves_other_attempts_their_turn(fork_server: ForkServer) -> None:
    flood = an_order("flood")
    flooding = threading.Event()
    with ThreadPoolExecutor() as threads:
        ending = threads.submit(fork_server.run, flood, on_lines=lambda _: flooding.set())
        assert flooding.wait(timeout=10)
        ends = [fork_server.run(an_order("deliver", value=n)) for n in range(10)]
        fork_server.stop(flood.id, StopReason.LEASE_LOST)
        ending.result(timeout=10)
    assert [end.outcome for end in ends] == list(range(10))
    assert all(end.duration < timedelta(seconds=2) for end in ends)


def test_a_listener_that_raises_does_not_disturb_the_attempt(fork_server: ForkServer) -> None:
    def break_down(_: object) -> None:
        raise RuntimeError("the listener is broken")

    end = fork_server.run(an_order("speak"), on_lines=break_down, on_progress=break_down)
    assert end.cause is Cause.FINISHED


def test_a_worker_that_does_not_listen_slows_the_attempt_and_fills_no_memory() -> None:
    ours, theirs = socket.socketpair()
    order = an_order("print_lines", lines=400_000, length=100, log_limit=100_000_000)
    command = [sys.executable, "-m", "engine.attempt.main", str(theirs.fileno()), str(os.getpid())]
    guard = subprocess.Popen(command, pass_fds=[theirs.fileno()])  # noqa: S603 - ours
    theirs.close()
    with ours, ours.makefile("rb") as heard, guard:
        ours.sendall(encode(Prepare(performer="tests.processes.performances:performer")))
        ready = decode(heard.readline())
        assert isinstance(ready, Ready)
        ours.sendall(encode(order))
        (attempt,) = until(lambda: tree.read_tree().children.get(ready.pid, ()))
        # A server that reads is never idle while a pipe is full; many looks rule out chance.
        until(lambda: all(_both_wait(attempt, ready.pid) for _ in range(1000)))
        assert proportional_memory(ready.pid) < 40_000_000
        count = 0
        while not isinstance(message := decode(heard.readline()), AttemptEnd):
            count += len(message.lines) if isinstance(message, Lines) else 0
        ours.shutdown(socket.SHUT_RDWR)
    assert message.cause is Cause.FINISHED
    assert count == 400_000


def _both_wait(attempt: int, server: int) -> bool:
    attempt_waits = "pipe" in Path(f"/proc/{attempt}/wchan").read_text()
    return attempt_waits and "poll" in Path(f"/proc/{server}/wchan").read_text()
