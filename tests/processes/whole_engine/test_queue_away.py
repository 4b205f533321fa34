"""The queue's server is away for a while: workers wait for it, and no run is lost or done twice."""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.states import RunState
from tests.builders.home import Home, signal_group
from tests.builders.postgres import PostgresServer, start_postgres
from tests.builders.redis import RedisServer, start_redis
from tests.processes.waiting import noted, until

pytestmark = pytest.mark.process

Server = RedisServer | PostgresServer

# The longest pause of a worker, the sweep's round, and a run.
BACK_WITHIN = 15


@pytest.fixture(params=["redis", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """A queue's server that the test may stop."""
    if request.param == "redis":
        redis = start_redis(tmp_path / "redis")
        yield redis
        redis.stop()
    else:
        postgres = start_postgres()
        yield postgres
        postgres.remove()


@pytest.fixture
def away_home(server: Server, tmp_path: Path) -> Iterator[Home]:
    """A home whose queue is on that server."""
    home = Home(tmp_path / "home", server.url)
    yield home
    home.close()


def test_runs_booked_while_the_queue_is_away_are_done_once_when_it_is_back(
    away_home: Home, server: Server
) -> None:
    _runs_survive_an_outage(away_home, server, seconds=1)


@pytest.mark.soak
def test_an_outage_of_30_seconds(away_home: Home, server: Server) -> None:
    _runs_survive_an_outage(away_home, server, seconds=30)
    # Each worker says it when it begins, maybe once more, and when it ends.
    assert away_home.said().count("the queue is away") == 2
    assert away_home.said().count("the queue is still away") <= 2
    assert away_home.said().count("the queue is back") == 2


def test_workers_start_and_stop_while_the_queue_is_away(away_home: Home, server: Server) -> None:
    server.stop()
    (away_home.folder / "schedules.yaml").write_text("schedules: {}\n")
    worker = away_home.start_worker("--grace", "5")
    consumer = away_home.start_huey_consumer("-w", "2")
    household = away_home.start("up")
    until(lambda: away_home.said().count("the queue is away") >= 3, within=20)
    for process in (worker, consumer, household):
        signal_group(process, signal.SIGTERM)
    began = time.monotonic()
    assert [each.wait(timeout=10) for each in (worker, consumer, household)] == [0, 0, 0]
    assert time.monotonic() - began < 5
    assert "Traceback" not in away_home.said()


def test_workers_that_started_without_the_queue_serve_it_when_it_comes(
    away_home: Home, server: Server
) -> None:
    server.stop()
    worker = away_home.start_worker()
    until(lambda: "the queue is away" in away_home.said())
    server.start()
    run = away_home.book("tick")
    until(lambda: away_home.ended(run), within=BACK_WITHIN)
    assert worker.poll() is None


def test_a_command_that_only_asks_the_queue_says_that_it_is_away(
    away_home: Home, server: Server
) -> None:
    server.stop()
    for options in ([], ["--json"]):
        done = away_home.run("queue", "status", *options)
        # What the ledger knows is shown all the same.
        assert done.returncode == 6
        assert "default" in done.stdout
        assert _is_one_line_on_the_queue(done.stderr)


def test_a_run_is_named_before_the_queue_is_complained_about(
    away_home: Home, server: Server
) -> None:
    server.stop()
    first = away_home.run("run", "tick", "--key", "once")
    assert first.returncode == 6
    assert first.stdout.startswith("run 1 ")
    assert _is_one_line_on_the_queue(first.stderr)
    again = away_home.run("run", "tick", "--key", "once", "--json")
    assert again.returncode == 6
    booked = json.loads(again.stdout)
    assert (booked["id"], booked["state"]) == (1, "queued")
    assert booked["reference"] in first.stdout

    server.start()
    rung = away_home.run("run", "tick", "--key", "once")
    assert (rung.returncode, rung.stderr) == (0, "")
    assert "booked before under this key" in rung.stdout
    (status,) = away_home.json("queue", "status")["queues"]
    assert (status["ready"], status["messages"]) == (1, 1)


def test_who_waits_for_a_run_waits_for_the_queue_too(away_home: Home, server: Server) -> None:
    server.stop()
    waiting = away_home.start("run", "tick", "--wait")
    until(lambda: "does not answer" in away_home.said())
    worker = away_home.start_worker()
    until(lambda: "the queue is away" in away_home.said())
    server.start()
    assert waiting.wait(timeout=BACK_WITHIN) == 0
    assert worker.poll() is None


def test_an_attempt_holds_no_connection_of_its_workers_queue(
    away_home: Home, server: Server
) -> None:
    pids = away_home.folder / "pids"
    worker = away_home.start_worker("-w", "1")
    away_home.book("take_a_while", attempts=2, seconds=60, pids=str(pids))
    (attempt,) = noted(pids, 1)
    assert _connections(worker.pid, server.port)
    assert not _connections(attempt, server.port)


def _runs_survive_an_outage(home: Home, server: Server, *, seconds: float) -> None:
    workers = [home.start_worker("-w", "2") for _ in range(2)]
    first = home.book("tick")
    until(lambda: home.ended(first), within=20)
    # Some are under way, and some wait in the queue, when it goes away.
    for _ in range(6):
        home.book("take_a_while", attempts=2, seconds=0.5, pids=str(home.folder / "pids"))
    until(lambda: home.count(RunState.RUNNING))

    server.stop()
    ends_at = time.monotonic() + seconds
    for number in range(3):
        done = home.run("run", "tick", "--key", f"meanwhile {number}")
        assert done.returncode == 6, done.stderr
        assert done.stdout.startswith(f"run {number + 8} ")
        assert _is_one_line_on_the_queue(done.stderr)
    time.sleep(max(ends_at - time.monotonic(), 0))
    server.start()

    until(lambda: home.count(RunState.SUCCEEDED) == 10, within=BACK_WITHIN)
    runs = home.runs.newest(limit=100)
    assert len(runs) == 10
    for run in runs:
        assert [each.outcome for each in home.runs.attempts_of(run.id)] == ["succeeded"]
    assert [each.poll() for each in workers] == [None, None]
    until(lambda: home.said().count("the queue is back") == 2)
    assert "Traceback" not in home.said()
    for worker in workers:
        signal_group(worker, signal.SIGTERM)
    assert [each.wait(timeout=15) for each in workers] == [0, 0]


def _is_one_line_on_the_queue(said: str) -> bool:
    return said.startswith("engine: the queue ") and said.endswith("\n") and said.count("\n") == 1


def _connections(pid: int, port: int) -> set[str]:
    """The sockets of a process that are connected to a port of this machine."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inodes = {line[9] for line in lines if line[2] == f"0100007F:{port:04X}"}
    files = [str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()]
    return {f"socket:[{inode}]" for inode in inodes} & set(files)
