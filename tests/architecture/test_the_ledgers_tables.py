from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from engine.store.database import REVISION
from engine.store.tables import metadata
from tests.builders.database import a_database

MIGRATIONS = Path(__file__).parents[2] / "engine" / "store" / "migrations"


def test_the_revision_that_the_code_asks_for_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]


def test_the_migrations_make_the_tables_that_the_code_describes(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    database.dispose()
