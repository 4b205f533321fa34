"""The options of `engine queue work`: Laravel's, with exits that one can script against."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from engine.states import RunState
from tests.builders.home import Home
from tests.processes.waiting import noted, until

pytestmark = pytest.mark.process

JOBS = '''
"""Jobs that say nothing of how they want to be run, and one that does."""

import time
from pathlib import Path

from engine.authoring import RetryLater, RetryPolicy, job


@job()
def stumble(context):
    """Raise."""
    raise RuntimeError(f"attempt {context.attempt}")


@job()
def linger(context, *, seconds: float):
    """Sleep."""
    time.sleep(seconds)


@job(retry=RetryPolicy(attempts=1, never_retry_on=("KeyError",)))
def wait_for_the_bank(context, *, file: str):
    """Come back until the file is there."""
    if not Path(file).exists():
        raise RetryLater(after=0.5, reason="the bank is closed")
    return context.attempt


@job(retry=RetryPolicy(attempts=9, waits=(), retry_on=(ConnectionError,)))
def misspell(context):
    """Raise what is not worth another attempt."""
    raise KeyError("wallet")
'''


@pytest.fixture
def plain(home: Home) -> Home:
    """A home with those jobs."""
    (home.folder / "jobs" / "plain.py").write_text(JOBS)
    return home


def test_once_carries_out_one_run_or_none_and_exits_with_1_if_it_failed(home: Home) -> None:
    idle = home.run("queue", "work", "--once")
    assert (idle.returncode, idle.stdout.count("\n")) == (0, 1)
    assert "stopped: no run is ready; 0 runs carried out" in idle.stdout

    good, bad = home.book("tick"), home.book("fail", why="no such wallet")
    done = home.run("queue", "work", "--once")
    assert done.returncode == 0, done.stderr
    starts, ends, stopped = done.stdout.splitlines()
    assert f"{good.reference}  tick  default  starts" in starts
    assert f"{good.reference}  tick  default  succeeded  0." in ends
    assert ends.endswith(" MB")
    assert stopped.endswith("stopped: --once; 1 run carried out")
    assert home.runs.get(bad.id).attempt == 0

    failed = home.run("queue", "work", "--once")
    assert failed.returncode == 1
    assert "attempt 1 of 1  RuntimeError: no such wallet" in failed.stdout


def test_the_line_that_laravels_hands_type_is_taken(redis_home: Home) -> None:
    redis_home.book("tick")
    worker = redis_home.start(
        *("queue:work", "redis", "--queue=default", "--tries=3", "--timeout=120")
    )
    until(lambda: redis_home.count(RunState.SUCCEEDED) == 1, within=60)
    worker.terminate()
    assert worker.wait(timeout=30) == 0
    assert redis_home.said().splitlines()[-1].endswith("stopped: a signal; 1 run carried out")


def test_a_connection_that_is_not_the_queues_is_refused_before_anything_starts(home: Home) -> None:
    done = home.run("queue", "work", "redis")
    assert (done.returncode, done.stdout) == (2, "")
    assert "CONNECTION redis is not where the queue is" in done.stderr
    assert "ENGINE_QUEUE_URL is sqlite:///var/queue.db" in done.stderr


def test_no_more_runs_than_told_are_carried_out_and_each_has_its_lines(home: Home) -> None:
    for _ in range(5):
        home.book("tick")
    done = home.run("queue", "work", "database", "-w", "4", "--max-jobs", "3", "--json")
    assert done.returncode == 0, done.stderr
    said: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted(each["event"] for each in said[:-1]) == ["run_ended"] * 3 + ["run_started"] * 3
    ended = [each for each in said if each["event"] == "run_ended"]
    for each in ended:
        assert (each["job"], each["queue"], each["state"]) == ("tick", "default", "succeeded")
        assert (each["attempt"], each["error"]) == (1, None)
        assert each["duration_ms"] >= 0
        assert each["peak_memory_bytes"] > 0
    assert (said[-1]["event"], said[-1]["reason"], said[-1]["runs"]) == ("stopped", "max_jobs", 3)
    assert (home.count(RunState.SUCCEEDED), home.count(RunState.QUEUED)) == (3, 2)


def test_a_worker_whose_time_is_over_finishes_what_it_has(home: Home, tmp_path: Path) -> None:
    run = home.book("take_a_while", seconds=3, pids=str(tmp_path / "pids"))
    worker = home.start_worker("--max-time", "1", "--grace", "0")
    noted(tmp_path / "pids", 1, within=60)
    waiting = home.book("tick")
    assert worker.wait(timeout=60) == 0
    assert [each.outcome for each in home.runs.attempts_of(run.id)] == ["succeeded"]
    assert home.runs.get(waiting.id).attempt <= 1
    assert "stopped: --max-time is over" in home.said()


def test_a_worker_over_its_memory_ends_with_12(home: Home) -> None:
    """The thread of a job that is not isolated has the worker's memory."""
    home.book("hoard", megabytes=300)
    done = home.run("queue", "work", "--memory", "400")
    assert done.returncode == 12, done.stderr
    assert re.search(
        r"stopped: it uses \d+ MB, more than the 400 MB of --memory; 1 run carried out", done.stdout
    )


