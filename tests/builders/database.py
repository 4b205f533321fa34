"""A ledger of one test: SQLite, upgraded."""

import tempfile
from functools import cache
from pathlib import Path
from shutil import copyfile

from engine.store.database import Database


def a_database(folder: Path) -> Database:
    """An empty, upgraded SQLite ledger in `folder`; one that is there already stays."""
    file = folder / "engine.db"
    if not file.exists():
        copyfile(_upgraded(), file)
    database = Database(f"sqlite:///{file}")
    database.require_current()
    return database


@cache
def _upgraded() -> Path:
    """Upgraded once for all tests: each has its own copy."""
    file = Path(tempfile.mkdtemp(prefix="engine-tests-")) / "engine.db"
    database = Database(f"sqlite:///{file}")
    database.upgrade()
    database.dispose()
    return file
