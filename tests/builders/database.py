"""A ledger of one test: SQLite, upgraded."""

from pathlib import Path

from engine.store.database import Database


def a_database(folder: Path) -> Database:
    """An empty, upgraded SQLite ledger in `folder`."""
    database = Database(f"sqlite:///{folder / 'engine.db'}")
    database.upgrade()
    return database
