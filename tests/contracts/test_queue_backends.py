"""What every queue must do, whichever backend its messages lie in."""

import pickle
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from textwrap import dedent
from threading import Thread

import pytest
from redis import Redis

from engine.huey_app.backends import BACKENDS
from engine.huey_app.doorbell import (
    Doorbell,
    QueueRefused,
    QueueShut,
    QueueUnreachable,
    Ring,
    message_of,
    run_id_in,
)
from tests.builders.forks import at_once
from tests.builders.postgres import PostgresServer, start_postgres
from tests.builders.redis import RedisServer, start_redis
from tests.processes.waiting import until

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


Server = RedisServer | PostgresServer


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


@pytest.fixture(params=["redis", "postgresql"])
def own_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """A server that the test may stop."""
    if request.param == "redis":
        redis = start_redis(tmp_path)
        yield redis
        redis.stop()
    else:
        postgres = start_postgres()
        yield postgres
        postgres.remove()


@pytest.fixture
def own_doorbell(own_server: Server) -> Iterator[Doorbell]:
    """The queues of that server."""
    doorbell = Doorbell(own_server.url)
    yield doorbell
    doorbell.close()


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


def _uses(doorbell: Doorbell) -> list[Callable[[], object]]:
    return [
        lambda: doorbell.ring("default", 1),
        lambda: doorbell.take(["default"]),
        lambda: doorbell.waiting("default"),
        lambda: doorbell.size("default"),
    ]


def _answers(doorbell: Doorbell) -> bool:
    try:
        doorbell.size("default")
    except QueueUnreachable:
        return False
    return True


def _in_processes(count: int, url: str, code: str) -> str:
    """What processes say that run `code` with a `doorbell` and their `number`, all at once."""
    return at_once(
        count,
        url,
        imports="from engine.huey_app.doorbell import Doorbell",
        prepare="doorbell = Doorbell(arguments[0])",
        work=f"{dedent(code)}\ndoorbell.close()",
    )


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


def test_what_lies_in_the_queue_is_the_json_of_a_run(doorbell: Doorbell) -> None:
    doorbell.ring("default", 7)
    assert doorbell.storage("default").enqueued_items() == [b'{"run": 7}']


def test_threads_never_take_one_message_twice(doorbell: Doorbell, url: str) -> None:
    count = 200
    for run_id in range(1, count + 1):
        doorbell.ring("default", run_id)
    other = Doorbell(url)
    got: list[int] = []

    def take_all(mine: Doorbell) -> None:
        while (run_id := taken(mine, ["default"])) is not None:
            got.append(run_id)

    threads = [Thread(target=take_all, args=[each]) for each in (doorbell, other) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    assert sorted(got) == list(range(1, count + 1))


@pytest.mark.process
def test_processes_never_take_one_message_twice(doorbell: Doorbell, url: str) -> None:
    count = 300
    for run_id in range(1, count + 1):
        doorbell.ring("default", run_id)
    said = _in_processes(
        4,
        url,
        """
        while (ring := doorbell.take(["default"])) is not None:
            say(ring.run_id)
        """,
    )
    assert sorted(int(word) for word in said.split()) == [*range(1, count + 1)]


@pytest.mark.process
def test_eight_processes_open_a_new_queue_at_once(doorbell: Doorbell, url: str) -> None:
    _in_processes(8, url, 'doorbell.ring("default", 1 + number); doorbell.take(["other"])')
    assert doorbell.waiting("default") == set(range(1, 9))
    assert doorbell.size("default") == 8


def test_a_message_that_arrives_while_takers_wait_reaches_one_of_them(
    doorbell: Doorbell, url: str
) -> None:
    other = Doorbell(url)
    for run_id in range(1, 6):
        assert taken(other, ["default"]) is None
        doorbell.ring("default", run_id)
        assert taken(other, ["default"]) == run_id
    other.close()


def test_a_run_that_comes_while_somebody_waits_is_taken_at_once(
    doorbell: Doorbell, url: str
) -> None:
    other = Doorbell(url)
    assert other.await_ring(["high", "low"]) is None
    # What is there need not be waited for, and the queues keep their order.
    doorbell.ring("low", 1)
    doorbell.ring("high", 2)
    assert [other.await_ring(["high", "low"]) for _ in range(2)] == [
        Ring(2, "high"),
        Ring(1, "low"),
    ]
    rung = Thread(target=lambda: doorbell.ring("low", 3))
    rung.start()
    until(lambda: other.await_ring(["high", "low"]) == Ring(3, "low"))
    rung.join()
    assert doorbell.size("low") == 0
    other.close()


def test_a_foreign_message_that_comes_while_somebody_waits_is_counted(doorbell: Doorbell) -> None:
    doorbell.storage("default").enqueue(b"not ours")
    assert doorbell.await_ring(["default"]) is None
    assert (doorbell.foreign_messages, doorbell.size("default")) == (1, 0)


def test_only_redis_can_be_waited_for(doorbell: Doorbell, url: str) -> None:
    assert doorbell.can_wait is url.startswith("redis")


def test_a_message_is_json_and_nothing_else() -> None:
    assert message_of(7) == b'{"run": 7}'
    assert run_id_in(message_of(7)) == 7
    assert run_id_in("text of another driver") is None
    assert run_id_in(None) is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (
            "redis://engine:pass@word@127.0.0.1:1/0?password=hidden",
            "redis://engine:***@127.0.0.1:1/0?password=***",
        ),
        (
            "postgresql://engine:hidden%40word@127.0.0.1:1/queue",
            "postgresql://engine:***@127.0.0.1:1/queue",
        ),
    ],
)
def test_a_server_that_does_not_answer_is_named_without_its_password(url: str, shown: str) -> None:
    doorbell = Doorbell(url)
    for use in _uses(doorbell):
        with pytest.raises(QueueUnreachable) as caught:
            use()
        said = str(caught.value)
        assert f"the queue {shown} does not answer: " in said
        assert "\n" not in said
        assert "word" not in said.replace("password=***", "")
        assert "hidden" not in said
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


