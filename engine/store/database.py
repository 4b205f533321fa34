"""The ledger's database: one engine, write transactions, the database's own clock, upgrades."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Dialect, String, create_engine, event, inspect, literal, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ColumnElement
from sqlalchemy.types import TypeDecorator

from engine.errors import Unreachable

# The newest file in migrations/versions, here so that no command imports alembic to compare.
REVISION = "0001"

# A writer waits this long for another one; no transaction of ours takes a tenth of it.
_BUSY_SECONDS = 30.0
_FORMAT = "%Y-%m-%d %H:%M:%S.%f"


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
        return None if value is None else datetime.strptime(value, _FORMAT).replace(tzinfo=UTC)


class database_now(ColumnElement[datetime]):  # noqa: N801 - reads as an SQL function
    """The database's clock, optionally moved by a duration; leases are set and compared by it."""

    inherit_cache = False
    type = Instant()

    def __init__(self, moved_by: timedelta = timedelta()) -> None:
        self.moved_by = moved_by


@compiles(database_now, "sqlite")
def _sqlite_now(element: database_now, compiler: Any, **options: Any) -> str:
    # SQLite's clock has milliseconds; zeros fill the width, so that texts keep sorting.
    move = f"{element.moved_by.total_seconds():+.3f} seconds"
    moment = f"strftime('%Y-%m-%d %H:%M:%f', 'now', {compiler.process(literal(move), **options)})"
    return f"({moment} || '000')"


class Database:
    """A ledger by its URL. Threads may share it; after a fork, make another."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self._engine = create_engine(self.url, connect_args={"timeout": _BUSY_SECONDS})
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

        file = Path(self.url.database or "")
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.with_name(f"{file.name}.upgrade.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            found = self.revision()
            if found == REVISION:
                return False
            if found is not None and found > REVISION:
                raise LedgerAhead(url=self.shown_url, found=found)
            config = Config()
            config.set_main_option("script_location", str(_MIGRATIONS))
            with self.begin() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        return True

    def require_current(self) -> None:
        """Make or upgrade a SQLite ledger on first use; cheap when there is nothing to do."""
        try:
            if self.revision() == REVISION:
                return
        except LedgerUnreachable:
            # No folder or file yet; a ledger that truly cannot be opened fails again below.
            pass
        try:
            self.upgrade()
        except OSError as error:
            raise LedgerUnreachable(url=self.shown_url, error=error) from error

    def dispose(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OperationalError as error:
            raise LedgerUnreachable(url=self.shown_url, error=error.orig) from error
        except DBAPIError as error:
            if error.connection_invalidated:
                raise LedgerUnreachable(url=self.shown_url, error=error.orig) from error
            raise


_MIGRATIONS = Path(__file__).with_name("migrations")


def _on_connect(connection: Any, _record: Any) -> None:
    # The driver must not begin transactions by itself: `_on_begin` says which kind.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    # A run that was accepted survives a power cut.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _on_begin(connection: Connection) -> None:
    # A plain BEGIN that writes later fails at once when another writer was faster.
    reads_only = connection.get_execution_options().get("reads_only", False)
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")
