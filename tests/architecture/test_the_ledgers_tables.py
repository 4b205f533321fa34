from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import BigInteger, Integer

from engine.store.database import BACKENDS, REVISION, Database
from engine.store.user_tables import metadata
from tests.builders.database import a_database, a_postgres_database
from tests.builders.postgres import PostgresServer

MIGRATIONS = Path(__file__).parents[2] / "engine" / "store" / "migrations"


@pytest.fixture(params=BACKENDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        database = a_database(tmp_path)
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        database = a_postgres_database(server)
    yield database
    database.dispose()


def test_the_revision_that_the_code_asks_for_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]


def test_the_migrations_make_the_tables_that_the_code_describes(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_no_key_of_a_row_is_too_small_for_a_ledger_of_many_years() -> None:
    small = [
        str(column)
        for table in metadata.tables.values()
        for column in table.columns
        if column.name == "id" or column.foreign_keys
        if isinstance(column.type, Integer) and not isinstance(column.type, BigInteger)
    ]
    assert small == []
