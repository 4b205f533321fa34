"""Workers are killed and queues flushed while runs go on: every run's work is done once."""

import signal
from collections.abc import Callable, Mapping
from functools import partial

import pytest
from redis import Redis
from sqlalchemy import text

from engine.states import RunState
from tests.builders.home import Home, kill, signal_group
from tests.builders.redis import RedisServer
from tests.processes.waiting import until

pytestmark = pytest.mark.process

RUNS = 200
KILLS = 8
WORKER = ("-w", "4", "--grace", "1")


def test_no_run_is_lost_and_no_work_is_done_twice_on_sqlite(home: Home) -> None:
    _book(home, RUNS)
    _kill_workers_while_runs_go_on(home)
    _every_row_is_there_once(home)


def test_no_run_is_lost_and_no_work_is_done_twice_on_redis(
    redis_home: Home, own_redis: RedisServer
) -> None:
    with Redis.from_url(own_redis.url) as redis:

        def flush_and_book() -> None:
            redis.flushall()
            _book(redis_home, RUNS - 40)

        # What a flush took is rung for again after 30 s: both waits go on at the same time.
        _book(redis_home, 40)
        _kill_workers_while_runs_go_on(
            redis_home, meanwhile={1: flush_and_book, KILLS: redis.flushall}
        )
    _every_row_is_there_once(redis_home)


def test_a_killed_workers_run_is_taken_up_within_20_seconds(home: Home) -> None:
    pids = home.folder / "pids"
    run = home.book("take_a_while", attempts=2, seconds=30, pids=str(pids))
    workers = [home.start_worker("-w", "1"), home.start_worker("-w", "1")]
    (holder,) = until(lambda: [each for each in workers if home.holds_runs(each)])
    kill(holder)
    until(lambda: home.runs.get(run.id).attempt == 2, within=20)
    lost, _ = home.runs.attempts_of(run.id)
    assert lost.outcome == "lost"
    assert lost.error_message is not None
    assert f"worker lost: {lost.worker} did not renew its lease" in lost.error_message


def _kill_workers_while_runs_go_on(
    home: Home, meanwhile: Mapping[int, Callable[[], object]] | None = None
) -> None:
    older, newer = home.start_worker(*WORKER), home.start_worker(*WORKER)
    for number in range(KILLS + 1):
        until(partial(home.holds_runs, older), within=60)
        if number == KILLS // 2:
            signal_group(older, signal.SIGTERM)
            assert older.wait(timeout=10) == 0
        else:
            kill(older)
        (meanwhile or {}).get(number, lambda: None)()
        older, newer = newer, home.start_worker(*WORKER)
    until(lambda: home.count(RunState.SUCCEEDED) == RUNS, within=60)


def _book(home: Home, count: int) -> None:
    with home.database.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS trial_rows (number INTEGER)"))
    first = len(home.runs.newest(limit=RUNS))
    for number in range(first, first + count):
        home.book("write_row", attempts=50, number=number)


def _every_row_is_there_once(home: Home) -> None:
    with home.database.read() as connection:
        rows = connection.execute(text("SELECT number FROM trial_rows")).scalars().all()
    assert sorted(rows) == list(range(RUNS))
    runs = home.runs.newest(limit=10_000)
    assert len(runs) == RUNS
    assert {run.state for run in runs} == {RunState.SUCCEEDED}
    outcomes = [each.outcome for run in runs for each in home.runs.attempts_of(run.id)]
    assert outcomes.count("succeeded") == RUNS
    assert outcomes.count("lost") >= KILLS
