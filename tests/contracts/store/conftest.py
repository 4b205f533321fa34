"""A ledger for each test, and each test on every database that can hold one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.store.database import BACKENDS, Database
from engine.store.runs import RunStore
from tests.builders.database import a_database, a_postgres_database, empty
from tests.builders.postgres import PostgresServer


@pytest.fixture(scope="session")
def postgres_ledger(postgres_server: PostgresServer) -> Iterator[Database]:
    """One for all tests here, each of which finds it empty."""
    database = a_postgres_database(postgres_server)
    yield database
    database.dispose()


@pytest.fixture(params=BACKENDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An upgraded ledger, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        database = a_database(tmp_path)
        yield database
        database.dispose()
        return
    database = request.getfixturevalue("postgres_ledger")
    yield database
    empty(database)


@pytest.fixture
def runs(database: Database) -> RunStore:
    """Its runs."""
    return RunStore(database)
