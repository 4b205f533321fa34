"""The state of the queues, whatever their server does."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from engine.huey_app.doorbell import Doorbell
from engine.operations.queue_status import QueueStatus, queue_status
from engine.store.database import Database
from engine.store.paused_queues import PausedQueueStore
from engine.store.run_counts import RunCounts
from engine.store.runs import RunStore
from engine.store.tables import runs as run_table
from engine.store.workers import WorkerStore
from tests.builders.booking import BROKEN, LONG_AGO, a_claim, a_run
from tests.builders.redis import RedisServer, start_redis


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis of the test's own, which it may stop."""
    server = start_redis(tmp_path)
    yield server
    server.stop()


@pytest.fixture
def doorbell(server: RedisServer) -> Iterator[Doorbell]:
    doorbell = Doorbell(server.url)
    yield doorbell
    doorbell.close()


def status(database: Database, doorbell: Doorbell) -> QueueStatus:
    return queue_status(
        RunCounts(database),
        WorkerStore(database),
        PausedQueueStore(database),
        doorbell,
        ["reports"],
    )


@pytest.mark.redis
def test_each_queue_has_what_waits_who_serves_it_and_its_messages(
    database: Database, runs: RunStore, doorbell: Doorbell
) -> None:
    run = a_run(runs)
    a_run(runs, due_at=datetime.now(UTC) + timedelta(hours=1))
    doorbell.ring("default", run.id)
    WorkerStore(database).announce(
        worker="w", host="h", pid=1, kind="worker", queues=["default", "payouts"], threads=2
    )
    found = status(database, doorbell)
    assert [each.name for each in found.queues] == ["default", "payouts", "reports"]
    default, payouts, _ = (each.as_json() for each in found.queues)
    assert (default["ready"], default["delayed"], default["messages"]) == (1, 1, 1)
    assert (default["workers"], payouts["workers"], payouts["messages"]) == (1, 1, 0)
    assert default["oldest_wait_ms"] >= 0
    assert payouts["oldest_wait_ms"] is None
    assert found.unreachable is None
    assert found.as_json()["processes"][0]["id"] == "w"


@pytest.mark.redis
def test_a_queue_server_that_is_away_hides_nothing_but_the_messages(
    database: Database, runs: RunStore, doorbell: Doorbell, server: RedisServer
) -> None:
    a_run(runs)
    server.stop()
    found = status(database, doorbell)
    default = found.queues[0]
    assert (default.counts.ready, default.messages) == (1, None)
    assert found.unreachable is not None
    assert "does not answer" in found.as_json()["queue_error"]


@pytest.mark.redis
def test_a_paused_queue_is_shown_with_who_paused_it(database: Database, doorbell: Doorbell) -> None:
    PausedQueueStore(database).pause("payouts", actor="sara", reason="the bank is away")
    paused = status(database, doorbell).queues[0]
    assert paused.name == "payouts"
    told = paused.as_json()["paused"]
    assert (told["actor"], told["reason"]) == ("sara", "the bank is away")
    assert told["paused_at"].endswith("Z")


@pytest.mark.redis
def test_failed_runs_that_nobody_has_touched_are_told(
    database: Database, runs: RunStore, doorbell: Doorbell
) -> None:
    run = a_run(runs)
    runs.fail(a_claim(runs, run), BROKEN)
    assert status(database, doorbell).untouched is None
    with database.begin() as connection:
        connection.execute(update(run_table).values(finished_at=LONG_AGO))
    assert status(database, doorbell).as_json()["failed_untouched"] == {
        "count": 1,
        "oldest": run.reference,
        "failed_at": "2000-01-01T00:00:00.000Z",
    }
