"""A scheduler serves metrics, whatever becomes of the ledger and of the port."""

import socket
import time
import urllib.request
from collections.abc import Mapping
from contextlib import closing

import pytest

from tests.builders.home import Home
from tests.builders.postgres import PostgresServer
from tests.builders.prometheus import samples_in
from tests.processes.waiting import until

pytestmark = pytest.mark.process

SCHEDULES = "schedules:\n  yearly: {job: tick, cron: '0 0 1 1 *', timezone: UTC}\n"
# What Prometheus waits for a scrape unless it is told otherwise.
SCRAPE_SECONDS = 10


@pytest.fixture(params=["home", "postgres_home"])
def either_home(request: pytest.FixtureRequest) -> Home:
    """A home whose ledger is on either database."""
    home: Home = request.getfixturevalue(request.param)
    return home


def start_scheduler(home: Home) -> int:
    """Start one that serves metrics; returns the port, once it does."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    (home.folder / "schedules.yaml").write_text(SCHEDULES)
    home.more["ENGINE_METRICS"] = f"127.0.0.1:{port}"
    home.start("scheduler")
    until(lambda: "metrics are served" in home.said(), within=30)
    return port


def scrape(port: int) -> Mapping[str, float]:
    """One scrape; fails if it takes as long as Prometheus waits."""
    begun_at = time.monotonic()
    with urllib.request.urlopen(
        f"http://127.0.0.1:{port}/metrics", timeout=SCRAPE_SECONDS
    ) as answer:
        found = samples_in(answer.read().decode())
    assert time.monotonic() - begun_at < SCRAPE_SECONDS
    return found


def is_up(port: int) -> bool:
    return scrape(port)["engine_up"] == 1


def test_what_a_worker_does_is_seen_at_the_next_scrape(either_home: Home) -> None:
    home = either_home
    port = start_scheduler(home)
    until(lambda: is_up(port), within=30)
    run = home.book("tick")
    home.start_worker()
    until(lambda: home.ended(run), within=30)
    done = 'engine_attempts_total{job_name="tick",outcome="succeeded"}'
    until(lambda: scrape(port).get(done) == 1, within=30)
    found = scrape(port)
    assert found['engine_runs_booked_total{job_name="tick"}'] == 1
    assert found['engine_attempt_duration_seconds_count{job_name="tick"}'] == 1
    assert found['engine_workers{queue="default"}'] == 1
    assert found['engine_processes{kind="scheduler"}'] == 1


def test_a_taken_port_is_no_end_of_a_scheduler(home: Home) -> None:
    port = start_scheduler(home)
    second = home.start("scheduler")
    until(lambda: "metrics are not served" in home.said(), within=30)
    until(lambda: scrape(port).get('engine_processes{kind="scheduler"}') == 2, within=30)
    assert second.poll() is None
    assert home.said().count("metrics are not served") == 1


def test_a_ledger_that_is_away_or_silent_is_shown_as_down_and_scrapes_do_not_hang(
    ledger_home: Home, own_postgres: PostgresServer
) -> None:
    own_postgres.stop()
    port = start_scheduler(ledger_home)
    assert not is_up(port)
    own_postgres.start()
    # From when it has announced itself it outlives whatever its ledger does.
    until(lambda: scrape(port).get('engine_processes{kind="scheduler"}') == 1, within=30)
    with own_postgres.frozen():
        until(lambda: not is_up(port), within=30)
        assert not is_up(port)
    until(lambda: is_up(port), within=60)
    own_postgres.stop()
    until(lambda: not is_up(port), within=30)
    assert "Traceback" not in ledger_home.said()
