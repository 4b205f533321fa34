"""A ledger of one test, upgraded: in a SQLite file, or in a database of a PostgreSQL server."""

import tempfile
from functools import cache
from pathlib import Path
from shutil import copyfile

from engine.store.database import Database
from tests.builders.postgres import PostgresServer


def a_database(folder: Path) -> Database:
    """An empty, upgraded SQLite ledger in `folder`; one that is there already stays."""
    file = folder / "engine.db"
    if not file.exists():
        copyfile(_upgraded(), file)
    database = Database(f"sqlite:///{file}")
    database.require_current()
    return database


def a_postgres_database(server: PostgresServer) -> Database:
    """An empty, upgraded ledger in a new database of the server."""
    return Database(a_postgres_ledger(server))


def a_postgres_ledger(server: PostgresServer) -> str:
    """The URL of an empty, upgraded ledger in a new database of the server."""
    return server.url_of(server.make_database(_template(server)))


@cache
def _upgraded() -> Path:
    """Upgraded once for all tests: each has its own copy."""
    file = Path(tempfile.mkdtemp(prefix="engine-tests-")) / "engine.db"
    database = Database(f"sqlite:///{file}")
    database.upgrade()
    database.dispose()
    return file


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
