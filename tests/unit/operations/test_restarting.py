"""Waiting for processes that were asked to restart."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from engine.operations.restarting import Restart, await_return, restart_all
from engine.store.restarts import RestartStore
from engine.store.workers import WorkerStore
from tests.builders.database import a_database


@pytest.fixture
def presence(tmp_path: Path) -> Iterator[WorkerStore]:
    """Two workers."""
    database = a_database(tmp_path)
    presence = WorkerStore(database)
    for name in ("one", "two"):
        announce(presence, name)
    yield presence
    database.dispose()


def announce(presence: WorkerStore, name: str, replaces: str | None = None) -> None:
    """A worker is there."""
    presence.announce(
        worker=name, host="a", pid=7, kind="worker", queues=[], threads=1, replaces=replaces
    )


def test_each_is_told_of_when_it_comes_back_and_who_does_not_is_left_open(
    presence: WorkerStore,
) -> None:
    restarts = RestartStore(presence.database)
    now = [0.0]
    told: list[Restart] = []

    def sleep(seconds: float) -> None:
        if now[0] == 0.0:
            presence.leave("one")
            announce(presence, "one again", replaces="one")
        now[0] += 2

    done = await_return(
        restarts,
        restart_all(restarts, actor="sara"),
        within=timedelta(seconds=10),
        tell=told.append,
        sleep=sleep,
        monotonic=lambda: now[0],
    )
    assert now[0] == 10
    assert [(each.old.id, each.new and each.new.id) for each in done] == [
        ("one", "one again"),
        ("two", None),
    ]
    assert told == [done[0]]
    back, missing = (each.as_json() for each in done)
    assert (back["new_id"], back["returned_at"] is not None) == ("one again", True)
    assert (missing["new_id"], missing["returned_at"]) == (None, None)
    assert missing["requested_at"] is not None


def test_nobody_is_waited_for_when_all_are_back(presence: WorkerStore) -> None:
    restarts = RestartStore(presence.database)
    asked = restart_all(restarts, actor="sara")
    for name in ("one", "two"):
        announce(presence, f"{name} again", replaces=name)

    def sleep(_: float) -> None:
        raise AssertionError

    done = await_return(
        restarts, asked, within=timedelta(hours=1), tell=lambda _: None, sleep=sleep
    )
    assert all(restart.new for restart in done)
    nobody = await_return(restarts, [], within=timedelta(hours=1), tell=lambda _: None, sleep=sleep)
    assert nobody == []
