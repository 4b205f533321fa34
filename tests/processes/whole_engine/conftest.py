"""Homes for tests of the whole engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.database import a_postgres_ledger
from tests.builders.home import Home
from tests.builders.postgres import PostgresServer, start_postgres
from tests.builders.redis import RedisServer, start_redis


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home whose queue is on SQLite."""
    home = Home(tmp_path / "home")
    yield home
    home.close()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis that the test may flush and stop."""
    server = start_redis(tmp_path / "redis")
    yield server
    server.stop()


@pytest.fixture
def redis_home(tmp_path: Path, own_redis: RedisServer) -> Iterator[Home]:
    """A home whose queue is on a Redis of its own."""
    home = Home(tmp_path / "home", own_redis.url)
    yield home
    home.close()


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL that the test may stop."""
    server = start_postgres()
    yield server
    server.remove()


@pytest.fixture
def postgres_home(tmp_path: Path, postgres_server: PostgresServer) -> Iterator[Home]:
    """A home whose run ledger is on PostgreSQL."""
    home = Home(tmp_path / "home", database_url=a_postgres_ledger(postgres_server))
    yield home
    home.close()


@pytest.fixture
def ledger_home(tmp_path: Path, own_postgres: PostgresServer) -> Iterator[Home]:
    """A home whose run ledger is on a PostgreSQL that the test may stop."""
    home = Home(tmp_path / "home", database_url=a_postgres_ledger(own_postgres))
    yield home
    home.close()
