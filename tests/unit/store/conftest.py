"""A ledger for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.store.database import Database
from engine.store.runs import RunStore
from tests.builders.database import a_database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An upgraded SQLite ledger."""
    database = a_database(tmp_path)
    yield database
    database.dispose()


@pytest.fixture
def runs(database: Database) -> RunStore:
    """Its runs."""
    return RunStore(database)
