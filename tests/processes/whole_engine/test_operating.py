"""What people do with runs and queues while workers are at work, on each kind of queue."""

import json
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.states import RunState
from engine.store.operator_moves import RunMoveStore
from engine.store.run import Run
from tests.builders.database import a_postgres_ledger
from tests.builders.home import Home
from tests.builders.redis import RedisServer
from tests.processes.waiting import all_gone, noted, until

pytestmark = pytest.mark.process

TWO_SECONDS = timedelta(seconds=2)
# What nothing is promised of, on a machine that is busy: until a worker is up, say.
PATIENCE = 60.0


@pytest.fixture(params=["sqlite", "redis", "postgresql"])
def each_home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    """A home on SQLite, one whose queue is on Redis, and one that is all on PostgreSQL."""
    urls: tuple[str, ...] = ()
    if request.param == "redis":
        urls = (request.getfixturevalue("own_redis").url,)
    if request.param == "postgresql":
        url = a_postgres_ledger(request.getfixturevalue("postgres_server"))
        urls = (url, url)
    home = Home(tmp_path / "home", *urls)
    yield home
    home.close()


def running(home: Home, job: str, count: int = 1, **params: Any) -> tuple[Run, list[int]]:
    """A run under way, and the pids of its processes."""
    pids = home.folder / "pids"
    run = home.book(job, pids=str(pids), **params)
    return run, noted(pids, count, within=PATIENCE)


def test_a_running_run_is_cancelled_within_two_seconds_whatever_it_does(each_home: Home) -> None:
    each_home.start_worker()
    run, pids = running(each_home, "refuse_to_die", count=3)
    done = each_home.run("runs", "cancel", run.reference, "--reason", "wrong month")
    assert done.returncode == 0, done.stderr
    assert "is told to stop, and ends within two seconds" in done.stdout
    until(lambda: each_home.ended(run), within=PATIENCE)
    ended = each_home.runs.get(run.id)
    assert (ended.state, ended.attempt) == (RunState.CANCELLED, 1)
    assert ended.reason is not None
    assert ended.reason.endswith(": wrong month")
    assert ended.finished_at is not None
    assert ended.cancel_requested_at is not None
    assert ended.finished_at - ended.cancel_requested_at <= TWO_SECONDS
    assert all_gone(pids)
    (attempt,) = each_home.runs.attempts_of(run.id)
    assert attempt.outcome == "cancelled"
    again = each_home.run("queue", "cancel", run.reference)
    assert again.returncode == 1
    assert "it is cancelled already" in again.stderr


def test_who_waits_for_a_run_sees_that_it_is_cancelled(home: Home) -> None:
    home.start_worker()
    pids = home.folder / "pids"
    arguments = ["take_a_while", "-p", "seconds=60", "-p", f"pids={pids}"]
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(home.run, "run", *arguments, "--wait")
        noted(pids, 1, within=PATIENCE)
        assert home.run("runs", "cancel", "1", "--reason", "wrong month").returncode == 0
        done = waiting.result()
    assert done.returncode == 1
    assert ": wrong month" in done.stderr
    assert "cancelled by" in done.stderr


def test_a_queued_run_is_cancelled_at_once_and_its_message_does_nothing(home: Home) -> None:
    run = home.book("tick")
    told = home.json("runs", "cancel", str(run.id))
    assert [each["id"] for each in told["cancelled"]] == [run.id]
    home.start_worker()
    other = home.book("tick")
    until(lambda: home.ended(other), within=PATIENCE)
    assert home.runs.get(run.id).state is RunState.CANCELLED
    assert home.runs.get(run.id).attempt == 0


def test_a_run_in_the_workers_own_thread_ends_when_it_ends(home: Home) -> None:
    home.start_worker()
    go_on = home.folder / "go on"
    run, _ = running(home, "wait_in_the_worker", until=str(go_on))
    done = home.run("runs", "cancel", str(run.id))
    assert "cannot be cut off: it ends when it ends" in done.stdout
    assert home.runs.get(run.id).state is RunState.RUNNING
    go_on.touch()
    until(lambda: home.ended(run), within=PATIENCE)
    assert home.runs.get(run.id).state is RunState.SUCCEEDED


def test_a_run_whose_worker_is_dead_ends_cancelled_when_it_is_rescued(home: Home) -> None:
    worker = home.start_worker()
    run, _ = running(home, "take_a_while", seconds=60)
    worker.kill()
    assert home.run("runs", "cancel", str(run.id)).returncode == 0
    home.start_worker()
    until(lambda: home.ended(run), within=PATIENCE)
    ended = home.runs.get(run.id)
    assert (ended.state, ended.attempt) == (RunState.CANCELLED, 1)


def test_a_run_that_is_handed_back_after_it_was_cancelled_stays_cancelled(home: Home) -> None:
    worker = home.start_worker("--grace", "0")
    run, _ = running(home, "take_a_while", seconds=60)
    home.run("runs", "cancel", str(run.id))
    worker.send_signal(signal.SIGTERM)
    worker.wait(timeout=20)
    assert home.runs.get(run.id).state is RunState.CANCELLED


