"""A queue in PostgreSQL: Huey's storage, made fit for a server that comes and goes."""

import threading
import time
from collections.abc import Callable, Generator
from datetime import datetime
from typing import Any, TypeVar

import psycopg
from huey.storage import PostgresStorage
from psycopg.conninfo import conninfo_to_dict

T = TypeVar("T")

_PREFIX = "engine_queue"
# Whoever makes the tables holds this advisory lock: `create table if not exists` is not safe
# against itself.
_MAKING_TABLES = 0x656E67696E6571

# Seconds, fewer than anybody pauses between two tries.
_SAME_FAILURE = 0.25


class NoAnswer(psycopg.OperationalError):
    """The server took the statement and said nothing."""


class Connection(psycopg.Connection[tuple[Any, ...]]):
    """One that does not wait for ever for a server that hangs."""

    answer_seconds = 0.0

    def wait(self, gen: Generator[Any, Any, T], *arguments: Any, **options: Any) -> T:
        """Wait for an answer; raises NoAnswer and closes when there is none in time."""
        try:
            return super().wait(_within(self.answer_seconds, gen), *arguments, **options)
        except NoAnswer:
            self.close()
            raise

    def rollback(self) -> None:
        """End the transaction; a connection that is closed has none, and the first error counts."""
        if not self.closed:
            super().rollback()


class Session:
    """The one connection that all queues of a process share; their threads take turns."""

    def __init__(self, url: str, *, answer_seconds: float) -> None:
        """Raises ValueError when libpq cannot read the URL."""
        try:
            given = conninfo_to_dict(url)
        except psycopg.Error as error:
            raise ValueError(str(error)) from error
        self._options = _DEFAULTS | {"connect_timeout": int(answer_seconds)} | given
        self._answer_seconds = answer_seconds
        self._failed_at = -_SAME_FAILURE
        self._failure: psycopg.Error = psycopg.OperationalError()
        self.turn = threading.Lock()
        self.connection: Connection | None = None

    def living(self) -> Connection:
        """The connection, or a new one in the place of one that broke; for whose turn it is."""
        if self.connection is None or self.connection.closed:
            self.connection = self._connect()
        return self.connection

    def let_go(self, connection: Connection | None) -> None:
        """Close the connection, unless another thread has done so and replaced it."""
        with self.turn:
            if connection is not None and self.connection is connection:
                self.connection = None
                connection.close()

    def _connect(self) -> Connection:
        # Threads that waited for the one that failed need not wait as long themselves.
        if time.monotonic() - self._failed_at < _SAME_FAILURE:
            raise psycopg.OperationalError(str(self._failure))
        try:
            # No prepared statements: a pooler between us and the server may not carry them.
            made = Connection.connect(**self._options, autocommit=True, prepare_threshold=None)
        except psycopg.Error as error:
            self._failure, self._failed_at = error, time.monotonic()
            raise
        made.answer_seconds = self._answer_seconds
        return made


class PostgresQueue(PostgresStorage):  # type: ignore[misc]
    """Huey's, which calls the server when it is used, and makes the tables when they are missing.

    A connection that an earlier server left behind is replaced without a word.
    """

    def __init__(self, name: str, session: Session) -> None:
        # Several queues are served in order, so none of them may block the others.
        super().__init__(name, blocking=False, table_prefix=_PREFIX, create_tables=False)
        self._session = session
        self.lock = session.turn

    @property
    def conn(self) -> Connection:
        """The connection to use now."""
        return self._session.living()

    def initialize_schema(self) -> None:
        """Make the tables, one process at a time."""
        with self.db(commit=True) as cursor:
            cursor.execute("select pg_advisory_xact_lock(%s)", (_MAKING_TABLES,))
            for statement in self.ddl:
                cursor.execute(statement)

    def close(self) -> None:
        """Let go of the connection; the next use makes another."""
        self._session.let_go(self._session.connection)

    def enqueue(self, data: bytes, priority: float | None = None) -> None:
        """Add a message."""
        self._surely(lambda: super(PostgresQueue, self).enqueue(data, priority))

    def dequeue(self) -> bytes | None:
        """Take the first message."""
        message: bytes | None = self._surely(super().dequeue)
        return message

    def queue_size(self) -> int:
        """How many messages there are."""
        return int(self._surely(super().queue_size))

    def enqueued_items(self, limit: int | None = None) -> list[bytes]:
        """The messages, the first one first."""
        return self._surely(lambda: super(PostgresQueue, self).enqueued_items(limit))

    def server_clock(self) -> datetime:
        """The present instant by the server."""

        def ask() -> datetime:
            with self.db() as cursor:
                cursor.execute("select clock_timestamp()")
                now: datetime = cursor.fetchone()[0]
            return now

        return self._surely(ask)

    def _surely(self, use: Callable[[], T]) -> T:
        """Use the queue; once more if only its tables or a living connection were missing."""
        held = self._session.connection
        try:
            return use()
        except psycopg.errors.UndefinedTable:
            self.initialize_schema()
        except NoAnswer:
            raise
        except psycopg.Error:
            # Whatever it was, a server that became a standby or a session that is spoilt
            # answers again only on another connection.
            self._session.let_go(held)
            if held is None:
                raise
        return use()


# What the URL may say otherwise. A host that vanished without a word is given up soon.
_DEFAULTS: dict[str, Any] = {
    "application_name": "engine queue",
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}


def _within(seconds: float, waiting: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
    """The same generator, ended by NoAnswer when it goes on for longer."""
    deadline = time.monotonic() + seconds
    try:
        wanted = next(waiting)
        while True:
            ready = yield wanted
            # psycopg comes by every tenth of a second or so, with nothing in its hands.
            if not ready and time.monotonic() > deadline:
                raise NoAnswer(f"no answer within {seconds:g} s")
            wanted = waiting.send(ready)
    except StopIteration as end:
        result: T = end.value
        return result
