"""Retention: files go, records stay, and what killed attempts left goes too."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from engine.artifact_files import ArtifactFiles
from engine.exporters.formats import EXPORTERS
from engine.reporting.publish import Publisher
from engine.retention import Retention
from engine.store.artifacts import Artifact, ArtifactStore
from engine.store.database import Database
from tests.builders.clock import FakeClock
from tests.builders.database import a_database
from tests.builders.document import a_document
from tests.builders.run import a_run


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return a_database(tmp_path)


@pytest.fixture
def retention(tmp_path: Path, database: Database, clock: FakeClock) -> Retention:
    return Retention(
        artifacts=ArtifactStore(database, clock),
        files=ArtifactFiles(f"file://{tmp_path / 'artifacts'}"),
        clock=clock,
    )


def published(retention: Retention, run_id: int, keep_for: timedelta | None) -> Artifact:
    publisher = Publisher(
        files=retention.files,
        artifacts=retention.artifacts,
        exporters=EXPORTERS,
        keep_for=keep_for,
    )
    return publisher.publish(run_id, "people", a_document(), "csv")


def age(retention: Retention, path: str, clock: FakeClock) -> None:
    """Make a file as old as the clock says it would be."""
    written_at = clock.now().timestamp()
    os.utime(retention.files.root / path, (written_at, written_at))


def test_a_file_past_its_date_goes_and_its_record_stays(
    retention: Retention, database: Database, clock: FakeClock
) -> None:
    short = published(retention, a_run(database), timedelta(days=1))
    long = published(retention, a_run(database), timedelta(days=9))
    clock.advance(timedelta(days=2))
    assert retention.purge() == 1
    assert not (retention.files.root / short.path).exists()
    assert (retention.files.root / long.path).exists()
    assert retention.artifacts.get(short.id).deleted_at == clock.now()
    assert retention.artifacts.list() == [long]
    assert retention.purge() == 0


def test_an_age_can_be_given(retention: Retention, database: Database, clock: FakeClock) -> None:
    published(retention, a_run(database), None)
    clock.advance(timedelta(days=91))
    assert retention.purge(older_than=timedelta(days=92)) == 0
    assert retention.purge(older_than=timedelta(days=90)) == 1


def test_a_purge_finishes_what_a_crash_interrupted(
    retention: Retention, database: Database, clock: FakeClock
) -> None:
    artifact = published(retention, a_run(database), timedelta(days=1))
    retention.files.delete(artifact.path)
    clock.advance(timedelta(days=2))
    assert retention.purge() == 1
    assert retention.artifacts.list() == []


def test_files_that_no_record_knows_go_after_a_day(
    retention: Retention, database: Database, clock: FakeClock
) -> None:
    kept = published(retention, a_run(database), None)
    age(retention, kept.path, clock)
    strays = [f"{kept.run_id}/aa/people.csv", f"{kept.run_id}/bb/people.csv.0f.partial"]
    for path in strays:
        retention.files.publish(path, lambda target: target.write(b"half"))
        age(retention, path, clock)
    retention.purge()
    assert all((retention.files.root / path).exists() for path in strays)
    clock.advance(timedelta(days=2))
    retention.purge()
    assert [file.path for file in retention.files.found()] == [kept.path]


def test_a_purge_of_nothing_in_a_folder_that_is_not_there_is_nothing(retention: Retention) -> None:
    assert retention.purge() == 0
