"""Where a queue's messages lie: Huey's own storages, by the scheme of the queue's URL."""

import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from huey.storage import BaseStorage, RedisStorage, SqliteStorage

from engine.errors import Invalid
from engine.redaction.urls import hide_password, without_password

_BUSY_SECONDS = 30
# Whole, for servers older than Redis 6; a worker that is to end waits as long.
_WAIT_SECONDS = 1
# A server that does not answer within this is unreachable; the sweep rings again.
_ANSWER_SECONDS = 5


class PooledRedisStorage(RedisStorage):  # type: ignore[misc]
    """Huey's, which leaves its connections open."""

    def server_clock(self) -> datetime:
        """The present instant by the server."""
        seconds, microseconds = self.conn.time()
        return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds)

    def await_message(self, keys: Sequence[str]) -> tuple[str, bytes] | None:
        """The next message in any of these lists, the first list first, and its list.

        None when there is none within a second.
        """
        taken = self.conn.brpop(keys, timeout=_WAIT_SECONDS)
        return None if taken is None else (taken[0].decode(), taken[1])

    def close(self) -> None:
        """Let go of every connection; the next use makes another."""
        self.pool.disconnect()


class MissingRedis(Invalid):
    """The queue is on Redis and its client is not installed."""

    message = "a {scheme}:// queue needs the redis package; run `pip install engine[redis]`"


class MissingPostgres(Invalid):
    """The queue is on PostgreSQL and its client is not installed."""

    message = "a postgresql:// queue needs the psycopg package; run `pip install engine[postgres]`"


class UnreadableUrl(Invalid):
    """The client of the queue's server cannot read the URL."""

    message = "ENGINE_QUEUE_URL: {error} (is {url!r})"


Opener = Callable[[str], BaseStorage]


def _sqlite(url: str) -> Opener:
    file = Path(url.removeprefix("sqlite:///"))

    def open_file(name: str) -> BaseStorage:
        file.parent.mkdir(parents=True, exist_ok=True)
        # Messages may be lost, the ledger rings again; so the queue need not wait for the disk.
        return SqliteStorage(name, filename=str(file), fsync=False, timeout=_BUSY_SECONDS)

    return open_file


def _redis(url: str) -> Opener:
    try:
        from redis import ConnectionPool
    except ImportError:
        raise MissingRedis(scheme=urlsplit(url).scheme) from None
    pool = ConnectionPool.from_url(
        url, socket_timeout=_ANSWER_SECONDS, socket_connect_timeout=_ANSWER_SECONDS
    )
    # Several queues are served in order, so none of them may block the others.
    return partial(PooledRedisStorage, connection_pool=pool, blocking=False)


def _postgres(url: str) -> Opener:
    try:
        from engine.huey_app.postgres import PostgresQueue, Session
    except ImportError:
        raise MissingPostgres from None
    return partial(PostgresQueue, session=Session(url, answer_seconds=_ANSWER_SECONDS))


BACKENDS: Mapping[str, Callable[[str], Opener]] = {
    "sqlite": _sqlite,
    "redis": _redis,
    "rediss": _redis,
    "postgresql": _postgres,
}


def opener_of(url: str) -> Opener:
    """What opens the storage of a named queue; all of them share their connections.

    Asks nobody: a SQLite file is made when a storage is opened, a server is called when one is
    used. Raises Invalid when the client is missing or cannot read the URL.
    """
    try:
        opener = BACKENDS[urlsplit(url).scheme](url)
    except ValueError as error:
        shown = hide_password(str(error), url)
        raise UnreadableUrl(error=shown, url=without_password(url)) from None
    return lambda queue: opener(f"engine_{queue}")


# By name: a SQLite queue needs neither redis nor psycopg.
_CLIENTS = frozenset({"redis", "psycopg"})
# The server is there and knows us not; PostgreSQL's say it in words only, while one connects.
_SHUT = frozenset({"AuthenticationError", "AuthorizationError"})
_SHUT_WORDS = re.compile(
    r"authentication failed|no password supplied|no pg_hba\.conf entry"
    r'|(?:role|database) "[^"]*" does not exist|permission denied for database'
)
_AWAY = frozenset({"ConnectionError", "TimeoutError", "OperationalError", "InterfaceError"})


def is_of_a_backend(error: Exception) -> bool:
    """Whether the queue's server, file or network is to blame."""
    package = type(error).__module__.partition(".")[0]
    return isinstance(error, OSError | sqlite3.DatabaseError) or package in _CLIENTS


def is_shut(error: Exception) -> bool:
    """Whether the server answered that it does not let us in; waiting will not change that."""
    names = {each.__name__ for each in type(error).__mro__}
    said = "OperationalError" in names and _SHUT_WORDS.search(str(error))
    return bool(said) or not names.isdisjoint(_SHUT)


def is_away(error: Exception) -> bool:
    """Whether the backend cannot be asked at all; otherwise it answered that it will not."""
    names = {each.__name__ for each in type(error).__mro__}
    return isinstance(error, OSError | sqlite3.DatabaseError) or not names.isdisjoint(_AWAY)
