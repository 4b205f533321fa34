"""A ledger on PostgreSQL goes away while runs go on: workers wait, and all work is done once."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from engine.states import RunState
from engine.store.faults import LedgerUnreachable
from tests.builders.database import a_postgres_ledger
from tests.builders.home import Home
from tests.builders.postgres import PostgresServer, start_postgres
from tests.processes.waiting import until

pytestmark = pytest.mark.process

RUNS = 60


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A server that the test may stop."""
    server = start_postgres()
    yield server
    server.remove()


@pytest.fixture
def postgres_home(tmp_path: Path, own_postgres: PostgresServer) -> Iterator[Home]:
    """A home whose ledger is on a server of its own."""
    home = Home(tmp_path / "home", database_url=a_postgres_ledger(own_postgres))
    yield home
    home.close()


def test_workers_outlive_a_ledger_that_is_restarted_and_one_that_is_killed(
    postgres_home: Home, own_postgres: PostgresServer
) -> None:
    home = postgres_home
    with home.database.begin() as connection:
        connection.execute(text("CREATE TABLE trial_rows (number INTEGER)"))
    for number in range(RUNS):
        home.book("write_row", attempts=50, number=number)
    workers = [home.start_worker("-w", "4", "--grace", "1") for _ in range(2)]
    until(lambda: all(map(home.holds_runs, workers)))
    own_postgres.restart()
    until(lambda: all(map(home.holds_runs, workers)), within=30)
    own_postgres.kill()
    time.sleep(2)
    own_postgres.start()
    until(lambda: _succeeded(home) == RUNS, within=60)
    assert [worker.poll() for worker in workers] == [None, None]
    with home.database.read() as connection:
        rows = connection.execute(text("SELECT number FROM trial_rows")).scalars().all()
    assert sorted(rows) == list(range(RUNS))
    assert "Traceback" not in home.said()


def _succeeded(home: Home) -> int:
    try:
        return home.count(RunState.SUCCEEDED)
    except LedgerUnreachable:
        return 0
