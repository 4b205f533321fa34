"""What every queue must do, whichever backend its messages lie in."""

import pickle
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from redis import Redis

from engine.huey_app.backends import BACKENDS
from engine.huey_app.doorbell import Doorbell, QueueUnreachable, message_of, run_id_in
from tests.builders.postgres import PostgresServer
from tests.builders.redis import RedisServer, start_redis

FOREIGN = [
    pickle.dumps({"run": 1}),
    b"",
    b"not JSON",
    b"\xff\xfe",
    b"7",
    b"null",
    b"[1]",
    b"{}",
    b'{"run": null}',
    b'{"run": "1"}',
    b'{"run": 1.0}',
    b'{"run": true}',
    b'{"run": 0}',
    b'{"run": -1}',
    b'{"run": 1, "job": "x"}',
    b'{"task": 1}',
    b'{"run": 99999999999999999999999999}',
    b"[" * 100_000,
]


@pytest.fixture(params=["sqlite", "redis", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty queue's URL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'var' / 'queue.db'}"
    elif request.param == "redis":
        server: RedisServer = request.getfixturevalue("redis_server")
        with Redis.from_url(server.url) as redis:
            redis.flushall()
        yield server.url
    else:
        postgres: PostgresServer = request.getfixturevalue("postgres_server")
        name = postgres.make_database()
        yield postgres.url_of(name)
        postgres.drop_database(name)


@pytest.fixture
def doorbell(url: str) -> Iterator[Doorbell]:
    """The queues at that URL."""
    doorbell = Doorbell(url)
    yield doorbell
    doorbell.close()


def taken(doorbell: Doorbell, queues: Sequence[str]) -> int | None:
    """The run of the message that is taken, if any."""
    ring = doorbell.take(queues)
    return None if ring is None else ring.run_id


def test_every_backend_is_under_this_contract() -> None:
    # rediss is redis over TLS.
    assert set(BACKENDS) == {"sqlite", "redis", "rediss", "postgresql"}


def test_runs_are_taken_in_the_order_in_which_they_were_rung_for(doorbell: Doorbell) -> None:
    for run_id in (5, 3, 9, 3):
        doorbell.ring("default", run_id)
    assert [taken(doorbell, ["default"]) for _ in range(5)] == [5, 3, 9, 3, None]


def test_queues_are_served_in_the_order_given(doorbell: Doorbell) -> None:
    for queue, run_id in [("low", 1), ("high", 2), ("low", 3), ("other", 4)]:
        doorbell.ring(queue, run_id)
    served = [taken(doorbell, ["high", "low"]) for _ in range(2)]
    doorbell.ring("high", 5)
    served += [taken(doorbell, ["high", "low"]) for _ in range(3)]
    assert served == [2, 1, 5, 3, None]
    assert taken(doorbell, ["other"]) == 4


@pytest.mark.parametrize("message", FOREIGN, ids=range(len(FOREIGN)))
def test_a_message_that_is_not_ours_is_counted_and_passed_over(
    doorbell: Doorbell, message: bytes
) -> None:
    doorbell.storage("default").enqueue(message)
    doorbell.ring("default", 7)
    assert doorbell.waiting("default") == {7}
    assert taken(doorbell, ["default"]) == 7
    assert taken(doorbell, ["default"]) is None
    assert doorbell.foreign_messages == 1


def test_what_waits_is_seen_without_being_taken(doorbell: Doorbell) -> None:
    assert (doorbell.waiting("default"), doorbell.size("default")) == (frozenset(), 0)
    for run_id in (1, 2, 2):
        doorbell.ring("default", run_id)
    doorbell.storage("default").enqueue(b"foreign")
    for _ in range(2):
        assert (doorbell.waiting("default"), doorbell.size("default")) == (frozenset({1, 2}), 4)


def test_names_with_underscores_are_queues_of_their_own(doorbell: Doorbell) -> None:
    names = ["a_b", "ab", "a", "_ab", "ab_", "a__b", "engine_ab"]
    for run_id, name in enumerate(names, start=1):
        doorbell.ring(name, run_id)
    assert [taken(doorbell, [name]) for name in names] == list(range(1, len(names) + 1))


def test_two_doorbells_at_one_url_are_one_queue(doorbell: Doorbell, url: str) -> None:
    other = Doorbell(url)
    doorbell.ring("default", 1)
    assert taken(other, ["default"]) == 1
    assert taken(doorbell, ["default"]) is None
    other.close()


def test_a_closed_doorbell_can_be_used_again(doorbell: Doorbell) -> None:
    doorbell.ring("default", 1)
    doorbell.close()
    assert taken(doorbell, ["default"]) == 1


def test_a_message_is_json_and_nothing_else() -> None:
    assert message_of(7) == b'{"run": 7}'
    assert run_id_in(message_of(7)) == 7
    assert run_id_in("text of another driver") is None
    assert run_id_in(None) is None


def test_a_server_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    doorbell = Doorbell("redis://engine:pass@word@127.0.0.1:1/0?password=hidden")
    for use in (
        lambda: doorbell.ring("default", 1),
        lambda: doorbell.take(["default"]),
        lambda: doorbell.waiting("default"),
        lambda: doorbell.size("default"),
    ):
        with pytest.raises(QueueUnreachable) as caught:
            use()
        assert "redis://engine:***@127.0.0.1:1/0?password=*** does not answer" in str(caught.value)
        assert "word" not in str(caught.value).replace("password=***", "")
        assert "hidden" not in str(caught.value)
    doorbell.close()


def test_a_password_that_redis_does_not_take_is_not_shown(tmp_path: Path) -> None:
    server = start_redis(tmp_path)
    with Redis.from_url(server.url) as redis:
        redis.config_set("requirepass", "another")
    doorbell = Doorbell(server.url.replace("redis://", "redis://:secret@"))
    with pytest.raises(QueueUnreachable, match="password") as caught:
        doorbell.size("default")
    assert "secret" not in str(caught.value)
    doorbell.close()
    server.stop()


def test_a_queue_comes_back_with_its_server(tmp_path: Path) -> None:
    server = start_redis(tmp_path)
    doorbell = Doorbell(server.url)
    doorbell.ring("default", 1)
    server.restart()
    assert taken(doorbell, ["default"]) is None
    doorbell.ring("default", 2)
    assert taken(doorbell, ["default"]) == 2
    doorbell.close()
    server.stop()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(QueueUnreachable, match=r"file/queue.db does not answer: .*exists"):
        Doorbell(f"sqlite:///{tmp_path / 'file' / 'queue.db'}").storage("default")


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "queue.db").write_bytes(b"no database, but long enough to be looked at" * 100)
    with pytest.raises(QueueUnreachable, match="file is not a database"):
        Doorbell(f"sqlite:///{tmp_path / 'queue.db'}").size("default")


def test_text_that_another_program_put_into_the_file_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "queue.db"
    doorbell = Doorbell(f"sqlite:///{file}")
    doorbell.size("default")
    with sqlite3.connect(file) as other:
        other.execute("INSERT INTO task (queue, data) VALUES ('engine_default', 'text')")
    other.close()
    doorbell.ring("default", 1)
    assert taken(doorbell, ["default"]) == 1
    assert doorbell.foreign_messages == 1
    doorbell.close()
