"""No attempt outlives its worker or its fork server; the server leaks nothing."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.attempt import tree
from engine.execution.orders import Cause, Line, StopReason
from engine.worker.fork_server import ForkServer, ForkServerFailed
from tests.builders.orders import an_order
from tests.processes.waiting import all_gone, is_gone, noted, until

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
PERFORMER = "tests.processes.performances:performer"
CLIENT = "tests.processes.fork_server_client"
EVERYBODY = 5  # the attempt, its three grandchildren and the server


@pytest.fixture
def pids(tmp_path: Path) -> Path:
    """Where the processes of a test note their pids."""
    return tmp_path / "pids"


@pytest.fixture
def client(pids: Path, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[bytes]]:
    """A process that holds a fork server with an attempt that does not end."""
    words = getattr(request, "param", ())
    command = [sys.executable, "-m", CLIENT, str(pids), *words]
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)  # noqa: S603 - ours
    yield process
    process.kill()
    process.wait()


def test_killing_the_worker_kills_its_attempts(client: subprocess.Popen[bytes], pids: Path) -> None:
    everybody = noted(pids, EVERYBODY)
    client.kill()
    until(lambda: all_gone(everybody), within=2)


def test_terminating_the_workers_group_ends_its_attempts_with_it(
    client: subprocess.Popen[bytes], pids: Path
) -> None:
    everybody = noted(pids, EVERYBODY)
    os.killpg(client.pid, signal.SIGTERM)
    until(lambda: all_gone(everybody), within=2)


@pytest.mark.parametrize("client", [("stay",)], indirect=True)
def test_a_worker_that_drains_keeps_its_server_and_attempts(
    client: subprocess.Popen[bytes], pids: Path
) -> None:
    everybody = noted(pids, EVERYBODY)
    os.killpg(client.pid, signal.SIGTERM)
    assert client.pid in noted(pids, EVERYBODY + 1)
    assert not any(map(is_gone, everybody))
    client.kill()
    until(lambda: all_gone(everybody), within=2)


def test_killing_the_server_kills_its_attempts_and_the_next_run_has_a_new_one(
    own_fork_server: ForkServer, pids: Path
) -> None:
    first = own_fork_server.pid
    assert first is not None
    with ThreadPoolExecutor() as threads:
        ending = threads.submit(own_fork_server.run, an_order("refuse_to_die", pids=str(pids)))
        everybody = noted(pids, 4)
        os.kill(first, signal.SIGKILL)
        end = ending.result(timeout=10)
    assert all_gone(everybody)
    assert (end.cause, end.outcome) == (Cause.CRASHED, None)
    assert end.error == (
        "the fork server ended (killed by signal 9) and the attempt with it; "
        "the last lines that it wrote may be missing"
    )
    assert own_fork_server.run(an_order("deliver", value=1)).outcome == 1
    assert own_fork_server.pid not in {None, first}


def test_what_was_received_before_the_server_was_killed_is_kept(
    own_fork_server: ForkServer, pids: Path
) -> None:
    server = own_fork_server.pid
    assert server is not None
    lines: list[str] = []

    def slowly(received: Sequence[Line]) -> None:
        # What lies in the socket by now is read after the end of the server.
        if not lines:
            until(lambda: is_gone(server), within=10)
        lines.extend(line.text for line in received)

    with ThreadPoolExecutor() as threads:
        order = an_order("count_for_ever", pids=str(pids))
        ending = threads.submit(own_fork_server.run, order, on_lines=slowly)
        noted(pids, 1)
        os.kill(server, signal.SIGKILL)
        assert ending.result(timeout=10).cause is Cause.CRASHED
    assert lines == [f"line {number}" for number in range(len(lines))]
    assert len(lines) >= 20


def test_killing_the_guard_ends_the_server_and_its_attempts(
    own_fork_server: ForkServer, pids: Path
) -> None:
    server = own_fork_server.pid
    assert server is not None
    stat = Path(f"/proc/{server}/stat").read_text()
    guard = int(stat.rpartition(")")[2].split()[1])
    with ThreadPoolExecutor() as threads:
        ending = threads.submit(own_fork_server.run, an_order("refuse_to_die", pids=str(pids)))
        everybody = noted(pids, 4)
        os.kill(guard, signal.SIGKILL)
        assert ending.result(timeout=10).cause is Cause.CRASHED
    until(lambda: all_gone(everybody), within=2)


def test_closing_ends_the_attempts_that_still_run(pids: Path) -> None:
    server = ForkServer.start(performer=PERFORMER)
    with ThreadPoolExecutor() as threads:
        ending = threads.submit(server.run, an_order("refuse_to_die", pids=str(pids)))
        everybody = noted(pids, 4)
        server.close()
        assert ending.result(timeout=10).cause is Cause.CRASHED
    assert all_gone(everybody)
    with pytest.raises(ForkServerFailed, match="closed"):
        server.run(an_order("deliver"))


def names_in(folder: Path) -> list[str]:
    """The names of what is in a folder."""
    return sorted(each.name for each in folder.iterdir())


def test_two_hundred_attempts_leave_no_file_and_no_process(own_fork_server: ForkServer) -> None:
    assert own_fork_server.pid is not None
    files = Path(f"/proc/{own_fork_server.pid}/fd")
    before = names_in(files)
    with ThreadPoolExecutor(max_workers=4) as threads:
        orders = [an_order("deliver", value=number) for number in range(200)]
        ends = list(threads.map(own_fork_server.run, orders))
    assert [end.outcome for end in ends] == list(range(200))
    # The last ones' ends are told before all of theirs is put away.
    until(lambda: names_in(files) == before)
    assert tree.read_tree().descendants(own_fork_server.pid) == []


def test_stopping_what_does_not_run_is_a_lost_race(fork_server: ForkServer) -> None:
    assert fork_server.stop("0:0", StopReason.CANCELLED) is False


def test_a_function_that_cannot_be_loaded_is_said_at_the_start() -> None:
    with pytest.raises(ForkServerFailed, match=r"nowhere:performer: ModuleNotFoundError"):
        ForkServer.start(performer="nowhere:performer")


def test_a_module_that_cannot_be_preloaded_does_not_stop_the_server() -> None:
    server = ForkServer.start(preload=["nowhere"], performer=PERFORMER)
    assert server.run(an_order("deliver", value=1)).outcome == 1
    server.close()


def test_attempts_do_not_draw_the_same_random_numbers() -> None:
    server = ForkServer.start(preload=["random", "numpy.random"], performer=PERFORMER)
    drawn = [server.run(an_order("draw")).outcome for _ in range(2)]
    server.close()
    assert drawn[0][0] != drawn[1][0]
    assert drawn[0][1] != drawn[1][1]
