"""A full disk: it is said, nothing half done is left or listed, and nothing is lost or doubled."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from engine.sealing import KeyFile
from engine.states import RunState
from tests.builders.disk import SmallDisk, a_small_disk
from tests.builders.nightly import Nightly
from tests.processes.waiting import until

pytestmark = pytest.mark.process

FULL = "No space left on device; check its free space"


def files_in(folder: Path) -> list[str]:
    """Their names; a folder that goes while it is read holds none (rglob would raise)."""
    return sorted(name for _, _, names in os.walk(folder) for name in names)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Nightly]:
    home = Nightly(tmp_path / "home")
    yield home
    home.close()


@pytest.fixture
def disk(home: Nightly, request: pytest.FixtureRequest) -> Iterator[SmallDisk]:
    """The disk of one folder of the home, full; it is taken away before the home is."""
    # SQLite's write-ahead logs, of the ledger and of the queue, take 4 MB each in good times.
    megabytes = 2 if request.param else 12
    with a_small_disk(home.folder / "var" / request.param, megabytes=megabytes) as disk:
        disk.fill()
        yield disk


@pytest.mark.parametrize("disk", ["artifacts"], indirect=True)
def test_a_report_that_finds_no_room_is_stored_once_there_is_some(
    home: Nightly, disk: SmallDisk
) -> None:
    run = home.reconcile()
    home.start_worker()
    failed = home.until(run, RunState.RETRYING)
    assert failed.state is RunState.RETRYING
    assert failed.error is not None
    assert failed.error.type == "DiskFailed"
    assert FULL in failed.error.message
    assert home.json("artifacts", "list")["artifacts"] == []
    assert files_in(disk.folder) == ["filler"]
    disk.make_room()
    home.world.path.unlink()  # its rows are not read again
    ended = home.until(run)
    assert ended.state is RunState.SUCCEEDED
    assert len(files_in(disk.folder)) == 3


@pytest.mark.parametrize("disk", ["artifacts"], indirect=True)
def test_a_report_that_never_finds_room_fails_its_run(home: Nightly, disk: SmallDisk) -> None:
    run = home.reconcile(attempts=1)
    home.start_worker()
    failed = home.until(run)
    assert failed.state is RunState.FAILED
    assert failed.error is not None
    assert FULL in failed.error.message
    shown = home.run("runs", "show", run.reference)
    assert FULL in shown.stdout
    assert files_in(disk.folder) == ["filler"]


@pytest.mark.parametrize("disk", ["spool"], indirect=True)
def test_a_spool_without_room_fails_the_attempt_and_leaves_nothing(
    home: Nightly, disk: SmallDisk
) -> None:
    run = home.reconcile()
    home.start_worker()
    failed = home.until(run, RunState.RETRYING)
    assert failed.error is not None
    assert failed.error.type == "DiskFailed"
    assert FULL in failed.error.message
    assert home.json("artifacts", "list")["artifacts"] == []
    assert files_in(disk.folder) == ["filler"]
    disk.make_room()
    assert home.until(run).state is RunState.SUCCEEDED
    until(lambda: files_in(disk.folder) == [], within=20)


@pytest.mark.parametrize("disk", [""], ids=["everything"], indirect=True)
def test_commands_say_in_one_line_that_the_ledger_finds_no_room(
    home: Nightly, disk: SmallDisk
) -> None:
    disk.make_room()
    booked = home.book("tick")
    # As after the first command of all.
    KeyFile(home.folder / "var" / "secret.key").made()
    disk.fill()
    done = home.run("run", "tick")
    assert done.returncode == 6, done.stderr
    assert done.stderr.count("\n") == 1
    assert "no space left" in done.stderr
    assert "check its free space" in done.stderr
    # What is there can be read.
    assert [each["id"] for each in home.json("runs", "list")["runs"]] == [booked.id]
    disk.make_room()
    assert home.run("run", "tick").returncode == 0
    assert [each["id"] for each in home.json("runs", "list")["runs"]] == [booked.id + 1, booked.id]


@pytest.mark.parametrize("disk", [""], ids=["everything"], indirect=True)
def test_a_worker_that_starts_on_a_full_disk_says_so_and_waits_for_room(
    home: Nightly, disk: SmallDisk
) -> None:
    disk.make_room()
    booked = home.book("tick")
    disk.fill()
    worker = home.start_worker("-w", "1")
    until(lambda: "no space left" in home.said() or "is full" in home.said(), within=60)
    assert worker.poll() is None
    disk.make_room()
    until(lambda: home.ended(booked), within=60)
    assert home.runs.get(booked.id).state is RunState.SUCCEEDED


@pytest.mark.parametrize("disk", [""], ids=["everything"], indirect=True)
def test_workers_outlive_a_ledger_without_room_and_nothing_is_lost_or_doubled(
    home: Nightly, disk: SmallDisk
) -> None:
    disk.make_room()
    with home.database.begin() as connection:
        connection.execute(text("CREATE TABLE trial_rows (number INTEGER)"))
    workers = [home.start_worker("-w", "2"), home.start_worker("-w", "2")]
    runs = [home.book("write_row", attempts=50, number=number) for number in range(40)]
    until(lambda: home.count(RunState.SUCCEEDED) >= 4, within=30)
    disk.fill()
    # Longer than a lease lasts: attempts under way are killed, and their runs taken up again.
    until(lambda: home.said().count("the run ledger is away") == 2, within=30)
    time.sleep(12)
    assert [each.poll() for each in workers] == [None, None]
    assert home.count(RunState.SUCCEEDED) < len(runs)
    disk.make_room()
    until(lambda: all(map(home.ended, runs)), within=90)
    assert {home.runs.get(each.id).state for each in runs} == {RunState.SUCCEEDED}
    with home.database.read() as connection:
        rows = connection.execute(text("SELECT number FROM trial_rows")).scalars().all()
    assert sorted(rows) == list(range(len(runs)))
    assert "Traceback" not in home.said()
