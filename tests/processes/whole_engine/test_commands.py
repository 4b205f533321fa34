"""The commands that run things, as a user types them, in real processes."""

import json
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from redis import Redis

from engine.states import RunState
from engine.store.database import REVISION
from tests.builders.home import Home
from tests.builders.redis import RedisServer
from tests.processes.waiting import until

pytestmark = pytest.mark.process


def test_four_processes_starting_at_once_on_an_empty_home_all_succeed(home: Home) -> None:
    with ThreadPoolExecutor(4) as threads:
        every = list(threads.map(lambda _: home.run("run", "tick"), range(4)))
    assert [(each.returncode, each.stderr) for each in every] == [(0, "")] * 4
    assert home.database.revision() == REVISION
    assert home.count(RunState.QUEUED) == 4


def test_waiting_shows_progress_and_ends_with_the_result(home: Home) -> None:
    home.start_worker()
    done = home.run("run", "speak", "--wait")
    assert done.returncode == 0
    assert "wallets: 3" in done.stdout
    assert "running: 1 of 3 (33%) wallets" in done.stderr
    assert "succeeded" in done.stderr


def test_waiting_for_a_run_that_fails_exits_with_1_and_says_why(home: Home) -> None:
    home.start_worker()
    done = home.run("run", "fail", "-p", "why=no such wallet", "--wait")
    assert done.returncode == 1
    assert "RuntimeError: no such wallet" in done.stderr
    failed = home.json("runs", "list", "--state", "failed")["runs"]
    assert [(run["attempt"], run["error"]["type"]) for run in failed] == [(2, "RuntimeError")]


def test_what_a_job_says_is_kept_with_its_run(home: Home) -> None:
    home.start_worker()
    run = json.loads(home.run("run", "speak", "--wait", "--json").stdout)
    lines = home.json("runs", "logs", run["reference"])["lines"]
    assert {(line["stream"], line["text"], line["attempt"]) for line in lines} == {
        ("stdout", "to stdout", 1),
        ("stderr", "to stderr", 1),
        ("log", "INFO trials: a record wallet=7", 1),
    }
    shown = home.run("runs", "logs", str(run["id"])).stdout
    assert f"{run['reference']}/1 stdout to stdout" in shown


def test_a_job_that_is_not_isolated_runs_in_the_worker(home: Home) -> None:
    home.start_worker()
    done = home.run("run", "short_call", "-p", "number=7", "--wait", "--json")
    run = json.loads(done.stdout)
    assert (done.returncode, run["result"], run["progress"]["done"]) == (0, 7, 1)
    (line,) = home.json("runs", "logs", run["reference"])["lines"]
    assert line["text"] == "INFO trials: called"


def test_hueys_own_command_is_a_full_worker(home: Home) -> None:
    home.start_huey_consumer("-w", "4")
    done = home.run("run", "speak", "--wait", "--json")
    assert json.loads(done.stdout)["state"] == "succeeded"
    (process,) = home.json("queue", "status")["processes"]
    assert (process["kind"], process["threads"], process["queues"]) == ("worker", 4, ["default"])


@pytest.mark.parametrize("kind", ["process", "greenlet"])
def test_hueys_other_kinds_of_workers_are_refused_with_a_reason(home: Home, kind: str) -> None:
    consumer = home.start_huey_consumer("-k", kind)
    assert consumer.wait(timeout=20) == 2
    assert f"engine: -k {kind} is refused: each attempt already runs" in home.said()


def test_hueys_command_names_a_wrong_setting_in_one_line(home: Home) -> None:
    (home.folder / ".env").write_text("ENGINE_QEUE_URL=redis://localhost\n")
    consumer = home.start_huey_consumer()
    assert consumer.wait(timeout=20) == 2
    assert home.said().count("\n") == 1
    assert "ENGINE_QEUE_URL: no such setting; did you mean ENGINE_QUEUE_URL?" in home.said()


def test_up_runs_schedules_and_ends_clean(home: Home) -> None:
    (home.folder / "schedules.yaml").write_text(
        "schedules:\n  often: {job: tick, every: 1s, overlap: allow}\n"
    )
    up = home.start("up", "--grace", "2")
    until(lambda: home.count(RunState.SUCCEEDED) >= 2, within=30)
    up.send_signal(signal.SIGINT)
    assert up.wait(timeout=20) == 0
    assert home.json("queue", "status")["processes"] == []


def test_what_up_started_ends_when_up_is_killed(home: Home) -> None:
    (home.folder / "schedules.yaml").write_text("schedules: {}\n")
    up = home.start("up", "--grace", "1")
    until(lambda: len(_processes(home)) == 2, within=30)
    pids = [process["pid"] for process in _processes(home)]
    up.kill()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), within=15)


def test_a_run_is_booked_while_the_queue_is_away_and_starts_when_it_is_back(
    redis_home: Home, own_redis: RedisServer
) -> None:
    own_redis.stop()
    away = redis_home.run("run", "tick")
    assert away.returncode == 6
    assert away.stdout.startswith("run 1 ")
    assert f"the queue redis://127.0.0.1:{own_redis.port}/0 does not answer" in away.stderr
    assert "the run is booked and starts when the queue is back" in away.stderr
    assert "Traceback" not in away.stderr

    redis_home.start_worker()
    until(lambda: "the queue is away" in redis_home.said(), within=20)
    assert redis_home.count(RunState.QUEUED) == 1
    own_redis.restart()
    until(lambda: redis_home.count(RunState.SUCCEEDED) == 1, within=20)


def test_a_run_whose_queue_lets_nobody_in_starts_when_the_setting_is_right(
    redis_home: Home, own_redis: RedisServer
) -> None:
    with Redis.from_url(own_redis.url) as redis:
        redis.config_set("requirepass", "right")
    wrong = own_redis.url.replace("//", "//:wrong-one@")
    redis_home.more["ENGINE_QUEUE_URL"] = wrong
    shut = redis_home.run("run", "tick")
    assert shut.returncode == 6
    assert shut.stdout.startswith("run 1 ")
    assert shut.stderr.endswith(
        "does not let us in: invalid username-password pair or user is disabled; correct "
        "ENGINE_QUEUE_URL; the run is booked and starts when ENGINE_QUEUE_URL is right\n"
    )
    assert "wrong-one" not in shut.stderr

    redis_home.more["ENGINE_QUEUE_URL"] = own_redis.url.replace("//", "//:right@")
    redis_home.start_worker()
    until(lambda: redis_home.count(RunState.SUCCEEDED) == 1, within=20)


def test_a_worker_lives_on_while_the_queue_is_away(
    redis_home: Home, own_redis: RedisServer
) -> None:
    redis_home.start_worker()
    until(lambda: _processes(redis_home), within=20)
    own_redis.restart()
    done = redis_home.run("run", "tick", "--wait")
    assert done.returncode == 0, redis_home.said()


def _processes(home: Home) -> list[dict[str, int]]:
    processes: list[dict[str, int]] = home.json("queue", "status")["processes"]
    return processes
