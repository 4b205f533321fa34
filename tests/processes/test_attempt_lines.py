"""What an attempt writes arrives, bounded, and no attempt can drown another."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from engine.execution.orders import Cause, Line, Progress, StopReason, Stream
from engine.worker.fork_server import ForkServer
from tests.builders.orders import an_order

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
