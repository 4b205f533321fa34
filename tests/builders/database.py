"""A ledger of one test, upgraded: in a SQLite file, or in a database of a PostgreSQL server."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import inspect, text

from engine.store.database import Database
from engine.store.user_tables import metadata
from tests.builders.postgres import PostgresServer


def a_database(folder: Path) -> Database:
    """An empty, upgraded SQLite ledger in `folder`; one that is there already stays."""
    file = folder / "engine.db"
    if not file.exists():
        file.write_bytes(_upgraded())
    database = Database(f"sqlite:///{file}")
    database.require_current()
    return database


def a_postgres_database(server: PostgresServer) -> Database:
    """An empty, upgraded ledger in a new database of the server."""
    return Database(a_postgres_ledger(server))


def a_postgres_ledger(server: PostgresServer) -> str:
    """The URL of an empty, upgraded ledger in a new database of the server."""
    return server.url_of(server.make_database(_template(server)))


def empty(database: Database) -> None:
    """A PostgreSQL ledger as it was at first; faster than another one."""
    ours = [*metadata.tables, "alembic_version"]
    with database.begin() as connection:
        for name in set(inspect(connection).get_table_names()) - set(ours):
            connection.execute(text(f'DROP TABLE "{name}"'))
        connection.execute(text("ALTER TABLE audit_entries DISABLE TRIGGER USER"))
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
        connection.execute(text("ALTER TABLE audit_entries ENABLE TRIGGER USER"))
        for (sequence,) in connection.execute(text("SELECT sequencename FROM pg_sequences")):
            connection.execute(text(f'ALTER SEQUENCE "{sequence}" RESTART'))


@cache
def _upgraded() -> bytes:
    """Upgraded once for all tests: each has its own copy."""
    with TemporaryDirectory(prefix="engine-tests-") as folder:
        file = Path(folder) / "engine.db"
        database = Database(f"sqlite:///{file}")
        database.upgrade()
        database.dispose()
        return file.read_bytes()


_TEMPLATES: dict[Path, str] = {}


def _template(server: PostgresServer) -> str:
    """Upgraded once for each server; copied within it."""
    if server.folder not in _TEMPLATES:
        name = server.make_database()
        database = Database(server.url_of(name))
        database.upgrade()
        database.dispose()
        _TEMPLATES[server.folder] = name
    return _TEMPLATES[server.folder]
