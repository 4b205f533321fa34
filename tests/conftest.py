"""What every test may ask for, and what holds for every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.mariadb import MariadbServer, start_mariadb
from tests.builders.postgres import PostgresServer, start_postgres
from tests.builders.redis import RedisServer, start_redis
from tests.builders.s3 import S3Server, start_s3
from tests.builders.sftp import SftpServer, start_sftp
from tests.builders.source import BACKENDS, SourceDatabase, a_source
from tests.no_skips import pytest_make_collect_report as pytest_make_collect_report
from tests.no_skips import pytest_runtest_makereport as pytest_runtest_makereport
from tests.side_by_side import pytest_xdist_make_scheduler as pytest_xdist_make_scheduler
from tests.temporary_files import pytest_configure as pytest_configure


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis for the whole session; a test that flushes or restarts it starts its own."""
    server = start_redis(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL for the whole session; a test that restarts or kills it starts its own."""
    server = start_postgres()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """An object store for the whole session; a test that stops or restarts it starts its own."""
    server = start_s3()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def sftp_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SftpServer]:
    """An SSH server for the whole session; a test that stops it starts its own."""
    server = start_sftp(tmp_path_factory.mktemp("sftp"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MariadbServer]:
    """A MariaDB for the whole session; a test that restarts or kills it starts its own."""
    server = start_mariadb()
    yield server
    server.remove()


@pytest.fixture(params=BACKENDS)
def source_database(request: pytest.FixtureRequest, tmp_path: Path) -> SourceDatabase:
    """An empty source of every kind in turn, with a role that may only read it."""
    return a_source(request.param, tmp_path, request.getfixturevalue)
