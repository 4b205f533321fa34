"""Retention: files go, records stay, and what killed attempts left goes too."""

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from engine.retention import Retention
from engine.store.artifacts import Artifact
from engine.store.database import Database
from engine.store.run import NewRun
from engine.store.runs import RunStore
from tests.builders.clock import FakeClock
from tests.builders.database import a_database
from tests.builders.document import a_document
from tests.builders.publisher import a_publisher, publish
from tests.builders.run import a_run
from tests.builders.spool import a_spooled_file


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return a_database(tmp_path)


@pytest.fixture
def retention(tmp_path: Path, database: Database, clock: FakeClock) -> Retention:
    publisher = a_publisher(tmp_path, database, clock)
    return Retention(
        artifacts=publisher.artifacts,
        runs=RunStore(database),
        files=publisher.files,
        spool=publisher.spool,
        clock=clock,
        largest_spool=1_000_000,
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "artifacts"


def published(retention: Retention, run_id: int, keep_for: timedelta | None) -> Artifact:
    publisher = replace(
        a_publisher(Path("/"), retention.runs.database),
        files=retention.files,
        spool=retention.spool,
        artifacts=retention.artifacts,
        keep_for=keep_for,
    )
    return publish(publisher, run_id, a_document())


def age(path: Path, clock: FakeClock) -> None:
    """Make a file, or all of a folder, as old as the clock says it would be."""
    written_at = clock.now().timestamp()
    for each in (path, *path.rglob("*")):
        os.utime(each, (written_at, written_at))


def test_a_file_past_its_date_goes_and_its_record_stays(
    retention: Retention, root: Path, database: Database, clock: FakeClock
) -> None:
    short = published(retention, a_run(database), timedelta(days=1))
    long = published(retention, a_run(database), timedelta(days=9))
    clock.advance(timedelta(days=2))
    assert retention.purge() == 1
    assert not (root / short.path).exists()
    assert (root / long.path).exists()
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
    retention: Retention, root: Path, tmp_path: Path, database: Database, clock: FakeClock
) -> None:
    kept = published(retention, a_run(database), None)
    age(root / kept.path, clock)
    strays = [root / f"{kept.run_id}/aa/people.csv", root / f"{kept.run_id}/people.0f.partial"]
    retention.files.put(a_spooled_file(tmp_path), f"{kept.run_id}/aa/people.csv")
    strays[1].write_bytes(b"half")
    for each in strays:
        age(each, clock)
    retention.purge()
    assert all(each.exists() for each in strays)
    clock.advance(timedelta(days=2))
    retention.purge()
    assert [path for path in root.rglob("*") if path.is_file()] == [root / kept.path]


def test_a_purge_of_nothing_in_a_folder_that_is_not_there_is_nothing(retention: Retention) -> None:
    assert retention.purge() == 0
    assert retention.purge_spool() == 0


def spooled(retention: Retention, clock: FakeClock, *, size: int = 10) -> tuple[str, int]:
    """The reference and id of a queued run for which something is kept."""
    run, _ = retention.runs.book(NewRun(job="reconcile", queue="default"))
    spool = retention.spool.of(run.reference, 1)
    spool.seal([spool.write("a", "text/csv", lambda target: target.write(b"x" * size))], {})
    age(retention.spool.folder / run.reference, clock)
    return run.reference, run.id


def kept(retention: Retention) -> list[str]:
    return [each.reference for each in retention.spool.runs()]


def test_the_spool_keeps_what_unfinished_runs_need(retention: Retention, clock: FakeClock) -> None:
    waits, _ = spooled(retention, clock)
    runs, running = spooled(retention, clock)
    _, ending = spooled(retention, clock)
    assert retention.runs.claim(running, "a worker") is not None
    claim = retention.runs.claim(ending, "a worker")
    assert claim is not None
    retention.runs.succeed(claim, None)
    assert retention.purge_spool() == 1
    assert kept(retention) == sorted([waits, runs])
    clock.advance(timedelta(days=1, seconds=1))
    assert retention.purge_spool() == 1
    assert kept(retention) == [runs]


def test_what_no_run_is_known_for_leaves_the_spool_after_a_day(
    retention: Retention, clock: FakeClock
) -> None:
    retention.spool.of("UNKNOWN", 1).write("a", "text/csv", lambda target: target.write(b"x"))
    age(retention.spool.folder / "UNKNOWN", clock)
    assert retention.purge_spool() == 0
    clock.advance(timedelta(days=1, seconds=1))
    assert retention.purge_spool() == 1
    assert kept(retention) == []


def test_the_spool_is_bounded_and_the_oldest_leave_first(
    retention: Retention, clock: FakeClock
) -> None:
    runs, running = spooled(retention, clock, size=400_000)
    assert retention.runs.claim(running, "a worker") is not None
    names = []
    for _ in range(3):
        clock.advance(timedelta(hours=1))
        names.append(spooled(retention, clock, size=400_000)[0])
    assert retention.purge_spool() == 2
    assert kept(retention) == sorted([runs, names[-1]])
