"""A home of each test's own, with the jobs that its module names `JOBS`; nobody works there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.store.runs import RunStore
from tests.builders.database import a_database
from tests.cli.conftest import Engine, engine_in


@pytest.fixture
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A home with these jobs and no runs."""
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "__init__.py").touch()
    (tmp_path / "jobs" / "payouts.py").write_text(request.module.JOBS)
    (tmp_path / "var").mkdir()
    return tmp_path


@pytest.fixture
def runs(home: Path) -> Iterator[RunStore]:
    """Its runs."""
    database = a_database(home / "var")
    yield RunStore(database)
    database.dispose()


@pytest.fixture
def engine(home: Path) -> Engine:
    """Runs commands in it."""
    return engine_in(home)
