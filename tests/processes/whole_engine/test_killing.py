"""Workers are killed and servers restarted while runs go on: every run's work is done once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.database import a_postgres_ledger
from tests.builders.home import Home, kill
from tests.builders.postgres import PostgresServer
from tests.builders.redis import RedisServer
from tests.processes.waiting import until
from tests.processes.whole_engine.storm import Storm, Weather

pytestmark = pytest.mark.process

# With this seed the flush, after which half a minute goes by, comes late: the runs of workers that
# were killed wait through the same half minute.
SQUALL = Weather(
    runs=40,
    workers=4,
    kills=5,
    flushes=1,
    redis_restarts=1,
    postgres_restarts=2,
    seed=238,
)
STORM = Weather(
    runs=2000,
    workers=8,
    kills=100,
    stops=5,
    flushes=10,
    redis_restarts=5,
    postgres_restarts=2,
)


@pytest.fixture
def storm(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storm]:
    """Over a home whose ledger and queue are as the parameter says, on servers of its own."""
    ledger, queue = request.param.split(" and ")
    redis: RedisServer | None = None
    postgres: PostgresServer | None = None
    queue_url, database_url = "sqlite:///var/queue.db", None
    if "postgresql" in (ledger, queue):
        postgres = request.getfixturevalue("own_postgres")
        database_url = a_postgres_ledger(postgres)
    if queue == "postgresql":
        assert postgres is not None
        queue_url = postgres.url_of(postgres.make_database())
    if queue == "redis":
        redis = request.getfixturevalue("own_redis")
        queue_url = redis.url
    home = Home(tmp_path / "home", queue_url, database_url)
    yield Storm(home=home, weather=SQUALL, redis=redis, postgres=postgres)
    home.close()


@pytest.mark.parametrize(
    "storm",
    ["sqlite and sqlite", "sqlite and redis", "postgresql and redis", "postgresql and postgresql"],
    indirect=True,
)
def test_no_run_is_lost_and_no_work_is_done_twice(storm: Storm) -> None:
    storm.rage()


@pytest.mark.soak
@pytest.mark.parametrize("storm", ["sqlite and redis", "postgresql and redis"], indirect=True)
def test_two_thousand_effects_in_a_storm(storm: Storm) -> None:
    storm.weather = STORM
    storm.rage()


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