def test_failed_runs_are_retried_and_run_at_once(each_home: Home) -> None:
    each_home.start_worker()
    runs = [each_home.book("fail", why=why) for why in ("no bank", "no bank", "no wallet")]
    until(lambda: all(each_home.ended(run) for run in runs), within=PATIENCE)
    groups = each_home.json("queue", "failed", "--group-by", "error")
    assert groups["total"] == 3
    assert [group["count"] for group in groups["errors"]] == [2, 1]
    done = each_home.run("queue", "retry", "--error", "no bank", "--reason", "it is back")
    assert done.returncode == 0, done.stderr
    assert "2 runs retried." in done.stdout
    until(lambda: all(each_home.runs.get(run.id).attempt == 3 for run in runs[:2]), within=PATIENCE)
    until(lambda: all(each_home.ended(run) for run in runs), within=PATIENCE)
    assert [each_home.runs.get(run.id).attempts_allowed for run in runs] == [3, 3, 1]
    moves = RunMoveStore(each_home.database).of_run(runs[0].id)
    assert [(move.target, move.reason) for move in moves] == [("queued", "it is back")]


@pytest.mark.parametrize("kind", ["home", "postgres_home"])
def test_of_two_people_who_retry_a_run_at_once_one_is_told(
    request: pytest.FixtureRequest, kind: str
) -> None:
    home: Home = request.getfixturevalue(kind)
    home.start_worker("-w", "1")
    run = home.book("fail", why="no bank")
    until(lambda: home.ended(run), within=PATIENCE)
    home.run("queue", "pause", "default")
    with ThreadPoolExecutor(2) as threads:
        done = list(threads.map(lambda _: home.run("queue", "retry", str(run.id)), range(2)))
    assert sorted(each.returncode for each in done) == [0, 1]
    (late,) = (each for each in done if each.returncode == 1)
    assert "is left: it is queued, not failed" in late.stderr
    assert "retried it at" in late.stderr
    assert home.runs.get(run.id).attempts_allowed == 3


def test_a_run_that_must_not_be_repeated_is_retried_after_a_review(home: Home) -> None:
    home.start_worker()
    run = home.book("die_halfway", attempts=3)
    until(lambda: home.ended(run), within=PATIENCE)
    assert home.runs.get(run.id).review == "required"
    refused = home.run("queue", "retry", str(run.id))
    assert refused.returncode == 5
    assert f"engine runs review {run.reference} --approve" in refused.stderr
    without = home.run("runs", "review", str(run.id), "--approve")
    assert (without.returncode, "--reason" in without.stderr) == (5, True)
    approved = home.run("runs", "review", str(run.id), "--approve", "--reason", "looked")
    assert approved.returncode == 0, approved.stderr
    assert home.run("queue", "retry", str(run.id)).returncode == 0
    until(lambda: home.runs.get(run.id).attempt == 2 and home.ended(run), within=PATIENCE)
    assert home.runs.get(run.id).review == "required"


def test_runs_of_a_paused_queue_stay_and_start_when_it_is_resumed(each_home: Home) -> None:
    each_home.start_worker()
    done = each_home.run("queue", "pause", "default", "--reason", "the bank is away")
    assert done.returncode == 0, done.stderr
    runs = [each_home.book("tick") for _ in range(3)]
    other = each_home.book("tick", queue="other")
    each_home.start("queue", "work", "--queue", "other")
    until(lambda: each_home.ended(other), within=PATIENCE)
    assert [each_home.runs.get(run.id).attempt for run in runs] == [0, 0, 0]
    again = each_home.run("queue", "pause", "default")
    assert "was paused already, at" in again.stdout
    assert "the bank is away" in again.stdout
    resumed = each_home.run("queue", "resume", "default")
    assert resumed.returncode == 0, resumed.stderr
    until(lambda: all(each_home.ended(run) for run in runs), within=PATIENCE)


def test_schedules_still_book_into_a_paused_queue(home: Home) -> None:
    (home.folder / "schedules.yaml").write_text(
        "schedules:\n  often: {job: tick, every: 1s, overlap: allow}\n"
    )
    assert home.run("queue", "pause", "default").returncode == 0
    home.start("up", "--grace", "1")
    until(lambda: home.count(RunState.QUEUED) >= 3, within=PATIENCE)
    assert home.count(RunState.SUCCEEDED) == 0
    assert home.run("queue", "resume", "default").returncode == 0
    until(lambda: home.count(RunState.SUCCEEDED) >= 3, within=PATIENCE)


def test_retried_runs_start_while_the_queue_was_away_once_it_is_back(
    redis_home: Home, own_redis: RedisServer
) -> None:
    redis_home.start_worker()
    run = redis_home.book("fail", why="no bank")
    until(lambda: redis_home.ended(run), within=PATIENCE)
    own_redis.stop()
    done = redis_home.run("queue", "retry", str(run.id), "--json")
    assert done.returncode == 6
    assert [each["id"] for each in json.loads(done.stdout)["retried"]] == [run.id]
    assert "what was retried starts when the queue is back" in done.stderr
    own_redis.restart()
    until(lambda: redis_home.runs.get(run.id).attempt == 3, within=PATIENCE)


def test_a_queue_nobody_has_heard_of_is_warned_about(home: Home) -> None:
    done: subprocess.CompletedProcess[str] = home.run("run", "tick", "--queue", "defualt")
    assert done.returncode == 0
    assert "no worker serves the queue 'defualt'" in done.stderr
    assert "did you mean 'default'?" in done.stderr
    home.run("queue", "pause", "default")
    paused = home.run("run", "tick")
    assert "the run starts after `engine queue resume default`" in paused.stderr
    assert home.run("queue", "pause", "payuots").returncode == 2
