"""Restarts: every process that is there is asked, and says whom it replaces when it is back."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import update

from engine.store.database import Database
from engine.store.restarts import RestartStore
from engine.store.tables import workers
from engine.store.workers import AWAY_AT_MOST, WorkerStore
from tests.builders.booking import let_leases_run_out


@pytest.fixture
def restarts(database: Database) -> RestartStore:
    """Nobody was asked yet."""
    return RestartStore(database)


@pytest.fixture
def presence(database: Database) -> WorkerStore:
    """Nobody is there."""
    return WorkerStore(database)


def announce(presence: WorkerStore, worker: str, **changes: Any) -> None:
    """A process of this name is there."""
    facts: dict[str, Any] = {
        "host": "a",
        "pid": 7,
        "kind": "worker",
        "queues": ["default"],
        "threads": 2,
    }
    presence.announce(worker=worker, **(facts | changes))


def test_a_process_says_what_it_is(presence: WorkerStore) -> None:
    announce(presence, "new", version="0.1.0+3f9a", manager="systemd", replaces="old")
    assert presence.seen("new", memory_bytes=7_000_000)
    (process,) = presence.present()
    assert (process.version, process.manager, process.replaces) == ("0.1.0+3f9a", "systemd", "old")
    assert process.memory_bytes == 7_000_000
    assert process.seen_at is not None
    assert abs((process.seen_at - datetime.now(UTC)).total_seconds()) < 5


def test_all_that_are_present_are_asked_once(
    restarts: RestartStore, presence: WorkerStore, database: Database
) -> None:
    announce(presence, "gone")
    let_leases_run_out(database)
    announce(presence, "worker")
    announce(presence, "scheduler", kind="scheduler", queues=[])
    assert not restarts.is_asked("worker")
    asked = restarts.ask(actor="sara")
    assert {process.id for process in asked} == {"worker", "scheduler"}
    assert restarts.is_asked("worker")
    assert restarts.is_asked("scheduler")
    assert not restarts.is_asked("nobody")
    instants = {process.id: process.restart_requested_at for process in asked}
    announce(presence, "late")
    again = restarts.ask(actor="sara")
    assert instants.items() <= {each.id: each.restart_requested_at for each in again}.items()
    assert len(again) == 3


def test_whoever_announces_itself_again_is_still_asked(
    restarts: RestartStore, presence: WorkerStore
) -> None:
    announce(presence, "worker")
    restarts.ask(actor="sara")
    announce(presence, "worker")
    assert restarts.is_asked("worker")


def test_successors_are_those_that_replace(restarts: RestartStore, presence: WorkerStore) -> None:
    announce(presence, "old")
    announce(presence, "new", replaces="old")
    announce(presence, "other")
    assert [process.id for process in restarts.successors(["old", "other"])] == ["new"]
    presence.leave("new")
    assert restarts.successors(["old"]) == []


def test_whoever_is_between_old_and_new_is_waited_for_by_all_who_ask(
    restarts: RestartStore, presence: WorkerStore
) -> None:
    announce(presence, "worker")
    announce(presence, "leaver")
    restarts.ask(actor="sara")
    presence.leave("worker", comes_back=True)
    presence.leave("leaver")
    assert presence.present() == []
    assert [each.id for each in restarts.ask(actor="amir")] == ["worker"]
    announce(presence, "another")
    assert {each.id for each in restarts.ask(actor="amir")} == {"worker", "another"}
    announce(presence, "worker again", replaces="worker")
    assert {each.id for each in restarts.ask(actor="amir")} == {"another", "worker again"}


def test_one_that_died_before_it_came_back_is_waited_for_and_forgotten_in_the_end(
    restarts: RestartStore, presence: WorkerStore, database: Database
) -> None:
    announce(presence, "worker")
    restarts.ask(actor="sara")
    for away, waited_for in ((AWAY_AT_MOST / 2, ["worker"]), (AWAY_AT_MOST * 2, [])):
        with database.begin() as connection:
            connection.execute(update(workers).values(seen_until=datetime.now(UTC) - away))
        assert [each.id for each in restarts.ask(actor="sara")] == waited_for
