"""A storage that is away costs a run no second reading of its sources, and no wrong report."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from engine.app import App
from engine.artifact_files.faults import StorageUnreachable
from engine.artifact_files.spool import SpooledFile
from engine.artifact_files.storage import FoundFile, Storage
from engine.demo.world import World
from engine.reconciliation.reconcile import Reconciler
from engine.retry import RetryPolicy
from engine.store.run import Claim, NewRun
from engine.store.runs import RunStore
from tests.builders.app import a_canteen
from tests.builders.clock import FakeClock
from tests.builders.world import AS_OF, a_world
from tests.unit.reconciliation.test_service import AnAttempt


class Away:
    """A storage whose puts fail as often as is said, counted from the next one after `after`."""

    shown = "s3://bucket"

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.fails = 0
        self.after = 0
        self.stored: list[str] = []

    def put(self, file: SpooledFile, path: str) -> None:
        self.after -= 1
        if self.after < 0 and self.fails:
            self.fails -= 1
            raise StorageUnreachable(url=self.shown, reason="SlowDown")
        self.storage.put(file, path)
        self.stored.append(file.name.rpartition(".")[2])

    def open(self, path: str) -> BinaryIO:
        return self.storage.open(path)

    def delete(self, path: str) -> None:
        self.storage.delete(path)

    def found(self) -> Iterator[FoundFile]:
        return self.storage.found()

    def delete_unfinished(self, begun_before: datetime) -> int:
        return self.storage.delete_unfinished(begun_before)

    def close(self) -> None:
        self.storage.close()


class Machine:
    """One machine's engine on the ledger that all share; it counts how often it queries."""

    def __init__(self, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
        self.app = app
        self.storage = Away(app.publisher.files.storage)
        self.queries = 0
        files = replace(app.publisher.files, storage=self.storage, patience=RetryPolicy(attempts=1))
        vars(app)["publisher"] = replace(app.publisher, files=files)
        find = Reconciler.find

        def counted(reconciler: Reconciler, *arguments: Any, **options: Any) -> Any:
            self.queries += reconciler is app.reconciliations.reconciler
            return find(reconciler, *arguments, **options)

        monkeypatch.setattr(Reconciler, "find", counted)

    def attempt(self, run_id: int) -> dict[str, Any]:
        """One attempt at the run, until it ends or fails."""
        runs = RunStore(self.app.database, lease=timedelta(hours=1))
        claim = runs.claim(run_id, "a worker")
        assert claim is not None
        attempt = AnAttempt(claim, runs.get(run_id).reference)
        try:
            result = self.app.reconciliations.run(attempt, "wallets")
            runs.succeed(claim, result)
            return result
        except StorageUnreachable as error:
            runs.retry_later(claim, _as_error(error), timedelta())
            raise

    def fails(self, run_id: int) -> None:
        with pytest.raises(StorageUnreachable):
            self.attempt(run_id)


def _as_error(error: Exception) -> Any:
    from engine.execution.outcome import run_error

    return run_error(type(error).__name__, str(error))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return a_world(tmp_path, wallets=60, entries=900, faults=5)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(AS_OF + timedelta(hours=3))


@pytest.fixture
def machine(
    tmp_path: Path, world: World, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Machine]:
    app = a_canteen(tmp_path, world, clock)
    yield Machine(app, monkeypatch)
    app.close()


@pytest.fixture
def other(
    tmp_path: Path,
    world: World,
    clock: FakeClock,
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Machine]:
    (tmp_path / "other").mkdir()
    app = a_canteen(tmp_path / "other", world, clock, machine.app.settings.database)
    yield Machine(app, monkeypatch)
    app.close()


def a_run(machine: Machine) -> int:
    run, _ = machine.app.runs.book(NewRun(job="reconcile", queue="default"))
    return run.id


def spooled(machine: Machine) -> list[str]:
    return [each.reference for each in machine.app.publisher.spool.runs()]


def test_the_next_attempt_only_stores(machine: Machine, clock: FakeClock) -> None:
    run_id = a_run(machine)
    machine.storage.fails = 2
    machine.fails(run_id)
    clock.advance(timedelta(hours=1))
    machine.fails(run_id)
    assert machine.app.artifacts.list() == []
    clock.advance(timedelta(hours=1))
    result = machine.attempt(run_id)
    assert machine.queries == 1
    assert result["opened"] == result["breaks"] > 0
    assert {each.occurrences for each in machine.app.breaks.list(limit=None)} == {1}
    assert machine.storage.stored == ["xlsx", "csv", "pdf"]
    assert machine.app.retention.purge_spool() == 1
    assert spooled(machine) == []


def test_an_attempt_that_was_lost_after_all_was_stored_does_nothing_again(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = a_run(machine)

    def lose(runs: RunStore, claim: Claim, result: object) -> None:
        runs.retry_later(claim, _as_error(ValueError("the worker was killed")), timedelta())

    with monkeypatch.context() as lost:
        lost.setattr(RunStore, "succeed", lose)
        first = machine.attempt(run_id)
    artifacts = machine.app.artifacts.list()
    assert machine.attempt(run_id) == first
    assert machine.queries == 1
    assert machine.storage.stored == ["xlsx", "csv", "pdf"]
    assert machine.app.artifacts.list() == artifacts


def test_what_is_stored_and_recorded_is_not_stored_again(machine: Machine) -> None:
    run_id = a_run(machine)
    machine.storage.after, machine.storage.fails = 1, 1
    machine.fails(run_id)
    (first,) = machine.app.artifacts.list()
    machine.attempt(run_id)
    assert machine.storage.stored == ["xlsx", "csv", "pdf"]
    assert machine.app.artifacts.get(first.id) == first
    assert len(machine.app.artifacts.list()) == 3


def test_another_run_reads_its_sources_itself(machine: Machine) -> None:
    machine.storage.fails = 1
    machine.fails(a_run(machine))
    machine.attempt(a_run(machine))
    assert machine.queries == 2
    assert len(spooled(machine)) == 2


def test_a_damaged_spool_is_made_again(machine: Machine) -> None:
    run_id = a_run(machine)
    machine.storage.fails = 1
    machine.fails(run_id)
    (csv,) = machine.app.publisher.spool.folder.rglob("*.csv")
    csv.write_bytes(csv.read_bytes()[:-1])
    machine.attempt(run_id)
    assert machine.queries == 2
    assert len(machine.app.artifacts.list()) == 3


def test_another_machine_reads_the_sources_itself(machine: Machine, other: Machine) -> None:
    run_id = a_run(machine)
    machine.storage.fails = 1
    machine.fails(run_id)
    other.attempt(run_id)
    assert (machine.queries, other.queries) == (1, 1)


def test_a_report_that_another_machine_has_overtaken_is_not_published(
    machine: Machine, other: Machine, clock: FakeClock
) -> None:
    run_id = a_run(machine)
    machine.storage.fails = other.storage.fails = 1
    machine.fails(run_id)
    clock.advance(timedelta(hours=1))
    other.fails(run_id)  # it has read, and recorded, anew
    clock.advance(timedelta(hours=1))
    machine.attempt(run_id)
    assert machine.queries == 2
    recorded = machine.app.reconciliation_store.of_run(run_id)
    assert recorded is not None
    assert recorded["read_at"] == clock.now()
