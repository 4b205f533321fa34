"""A ledger for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.store.runs import RunStore
from tests.builders.database import a_database


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[RunStore]:
    """The runs of an empty ledger."""
    database = a_database(tmp_path)
    yield RunStore(database)
    database.dispose()
