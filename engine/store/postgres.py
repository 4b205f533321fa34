"""A ledger on PostgreSQL: many writers at a time, upgraded by `engine database upgrade` only.

Transactions that write are READ COMMITTED and lock what they decide on; those that read are one
snapshot. Nothing here keeps a lock beyond its transaction, so a pooler between is no harm.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import URL, Connection, Dialect, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import ConnectionPoolEntry

from engine.clock import elapsed
from engine.redaction.urls import without_password
from engine.store.any_case import holds_in_any_case
from engine.store.backend import Begin
from engine.store.faults import LedgerShut, LedgerUnreachable, MissingDriver
from engine.store.instant import database_now, seconds_between
from engine.store.json_text import json_text

# A server that is gone without a word is noticed before a lease of ten seconds is over. What the
# URL says goes before these.
_CONNECTING = {
    "application_name": "engine",
    "connect_timeout": 5,
    "keepalives_idle": 3,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": 5_000,
}
# The same, seen from the server: a worker that is gone must not keep its locks, nor may one that
# is frozen. A writer waits for another one as long as on SQLite.
_SESSION = {
    "tcp_keepalives_idle": "5s",
    "tcp_keepalives_interval": "1s",
    "tcp_keepalives_count": "5",
    "lock_timeout": "30s",
    "idle_in_transaction_session_timeout": "60s",
    "timezone": "UTC",
}

# By SQLSTATE, whole or its class: the server or the connection cannot be used now, or not by us.
# A transaction that lost to another one may be made again, as after an outage.
_UNUSABLE = (
    *("08", "53", "57", "58", "F0", "XX"),
    *("25006", "25P03", "28", "3D000", "42501", "55P03", "40001", "40P01"),
)
# The server is there and knows us not; it says so in words only, while one connects.
_SHUT_WORDS = re.compile(
    r"authentication failed|no password supplied|no pg_hba\.conf entry"
    r'|(?:role|database) "[^"]*" does not exist|permission denied for database'
)
# Seconds; no server restarts faster, and asking each time costs a fifth of a run.
_REST = 0.02
# Any number that is no other program's.
_UPGRADE_LOCK = 5_233_708_461


class Postgres:
    """A ledger by its server's URL."""

    upgrades_itself = False
    is_where_workers_are = False
    longest_given = None
    drivers = ("psycopg",)

    def __init__(self, url: URL) -> None:
        self.url = url

    def writer(self) -> Engine:
        """Whose transactions see what is committed, statement by statement."""
        try:
            engine = create_engine(
                self.url.set(drivername="postgresql+psycopg"),
                isolation_level="READ COMMITTED",
                json_serializer=json_text,
                # No limit: a heartbeat must not wait for a free connection.
                pool_size=0,
                pool_use_lifo=True,
            )
        except ImportError:
            # It is not there, or is there without the server's own library.
            raise MissingDriver from None
        event.listen(engine, "do_connect", self._connect)
        event.listen(engine, "checkin", _note_use)
        event.listen(engine, "checkout", partial(_require_alive, engine.dialect))
        return engine

    def reader(self, writer: Engine) -> Engine:
        """Whose transactions are one snapshot each."""
        return writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def brief(self, writer: Engine) -> Engine:
        """The writer: workers outlive their server, and rely on what it told them."""
        return writer

    def exists(self) -> bool:
        """True: whether there is one, only the server knows."""
        return True

    @contextmanager
    def upgrading(self, begin: Begin) -> Iterator[Connection]:
        """Hold the lock on upgrading this database, as long as the transaction lasts."""
        with begin() as connection:
            # Others may take longer to upgrade than a row may be locked.
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})
            connection.execute(text(f"SET LOCAL lock_timeout = '{_SESSION['lock_timeout']}'"))
            yield connection

    def is_in_transaction(self, driver_connection: Any) -> bool:
        """As the server said last; one in error is still one."""
        return driver_connection.info.transaction_status.name in {"INTRANS", "INERROR"}

    def cut(self, driver_connection: Any) -> None:
        """Have the server end what it does for the connection."""
        driver_connection.cancel_safe()

    def unusable(self, error: BaseException) -> str | None:
        """What the server, or the way to it, has."""
        if not isinstance(error, DBAPIError):
            return None
        state = getattr(error.orig, "sqlstate", None)
        if state is None:
            # Not the server's word: the driver lost it, or was used in a wrong way.
            lost = error.connection_invalidated or isinstance(error, OperationalError)
        else:
            lost = state.startswith(_UNUSABLE)
        return _one_line(error.orig) if lost else None

    def _connect(self, dialect: Any, _record: Any, arguments: Any, options: Any) -> Any:
        """Connect, or say why not: a wrong option of the URL, an unknown host, a refusal."""
        driver = dialect.dbapi
        try:
            connection = driver.connect(*arguments, **{**_CONNECTING, **options})
            try:
                _prepare(connection)
            except BaseException:
                connection.close()
                raise
        except driver.Error as error:
            shown = without_password(self.url.render_as_string(hide_password=True))
            kind = LedgerShut if _SHUT_WORDS.search(str(error)) else LedgerUnreachable
            raise kind(url=shown, error=_one_line(error)) from error
        return connection


def _note_use(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info["used_at"] = elapsed()


def _require_alive(
    dialect: Dialect, connection: Any, record: ConnectionPoolEntry, _lent: object
) -> None:
    """Have a connection that rested replaced, with all others, if its server is gone meanwhile."""
    used_at = record.info.get("used_at")
    if used_at is None or elapsed() - used_at < _REST:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        raise InvalidatePoolError from error


def _prepare(connection: Any) -> None:
    chosen = ", ".join(f"set_config('{name}', '{to}', false)" for name, to in _SESSION.items())
    connection.autocommit = True
    connection.execute(f"SELECT {chosen}")
    connection.autocommit = False


@compiles(database_now, "postgresql")
def _now(element: database_now, compiler: Any, **options: Any) -> str:
    # Not now(): that is when the transaction began, which may have waited for a lock since.
    read = "(SELECT clock_timestamp())" if element.steady else "clock_timestamp()"
    return f"({read} + interval '{element.moved_by.total_seconds():.6f} seconds')"


@compiles(seconds_between, "postgresql")
def _between(element: seconds_between, compiler: Any, **options: Any) -> str:
    start, end = (compiler.process(each, **options) for each in (element.start, element.end))
    return f"round(extract(epoch FROM {end} - {start}), 3)::float8"


@compiles(holds_in_any_case, "postgresql")
def _holds(element: holds_in_any_case, compiler: Any, **options: Any) -> str:
    text, part = (compiler.process(each, **options) for each in (element.text, element.part))
    return f"(strpos(lower({text}), lower({part})) > 0)"


def _one_line(error: object) -> str:
    lines = (" ".join(line.split()) for line in str(error).splitlines())
    return "; ".join(filter(None, lines))