def test_a_worker_that_has_no_room_to_begin_with_is_refused(home: Home) -> None:
    waiting = home.book("tick")
    done = home.run("queue", "work", "--memory", "1")
    assert done.returncode == 2
    assert re.search(r"--memory 1: a worker uses \d+ MB before it has", done.stderr)
    assert home.runs.get(waiting.id).state is RunState.QUEUED


def test_a_worker_that_stops_when_empty_does_all_that_is_ready(plain: Home) -> None:
    for _ in range(3):
        plain.book("tick")
    other = plain.book("tick", queue="payouts")
    done = plain.run("queue", "work", "--stop-when-empty", "--max-time", "60")
    assert done.returncode == 0
    assert "stopped: no run is ready; 3 runs carried out" in done.stdout
    assert plain.runs.get(other.id).attempt == 0


def test_tries_backoff_and_timeout_are_for_jobs_that_do_not_say_themselves(plain: Home) -> None:
    stumbling = plain.book("stumble", attempts=3)
    lingering = plain.book("linger", attempts=3, seconds=60)
    told = plain.book("take_a_while", attempts=2, seconds=2, pids=str(plain.folder / "pids"))
    worker = plain.start_worker(
        *("--tries", "2", "--backoff", "0", "--timeout", "1", "--workers", "3")
    )
    until(lambda: all(map(plain.ended, (stumbling, lingering))), within=90)
    until(lambda: plain.runs.get(told.id).attempt > 0, within=60)
    for run, error in ((stumbling, "RuntimeError"), (lingering, "TimeLimitExceeded")):
        ended = plain.runs.get(run.id)
        assert (ended.state, ended.attempt, ended.attempts_allowed) == (RunState.FAILED, 2, 2)
        assert ended.error is not None
        assert ended.error.type == error
    worker.terminate()
    worker.wait(timeout=60)


def test_a_job_comes_back_later_until_it_can_and_fails_at_once_when_it_never_will(
    plain: Home,
) -> None:
    bank = plain.folder / "bank is open"
    patient = plain.book("wait_for_the_bank", file=str(bank))
    wrong = plain.book("misspell", attempts=9)
    plain.start_worker()
    until(lambda: plain.runs.get(patient.id).attempt >= 2, within=60)
    bank.touch()
    until(lambda: plain.ended(patient) and plain.ended(wrong), within=60)
    done = plain.runs.get(patient.id)
    assert done.state is RunState.SUCCEEDED
    assert done.result == done.attempt
    outcomes = [each.outcome for each in plain.runs.attempts_of(patient.id)]
    assert outcomes == ["put_off"] * (done.attempt - 1) + ["succeeded"]
    failed = plain.runs.get(wrong.id)
    assert (failed.state, failed.attempt) == (RunState.FAILED, 1)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--backoff", "5,soon"), "--backoff: '5,soon' is no list of seconds such as 5,30,120"),
        (("--backoff", "-1"), "--backoff: '-1' is no list of seconds"),
        (("--tries", "0"), "Invalid value for '--tries'"),
        (("--timeout", "0.01"), "--timeout: 0.01 s are less than an attempt takes to start"),
        (("--queue", "a b"), "--queue: 'a b' is no queue's name"),
    ],
)
def test_options_that_cannot_be_are_named(
    home: Home, options: tuple[str, ...], complaint: str
) -> None:
    done = home.run("queue", "work", *options)
    assert done.returncode == 2
    assert complaint in " ".join(done.stderr.split())


def test_a_limit_of_nought_is_none(home: Home) -> None:
    none = ("--max-jobs", "0", "--max-time", "0", "--timeout", "0")
    done = home.run("queue", "work", "--stop-when-empty", *none)
    assert done.returncode == 0, done.stderr
    assert "stopped: no run is ready" in done.stdout
