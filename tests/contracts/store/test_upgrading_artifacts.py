"""A ledger that was in use before reports had versions keeps its files, each a first version."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from engine.store.artifacts import ArtifactStore
from engine.store.database import BACKENDS, Database
from tests.builders.clock import FakeClock
from tests.builders.postgres import PostgresServer
from tests.contracts.store.test_artifacts import a_version

MIGRATIONS = Path(__file__).parents[3] / "engine" / "store" / "migrations"
_RUN = text(
    "INSERT INTO runs (id, reference, job, queue, state, params, attempts_allowed, ready_at,"
    " created_at) VALUES (:id, :reference, 'reconcile', 'default', 'succeeded', '{}', 1, :at, :at)"
)
_ARTIFACT = text(
    "INSERT INTO artifacts (run_id, name, media_type, size, sha256, rows, path, created_at)"
    " VALUES (:id, 'breaks.csv', 'text/csv', 10, 'ab', 3, :path, :at)"
)


@pytest.fixture(params=BACKENDS)
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A ledger at the revision before, with two runs and a file of each."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'engine.db'}")
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        database = Database(server.url_of(server.make_database()))
    with database.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0005")
    at = "2020-11-24 01:00:00.000000" + ("" if request.param == "sqlite" else "+00:00")
    with database.begin() as connection:
        for number in (1, 2):
            connection.execute(_RUN, {"id": number, "reference": f"RUN-{number}", "at": at})
            connection.execute(_ARTIFACT, {"id": number, "path": f"{number}/breaks.csv", "at": at})
    yield database
    database.dispose()


def test_files_of_before_stay_listed_and_new_ones_are_versions(ledger: Database) -> None:
    ledger.upgrade()
    store = ArtifactStore(ledger, FakeClock())
    kept = store.list(latest=True)
    assert [(each.run_id, each.version, each.manifest) for each in kept] == [
        (2, 1, None),
        (1, 1, None),
    ]
    assert kept[0].paths == ["2/breaks.csv"]
    recorded = store.add(a_version(1, store.next_version("sales 2026", 1)))
    assert recorded is not None
    assert store.next_version("sales 2026", 2) == 2
