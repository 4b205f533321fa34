"""What only a queue in PostgreSQL has to bear: lost tables, few rights, a server that hangs."""

import os
import signal
import sys
import time
from collections.abc import Iterator

import psycopg
import pytest

from engine.errors import Invalid
from engine.huey_app.backends import MissingPostgres, UnreadableUrl
from engine.huey_app.doorbell import Doorbell, QueueRefused, QueueShut, QueueUnreachable, Ring
from engine.huey_app.postgres import NoAnswer, PostgresQueue, Session
from tests.builders.postgres import PostgresServer


@pytest.fixture
def database(postgres_server: PostgresServer) -> Iterator[str]:
    """The name of an empty database."""
    name = postgres_server.make_database()
    yield name
    postgres_server.drop_database(name)


@pytest.fixture
def doorbell(postgres_server: PostgresServer, database: str) -> Iterator[Doorbell]:
    """The queues in it."""
    doorbell = Doorbell(postgres_server.url_of(database))
    yield doorbell
    doorbell.close()


def test_nothing_is_asked_of_the_server_before_the_queue_is_used() -> None:
    Doorbell("postgresql://127.0.0.1:1/nowhere").storage("default").close()


def test_a_server_that_lets_nobody_in_is_not_said_to_be_away(
    postgres_server: PostgresServer, database: str
) -> None:
    for url, said in (
        (postgres_server.url_of(f"{database}_x"), "database .* does not exist"),
        (postgres_server.url_of(database, role="stranger"), 'role "stranger" does not exist'),
    ):
        doorbell = Doorbell(url)
        with pytest.raises(QueueShut, match=f"{said}; correct ENGINE_QUEUE_URL"):
            doorbell.ring("default", 1)
        doorbell.close()


def test_tables_that_somebody_dropped_are_made_again(
    doorbell: Doorbell, postgres_server: PostgresServer, database: str
) -> None:
    doorbell.ring("default", 1)
    postgres_server.execute("DROP TABLE engine_queue_task", database)
    assert doorbell.take(["default"]) is None
    postgres_server.execute("DROP TABLE engine_queue_task", database)
    doorbell.ring("default", 2)
    assert doorbell.take(["default"]) == Ring(2, "default")


def test_a_role_that_may_make_no_tables_uses_those_that_are_there(
    doorbell: Doorbell, postgres_server: PostgresServer, database: str
) -> None:
    doorbell.ring("default", 1)
    role = f"{database}_worker"
    postgres_server.execute(f"CREATE ROLE {role} LOGIN", database)
    postgres_server.execute(
        f"GRANT SELECT, INSERT, DELETE, UPDATE ON engine_queue_task TO {role};"
        f"GRANT USAGE ON engine_queue_task_id_seq TO {role}",
        database,
    )
    worker = Doorbell(postgres_server.url_of(database, role=role))
    worker.ring("default", 2)
    assert [worker.take(["default"]), worker.take(["default"])] == [
        Ring(1, "default"),
        Ring(2, "default"),
    ]
    postgres_server.execute(f"REVOKE DELETE ON engine_queue_task FROM {role}", database)
    with pytest.raises(QueueRefused, match="refuses: permission denied"):
        worker.take(["default"])
    worker.close()
    postgres_server.execute(f"DROP OWNED BY {role}; DROP ROLE {role}", database)


def test_a_session_that_the_server_ended_is_replaced_without_a_word(
    doorbell: Doorbell, postgres_server: PostgresServer
) -> None:
    doorbell.ring("default", 1)
    for number in (2, 3):
        postgres_server.execute(_END_OURS)
        doorbell.ring("default", number)
        postgres_server.execute(_END_OURS)
        assert doorbell.waiting("default") == set(range(1, number + 1))


def test_a_server_that_hangs_is_not_waited_for_for_ever(
    postgres_server: PostgresServer, database: str
) -> None:
    queue = _impatient(postgres_server.url_of(database))
    queue.enqueue(b"1")
    backend = queue.conn.info.backend_pid
    os.kill(backend, signal.SIGSTOP)
    try:
        began = time.monotonic()
        with pytest.raises(NoAnswer, match=r"no answer within 0\.5 s"):
            queue.queue_size()
        assert time.monotonic() - began < 5
        # Another session is served.
        assert queue.queue_size() == 1
    finally:
        os.kill(backend, signal.SIGCONT)
    queue.close()


def test_a_table_that_somebody_locked_is_not_waited_for_for_ever(
    postgres_server: PostgresServer, database: str
) -> None:
    queue = _impatient(postgres_server.url_of(database))
    queue.enqueue(b"1")
    with psycopg.connect(postgres_server.url_of(database)) as other:
        other.execute("LOCK TABLE engine_queue_task")
        with pytest.raises(NoAnswer):
            queue.dequeue()
    # The statement that was given up may have taken the message: the sweep rings for it again.
    assert queue.dequeue() in {b"1", None}
    queue.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://engine:se%cret@localhost/engine", "invalid percent-encoded token"),
        ("postgresql://engine:secret@localhost/engine?no_such_option=1", "no_such_option"),
    ],
)
def test_a_url_that_libpq_cannot_read_is_refused_without_its_password(url: str, said: str) -> None:
    with pytest.raises(UnreadableUrl, match=said) as caught:
        Doorbell(url).require_client()
    assert str(caught.value).startswith("ENGINE_QUEUE_URL: ")
    assert "cret" not in str(caught.value)


def test_a_missing_client_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "engine.huey_app.postgres")
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingPostgres, match=r"run `pip install engine\[postgres\]`") as caught:
        Doorbell("postgresql://localhost/engine").require_client()
    assert isinstance(caught.value, Invalid)


def test_a_database_that_is_not_there_is_named(postgres_server: PostgresServer) -> None:
    doorbell = Doorbell(postgres_server.url_of("nowhere"))
    with pytest.raises(QueueUnreachable, match='database "nowhere" does not exist'):
        doorbell.size("default")
    doorbell.close()


def test_the_queues_of_a_process_share_one_connection(
    doorbell: Doorbell, postgres_server: PostgresServer, database: str
) -> None:
    for run_id, queue in enumerate("abcdef", start=1):
        doorbell.ring(queue, run_id)
    assert doorbell.take([*"fedcba"]) == Ring(6, "f")
    counted = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'engine queue'"
    )
    assert postgres_server.execute(counted, database) == [(1,)]


def _impatient(url: str) -> PostgresQueue:
    return PostgresQueue("default", Session(url, answer_seconds=0.5))


_END_OURS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'engine queue'"
)
