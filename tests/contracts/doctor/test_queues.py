"""Queues that are away, paused, or emptied by nobody."""

import socket
import time
from pathlib import Path

import pytest

from engine.huey_app.doorbell import Doorbell
from engine.operations.doctor import queues
from engine.operations.doctor.cause import Verdict
from engine.operations.doctor.queues import MESSAGES_UNTAKEN, QUEUE_AWAY, QUEUE_PAUSED
from engine.store.paused_queues import PausedQueueStore
from tests.builders.booking import a_claim
from tests.builders.patient import Home
from tests.builders.redis import start_redis


def test_the_queue_server_is_away(home: Home, tmp_path: Path) -> None:
    redis = start_redis(tmp_path / "redis")
    home.queue_url = redis.url
    assert home.is_free_of(QUEUE_AWAY)
    redis.stop()
    assert f"the queue {redis.url} does not answer" in home.has(QUEUE_AWAY)
    (finding,) = home.look(QUEUE_AWAY).findings
    assert list(finding.next) == [f"redis-cli -h 127.0.0.1 -p {redis.port} ping"]


def test_what_answers_is_no_queue_server(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        home.queue_url = f"redis://127.0.0.1:{mute.getsockname()[1]}/0?socket_timeout=0.2"
        assert "does not answer" in home.has(QUEUE_AWAY)


def test_a_queue_in_a_file_that_nobody_made_yet_is_not_away(home: Home) -> None:
    assert home.is_free_of(QUEUE_AWAY)
    assert not (home.folder / "var" / "queue.db").exists()


def test_a_queue_is_paused(home: Home) -> None:
    assert home.is_free_of(QUEUE_PAUSED)
    home.run()
    PausedQueueStore(home.database).pause("default", actor="sara", reason="bank is down")
    said = home.has(QUEUE_PAUSED)
    assert "sara paused the queue default" in said
    assert "(bank is down); 1 run could start" in said
    (finding,) = home.look(QUEUE_PAUSED).findings
    assert list(finding.next) == ["engine queue resume default"]


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker is there that could take a message meanwhile."""
    monkeypatch.setattr(queues, "LOOK_AGAIN_SECONDS", 0.0)


def test_idle_workers_do_not_take_what_lies_in_the_queue(on_redis: Home) -> None:
    on_redis.worker()
    on_redis.ring()
    assert "is their ENGINE_QUEUE_URL another one?" in on_redis.has(MESSAGES_UNTAKEN)


def test_a_worker_that_is_busy_may_leave_messages_where_they_are(on_redis: Home) -> None:
    on_redis.worker(threads=1)
    a_claim(on_redis.store, worker="host:7:aaaaaa")
    on_redis.ring()
    assert on_redis.is_free_of(MESSAGES_UNTAKEN)


def test_one_message_that_is_taken_shows_that_somebody_takes_them(
    on_redis: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_redis.worker()
    on_redis.ring()
    on_redis.ring()
    doorbell = Doorbell(on_redis.queue_url)
    monkeypatch.setattr(time, "sleep", lambda _: doorbell.take(["default"]))
    assert on_redis.is_free_of(MESSAGES_UNTAKEN)
    doorbell.close()


def test_what_lies_in_a_queue_that_is_away_is_not_known(home: Home, tmp_path: Path) -> None:
    redis = start_redis(tmp_path / "redis")
    home.queue_url = redis.url
    home.worker()
    home.ring()
    redis.stop()
    found = home.look(MESSAGES_UNTAKEN)
    assert found.verdict is Verdict.UNCHECKED
    assert "does not answer" in (found.why or "")
