"""Workers are killed and servers restarted while runs go on: every run's work is done once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.database import a_postgres_ledger
from tests.builders.home import Home, kill
from tests.builders.redis import RedisServer
from tests.processes.waiting import until
from tests.processes.whole_engine.storm import Storm, Weather

pytestmark = pytest.mark.process

SQUALL = Weather(runs=60, workers=4, kills=6, flushes=1, redis_restarts=1, postgres_restarts=1)
STORM = Weather(
    runs=2000,
    workers=8,
    kills=100,
    stops=5,
    flushes=10,
    redis_restarts=5,
    postgres_restarts=2,
)


@pytest.fixture(params=["sqlite", "postgresql"])
def storm_on_redis(
    request: pytest.FixtureRequest, own_redis: RedisServer, tmp_path: Path
) -> Iterator[Storm]:
    """Over a home whose queue is on Redis, and whose ledger is on either database."""
    if request.param == "sqlite":
        home, postgres = Home(tmp_path / "home", own_redis.url), None
    else:
        postgres = request.getfixturevalue("own_postgres")
        home = Home(tmp_path / "home", own_redis.url, a_postgres_ledger(postgres))
    yield Storm(home=home, weather=SQUALL, redis=own_redis, postgres=postgres)
    home.close()


def test_no_run_is_lost_and_no_work_is_done_twice_on_sqlite(home: Home) -> None:
    Storm(home=home, weather=SQUALL).rage()


def test_no_run_is_lost_and_no_work_is_done_twice_on_redis(storm_on_redis: Storm) -> None:
    storm_on_redis.rage()


@pytest.mark.soak
def test_two_thousand_effects_in_a_storm(storm_on_redis: Storm) -> None:
    storm_on_redis.weather = STORM
    storm_on_redis.rage()


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
