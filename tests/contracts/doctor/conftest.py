"""A home to be examined, with its ledger on every database that can hold one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.huey_app.doorbell import Doorbell
from engine.store.database import BACKENDS, Database
from tests.builders.database import a_database, a_postgres_database, empty
from tests.builders.patient import Home
from tests.builders.postgres import PostgresServer
from tests.builders.redis import RedisServer


@pytest.fixture(scope="session")
def postgres_ledger(postgres_server: PostgresServer) -> Iterator[Database]:
    """One for all tests here, each of which finds it empty."""
    database = a_postgres_database(postgres_server)
    yield database
    database.dispose()


@pytest.fixture(params=BACKENDS)
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    """A home with a SQLite ledger and queue, then one with a PostgreSQL ledger."""
    if request.param == "sqlite":
        (tmp_path / "var").mkdir()
        database = a_database(tmp_path / "var")
        yield Home(tmp_path, database)
        database.dispose()
        return
    database = request.getfixturevalue("postgres_ledger")
    yield Home(tmp_path, database)
    empty(database)


@pytest.fixture
def on_redis(home: Home, redis_server: RedisServer) -> Home:
    """The home with its queue on Redis, which is empty."""
    home.queue_url = redis_server.url
    doorbell = Doorbell(home.queue_url)
    while doorbell.take(["default"]):
        pass
    doorbell.close()
    return home
