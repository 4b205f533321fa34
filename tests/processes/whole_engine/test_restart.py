"""Workers and schedulers come back on new code: by hand, by Huey's command, under `engine up`."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from engine.states import RunState
from engine.store.workers import WorkerStore
from tests.builders.database import a_postgres_ledger
from tests.builders.home import Home, kill
from tests.builders.postgres import PostgresServer
from tests.builders.redis import RedisServer
from tests.processes.waiting import noted, until

pytestmark = pytest.mark.process


def write_answer(home: Home, answer: int, queue: str = "default") -> None:
    """The code of the job `answer`."""
    (home.folder / "jobs" / "answer.py").write_text(
        "from engine.authoring import job\n\n"
        f"@job(queue={queue!r})\ndef answer(context):\n    return {answer}\n"
    )


def answered(home: Home, queue: str = "default") -> Any:
    """What the job says."""
    run = home.book("answer", queue=queue)
    until(lambda: home.ended(run), within=60)
    return home.runs.get(run.id).result


def there(home: Home, count: int) -> list[str]:
    """The processes that announced themselves, once there are so many."""

    def present() -> list[str]:
        ids = [process.id for process in WorkerStore(home.database).present()]
        return ids if len(ids) == count else []

    return until(present, within=60)


def restarted(home: Home, *options: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit code of a restart that is waited for, and what it says."""
    arguments = ("queue", "restart", "--wait", "--timeout", "60", "--json", *options)
    done = home.run(*arguments, within=120)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)["restarts"]


@pytest.mark.parametrize("kind", ["by hand", "by huey_consumer"])
def test_a_worker_comes_back_on_new_code_as_the_same_process(home: Home, kind: str) -> None:
    write_answer(home, 1)
    worker = home.start_worker() if kind == "by hand" else home.start_huey_consumer("-w", "3")
    assert answered(home) == 1
    (old,) = there(home, 1)
    write_answer(home, 2)
    code, (restart,) = restarted(home)
    assert code == 0
    assert (restart["id"], restart["pid"]) == (old, worker.pid)
    assert restart["new_id"] != old
    assert restart["new_pid"] == worker.pid
    assert restart["version"] != restart["new_version"]
    assert answered(home) == 2
    assert there(home, 1) == [restart["new_id"]]
    (process,) = WorkerStore(home.database).present()
    assert (process.replaces, process.restart_requested_at) == (old, None)
    assert process.threads == (2 if kind == "by hand" else 3)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=30) == 0
    assert "Traceback" not in home.said()


def test_under_up_worker_and_scheduler_come_back_and_up_goes_on(home: Home) -> None:
    write_answer(home, 1)
    (home.folder / "schedules.yaml").write_text("schedules: {}\n")
    up = home.start("up", "--grace", "2")
    there(home, 2)
    # In a queue that nobody has served so far.
    write_answer(home, 2, "answers")
    (home.folder / "schedules.yaml").write_text(
        "schedules:\n  often: {job: tick, every: 1s, overlap: allow}\n"
    )
    code, restarts = restarted(home)
    assert code == 0
    assert {restart["kind"] for restart in restarts} == {"worker", "scheduler"}
    assert [restart["pid"] for restart in restarts] == [each["new_pid"] for each in restarts]
    assert answered(home, "answers") == 2
    until(lambda: home.count(RunState.SUCCEEDED) >= 2, within=30)
    managers = {process.manager for process in WorkerStore(home.database).present()}
    assert managers == {"engine up"}
    assert up.poll() is None
    up.send_signal(signal.SIGTERM)
    assert up.wait(timeout=30) == 0


def test_what_fits_the_grace_time_ends_and_the_rest_is_done_by_the_new_worker(
    home: Home, tmp_path: Path
) -> None:
    pids = str(tmp_path / "pids")
    short = home.book("take_a_while", seconds=3, pids=pids)
    long = home.book("take_a_while", seconds=25, pids=pids)
    home.start_worker("-w", "2", "--grace", "8")
    noted(tmp_path / "pids", 2, within=60)
    assert restarted(home)[0] == 0
    until(lambda: home.ended(long), within=90)
    ends = [[each.outcome for each in home.runs.attempts_of(run.id)] for run in (short, long)]
    assert ends == [["succeeded"], ["handed_back", "succeeded"]]
    first, second = home.runs.attempts_of(long.id)
    assert first.worker != second.worker


def test_a_worker_that_is_killed_while_it_restarts_loses_nothing(home: Home) -> None:
    run = home.book("sleep_at_first", attempts=2)
    worker = home.start_worker("-w", "1", "--grace", "60")
    until((home.folder / "seen None").exists, within=60)
    assert home.run("queue", "restart").returncode == 0
    until(lambda: "draining" in home.said(), within=20)
    kill(worker)
    home.start_worker()
    until(lambda: home.ended(run), within=90)
    outcomes = [attempt.outcome for attempt in home.runs.attempts_of(run.id)]
    assert outcomes == ["lost", "succeeded"]


def test_workers_of_many_machines_end_by_their_limits_and_come_back_too(
    tmp_path: Path, own_redis: RedisServer, postgres_server: PostgresServer
) -> None:
    home = Home(tmp_path / "home", own_redis.url, a_postgres_ledger(postgres_server))
    try:
        write_answer(home, 1)
        runs = [home.book("answer") for _ in range(3)]
        done = home.run("queue", "work", "redis", "--max-jobs", "2", "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout.splitlines()[-1])["reason"] == "max_jobs"
        assert sum(map(home.ended, runs)) == 2
        home.start_worker("--tries", "2")
        until(lambda: all(map(home.ended, runs)), within=60)
        write_answer(home, 2)
        code, (restart,) = restarted(home)
        assert (code, restart["new_pid"]) == (0, restart["pid"])
        assert answered(home) == 2
        assert "Traceback" not in home.said()
    finally:
        home.close()


def test_code_that_cannot_be_imported_restarts_nobody(home: Home) -> None:
    worker = home.start_worker()
    (name,) = there(home, 1)
    (home.folder / "jobs" / "broken.py").write_text("import nothing_of_that_name\n")
    done = home.run("queue", "restart", "--wait")
    assert done.returncode == 2
    assert "jobs in jobs.broken cannot be imported" in done.stderr
    assert there(home, 1) == [name]
    assert worker.poll() is None


def test_a_worker_that_does_not_come_back_in_time_is_named(home: Home, tmp_path: Path) -> None:
    home.book("take_a_while", seconds=60, pids=str(tmp_path / "pids"))
    home.start_worker("-w", "1", "--grace", "60")
    noted(tmp_path / "pids", 1, within=60)
    (name,) = there(home, 1)
    done = home.run("queue", "restart", "--wait", "--timeout", "1")
    assert done.returncode == 1
    assert f"not back within 1 s: {name}" in done.stderr
    assert "not back" in done.stdout


def test_where_nobody_is_there_is_nobody_to_restart(home: Home) -> None:
    done = home.run("queue", "restart", "--wait")
    assert (done.returncode, done.stdout.count("Nobody to restart")) == (0, 1)
