"""A ledger for each test, and each test on every database that can hold one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.store.database import BACKENDS, Database
from engine.store.runs import RunStore
from tests.builders.database import a_database, a_postgres_database
from tests.builders.postgres import PostgresServer


@pytest.fixture(params=BACKENDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An upgraded ledger, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        database = a_database(tmp_path)
        yield database
        database.dispose()
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    database = a_postgres_database(server)
    yield database
    database.dispose()
    server.drop_database(str(database.url.database))


@pytest.fixture
def runs(database: Database) -> RunStore:
    """Its runs."""
    return RunStore(database)