def test_a_queue_comes_back_with_its_server(own_server: Server, own_doorbell: Doorbell) -> None:
    own_doorbell.ring("default", 1)
    own_server.restart()
    # PostgreSQL keeps its messages, and this Redis does not.
    kept = {1} if isinstance(own_server, PostgresServer) else set()
    assert own_doorbell.waiting("default") == kept
    own_doorbell.ring("default", 2)
    assert own_doorbell.waiting("default") == kept | {2}


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_queue_that_is_away_says_so_until_it_is_back(
    own_server: Server, own_doorbell: Doorbell, end: str
) -> None:
    own_doorbell.ring("default", 1)
    (
        own_server.kill
        if end == "kill" and isinstance(own_server, PostgresServer)
        else own_server.stop
    )()
    for _ in range(2):
        for use in _uses(own_doorbell):
            with pytest.raises(QueueUnreachable, match=r"does not answer: .*[Cc]onnection"):
                use()
    own_server.start()
    until(lambda: _answers(own_doorbell))
    own_doorbell.ring("default", 2)
    assert 2 in own_doorbell.waiting("default")
    assert own_doorbell.outage.has_ended()


def test_threads_find_an_absent_queue_out_together(
    own_server: Server, own_doorbell: Doorbell
) -> None:
    own_doorbell.ring("default", 1)
    own_server.stop()
    found: list[str] = []

    def ask() -> None:
        try:
            own_doorbell.take(["default", "other"])
        except QueueUnreachable as error:
            found.append(str(error))

    threads = [Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(found) == 8
    assert all("\n" not in each for each in found)
    assert own_doorbell.outage.pause <= 0.5


def test_a_queue_that_is_refused_keeps_no_other_one_waiting(redis_server: RedisServer) -> None:
    doorbell = Doorbell(redis_server.url)
    with Redis.from_url(redis_server.url) as redis:
        redis.flushall()
        redis.set("huey.redis.engine_spoilt", "no list")
    for run_id in (1, 2):
        doorbell.ring("sound", run_id)
    assert taken(doorbell, ["spoilt", "sound"]) == 1
    assert taken(doorbell, ["sound", "spoilt"]) == 2
    with pytest.raises(QueueRefused, match="refuses: WRONGTYPE"):
        doorbell.take(["spoilt", "sound"])
    with pytest.raises(QueueRefused, match="refuses: WRONGTYPE"):
        doorbell.ring("spoilt", 1)
    assert doorbell.outage.pause == 0
    doorbell.close()


@pytest.mark.parametrize(
    ("user", "said"),
    [("", "asks for a password"), (":wrong@", "invalid username-password"), ("me:wrong@", "inval")],
)
def test_a_redis_that_lets_nobody_in_is_not_said_to_be_away(
    tmp_path: Path, user: str, said: str
) -> None:
    server = start_redis(tmp_path)
    with Redis.from_url(server.url) as redis:
        redis.config_set("requirepass", "right")
    doorbell = Doorbell(server.url.replace("redis://", f"redis://{user}"))
    with pytest.raises(QueueShut, match=f"does not let us in: .*{said}.*; correct ENGINE_QUEUE_UR"):
        doorbell.ring("default", 1)
    # It is asked as seldom as one that is away.
    assert doorbell.outage.pause > 0
    doorbell.close()
    server.stop()


def test_a_redis_that_hangs_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    server = start_redis(tmp_path)
    doorbell = Doorbell(f"{server.url}?socket_timeout=0.3")
    doorbell.ring("default", 1)
    assert server._process is not None
    server._process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    with pytest.raises(QueueUnreachable, match="does not answer: Timeout"):
        doorbell.take(["default"])
    assert time.monotonic() - began < 3
    server._process.send_signal(signal.SIGCONT)
    until(lambda: _answers(doorbell))
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
