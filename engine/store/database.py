"""The ledger's database: one engine, write transactions, the database's own clock, upgrades."""

import fcntl
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Dialect, String, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ColumnElement
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import TypeDecorator

from engine.errors import Unreachable

# The newest file in migrations/versions, here so that no command imports alembic to compare.
REVISION = "0001"

# A writer waits this long for another one; no transaction of ours takes a tenth of it.
_BUSY_SECONDS = 30.0
_FORMAT = "%Y-%m-%d %H:%M:%S.%f"

# SQLite has one code for every wrong statement, `SQLITE_ERROR`; these say that the file itself
# cannot be used now.
_UNUSABLE = (
    *("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL"),
    *("SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_READONLY"),
    *("SQLITE_CORRUPT", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_NOTADB"),
)


class LedgerUnreachable(Unreachable):
    """The run ledger does not answer."""

    message = "the run ledger {url} cannot be used: {error}"


class LedgerAhead(Unreachable):
    """The ledger was upgraded by a newer version, whose tables this one does not know."""

    message = "the run ledger {url} is at revision {found}, made by a newer version than this"


class Instant(TypeDecorator[datetime]):
    """An aware UTC `datetime`; on SQLite a text of fixed width, so that texts sort as instants."""

    impl = String(26)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Refuse naive instants: nobody knows which moment they mean."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r} for an Instant")
        return value.astimezone(UTC).strftime(_FORMAT)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """Read back what was bound, or what `database_now` gave."""
        return None if value is None else datetime.fromisoformat(value).replace(tzinfo=UTC)


class database_now(ColumnElement[datetime]):  # noqa: N801 - reads as an SQL function
    """The database's clock, optionally moved by a duration; leases are set and compared by it."""

    inherit_cache = True
    _traverse_internals = [("moved_by", InternalTraversal.dp_plain_obj)]  # noqa: RUF012 - as SQLAlchemy declares it
    type = Instant()

    def __init__(self, moved_by: timedelta = timedelta()) -> None:
        self.moved_by = moved_by


@compiles(database_now, "sqlite")
def _sqlite_now(element: database_now, compiler: Any, **options: Any) -> str:
    # SQLite's clock has milliseconds; zeros fill the width, so that texts keep sorting.
    move = f"{element.moved_by.total_seconds():+.3f} seconds"
    return f"(strftime('%Y-%m-%d %H:%M:%f', 'now', '{move}') || '000')"


class Database:
    """A ledger by its URL. Threads may share it; after a fork, make another."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        # As many connections as there are threads: a heartbeat must not wait for a free one.
        self._engine = create_engine(
            self.url, connect_args={"timeout": _BUSY_SECONDS}, max_overflow=-1
        )
        event.listen(self._engine, "connect", _on_connect)
        event.listen(self._engine, "begin", _on_begin)
        self._reader = self._engine.execution_options(reads_only=True)

    @property
    def shown_url(self) -> str:
        """The URL as it may be printed."""
        return self.url.render_as_string(hide_password=True)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A write transaction: committed at the end, rolled back on an error."""
        with self._explained(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read transaction: one snapshot, and no lock that a writer would wait for."""
        with self._explained(), self._reader.begin() as connection:
            yield connection

    def revision(self) -> str | None:
        """The revision of the tables, None for an empty database."""
        with self.read() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()

    def upgrade(self) -> bool:
        """Bring the tables to this code's revision; True if there was anything to do.

        One process at a time: the others wait on a file lock beside the database.
        """
        from alembic import command
        from alembic.config import Config

        with self._alone():
            found = self.revision()
            if found == REVISION:
                return False
            if found is not None and found > REVISION:
                raise LedgerAhead(url=self.shown_url, found=found)
            config = Config()
            # alembic reads its options with %-interpolation.
            config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
            with self.begin() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        return True

    def exists(self) -> bool:
        """True once there is a file."""
        return Path(self.url.database or "").exists()

    def require_current(self) -> None:
        """Make or upgrade a SQLite ledger on first use; cheap when there is nothing to do."""
        try:
            if self.revision() == REVISION:
                return
        except LedgerUnreachable:
            # No folder or file yet; a ledger that truly cannot be opened fails again below.
            pass
        self.upgrade()

    def dispose(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Make the ledger's folder, and hold the lock on upgrading what is in it."""
        file = Path(self.url.database or "")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            lock = file.with_name(f"{file.name}.upgrade.lock").open("w")
        except OSError as error:
            raise LedgerUnreachable(url=self.shown_url, error=error) from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """A file that cannot be used is named; a wrong statement is a bug, or a job's own."""
        try:
            yield
        except (DBAPIError, sqlite3.Error) as error:
            # SQLAlchemy does not wrap what a new connection meets in `_on_connect`.
            cause = error.orig if isinstance(error, DBAPIError) else error
            if getattr(cause, "sqlite_errorname", "").startswith(_UNUSABLE):
                raise LedgerUnreachable(url=self.shown_url, error=cause) from error
            raise


_MIGRATIONS = Path(__file__).with_name("migrations")


def _on_connect(connection: Any, _record: Any) -> None:
    # The driver must not begin transactions by itself: `_on_begin` says which kind.
    connection.isolation_level = None
    _write_ahead(connection)
    # A run that was accepted survives a power cut.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _write_ahead(connection: Any) -> None:
    # A new file changes its mode by turning a read lock into a write lock, which SQLite refuses
    # at once when two processes do it: waiting would be a deadlock.
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() >= deadline:
                raise
            time.sleep(0.01)


def _on_begin(connection: Connection) -> None:
    # A plain BEGIN that writes later fails at once when another writer was faster.
    reads_only = connection.get_execution_options().get("reads_only", False)
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")
