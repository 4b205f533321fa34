"""Priorities within a queue, whichever backend its messages lie in: no backend knows of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from engine.dispatch import Dispatch
from engine.huey_app.doorbell import Doorbell
from engine.states import RunState
from engine.store.runs import RunStore
from tests.builders.booking import a_new_run, let_rings_fade
from tests.builders.database import a_database
from tests.builders.postgres import PostgresServer
from tests.builders.redis import RedisServer


@pytest.fixture(params=["sqlite", "redis", "postgresql"])
def doorbell(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Doorbell]:
    """Empty queues."""
    url = f"sqlite:///{tmp_path / 'queue.db'}"
    if request.param == "redis":
        server: RedisServer = request.getfixturevalue("redis_server")
        url = server.url
        with Redis.from_url(url) as redis:
            redis.flushall()
    elif request.param == "postgresql":
        postgres: PostgresServer = request.getfixturevalue("postgres_server")
        url = postgres.url_of(postgres.make_database())
    doorbell = Doorbell(url)
    yield doorbell
    doorbell.close()


@pytest.fixture
def dispatch(doorbell: Doorbell, tmp_path: Path) -> Iterator[Dispatch]:
    """Books in a ledger of the test's own, and rings there."""
    database = a_database(tmp_path)
    yield Dispatch(runs=RunStore(database), doorbell=doorbell)
    database.dispose()


def taken(dispatch: Dispatch) -> int | None:
    """The run that a message calls; None when there is no message, or nobody to call."""
    ring = dispatch.doorbell.take(["default"])
    claimed = dispatch.runs.take(ring.run_id, "worker-1", lambda _: None) if ring else None
    return claimed.run.id if claimed else None


def test_the_highest_comes_first_and_each_message_takes_one_run(dispatch: Dispatch) -> None:
    priorities = [0, 0, 5, -1, 9, 0, 5]
    booked = [dispatch.book(a_new_run(priority=each)).run for each in priorities]
    wanted = sorted(booked, key=lambda run: (-run.priority, run.id))
    assert [taken(dispatch) for _ in priorities] == [run.id for run in wanted]
    assert taken(dispatch) is None
    assert dispatch.doorbell.size("default") == 0


def test_a_low_priority_is_not_lost_with_the_message_that_took_a_higher_one(
    dispatch: Dispatch,
) -> None:
    low, high = (dispatch.book(a_new_run(priority=each)).run for each in (0, 1))
    assert taken(dispatch) == high.id
    # Whoever took it ends here, and all messages are lost as well: the sweep rings, in time.
    while dispatch.doorbell.take(["default"]) is not None:
        pass
    assert dispatch.runs.get(low.id).state is RunState.QUEUED
    let_rings_fade(dispatch.runs.database)
    dispatch.ring_due()
    assert taken(dispatch) == low.id
