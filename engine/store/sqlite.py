"""A ledger in a SQLite file: one writer at a time, made and upgraded on first use."""

import fcntl
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles

from engine.store.any_case import holds_in_any_case
from engine.store.backend import Begin
from engine.store.faults import LedgerUnreachable
from engine.store.instant import database_now, seconds_between
from engine.store.json_text import json_text

# A writer waits this long for another one; no transaction of ours takes a tenth of it.
_BUSY_SECONDS = 30.0

# Each commit waits for the disk, unless its transaction is a brief one.
_SYNCHRONOUS = "FULL"

# SQLite has one code for every wrong statement, `SQLITE_ERROR`; these say that the file itself
# cannot be used now.
_UNUSABLE = (
    *("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL"),
    *("SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_READONLY"),
    *("SQLITE_CORRUPT", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_NOTADB"),
)


class Sqlite:
    """A ledger by its file's URL."""

    upgrades_itself = True
    is_where_workers_are = True
    # There is one writer: heartbeats fail when one keeps the lock for long.
    longest_given: timedelta | None = timedelta(seconds=2)
    drivers = ()

    def __init__(self, url: URL) -> None:
        self.url = url
        self.file = Path(url.database or "")

    def writer(self) -> Engine:
        """Whose transactions take the write lock when they begin."""
        # As many connections as there are threads: a heartbeat must not wait for a free one.
        engine = create_engine(
            self.url,
            connect_args={"timeout": _BUSY_SECONDS},
            max_overflow=-1,
            json_serializer=json_text,
        )
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)
        return engine

    def reader(self, writer: Engine) -> Engine:
        """Whose transactions take no lock that a writer would wait for."""
        return writer.execution_options(reads_only=True)

    def brief(self, writer: Engine) -> Engine:
        """What it commits is in the file for all, and reaches the disk with the next one's."""
        return writer.execution_options(synchronous="NORMAL")

    def exists(self) -> bool:
        """True once there is a file."""
        return self.file.exists()

    @contextmanager
    def upgrading(self, begin: Begin) -> Iterator[Connection]:
        """Make the ledger's folder, and hold the lock on upgrading what is in it.

        The others wait on a file beside the database, for as long as it takes.
        """
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            lock = self.file.with_name(f"{self.file.name}.upgrade.lock").open("w")
        except OSError as error:
            shown = self.url.render_as_string(hide_password=True)
            raise LedgerUnreachable(url=shown, error=error) from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with begin() as connection:
                yield connection

    def is_in_transaction(self, driver_connection: Any) -> bool:
        """As SQLite has it."""
        return bool(driver_connection.in_transaction)

    def cut(self, driver_connection: Any) -> None:
        """Interrupt it, forbid it to write, and roll back."""
        deadline = time.monotonic() + _BUSY_SECONDS
        while driver_connection.in_transaction and time.monotonic() < deadline:
            driver_connection.interrupt()
            # Whatever comes between is interrupted in its turn; so may one of these be.
            with suppress(sqlite3.OperationalError):
                driver_connection.execute("PRAGMA query_only = ON")
                driver_connection.execute("ROLLBACK")

    def unusable(self, error: BaseException) -> str | None:
        """What is wrong with the file."""
        # SQLAlchemy does not wrap what a new connection meets in `_on_connect`.
        cause = error.orig if isinstance(error, DBAPIError) else error
        name = getattr(cause, "sqlite_errorname", "")
        if name == "SQLITE_FULL":
            return f"no space left, {cause}; check its free space"
        return str(cause) if name.startswith(_UNUSABLE) else None


@compiles(database_now, "sqlite")
def _now(element: database_now, compiler: Any, **options: Any) -> str:
    # SQLite's clock has milliseconds; zeros fill the width, so that texts keep sorting.
    move = f"{element.moved_by.total_seconds():+.3f} seconds"
    return f"(strftime('%Y-%m-%d %H:%M:%f', 'now', '{move}') || '000')"


@compiles(seconds_between, "sqlite")
def _between(element: seconds_between, compiler: Any, **options: Any) -> str:
    start, end = (compiler.process(each, **options) for each in (element.start, element.end))
    return f"round((julianday({end}) - julianday({start})) * 86400.0, 3)"


@compiles(holds_in_any_case, "sqlite")
def _holds(element: holds_in_any_case, compiler: Any, **options: Any) -> str:
    text, part = (compiler.process(each, **options) for each in (element.text, element.part))
    return f"holds_in_any_case({text}, {part})"


def _is_held(text: str | None, part: str) -> bool | None:
    return None if text is None else part.casefold() in text.casefold()


def _on_connect(connection: Any, _record: Any) -> None:
    # The driver must not begin transactions by itself: `_on_begin` says which kind.
    connection.isolation_level = None
    _write_ahead(connection)
    # A run that was accepted survives a power cut.
    connection.execute(f"PRAGMA synchronous = {_SYNCHRONOUS}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.create_function("holds_in_any_case", 2, _is_held, deterministic=True)


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
    # Past SQLAlchemy, whose part in it takes longer than SQLite's.
    driver: Any = connection.connection.driver_connection
    options = connection.get_execution_options()
    if options.get("reads_only", False):
        driver.execute("BEGIN")
        return
    wanted = options.get("synchronous", _SYNCHRONOUS)
    if connection.info.get("synchronous", _SYNCHRONOUS) != wanted:
        driver.execute(f"PRAGMA synchronous = {wanted}")
        connection.info["synchronous"] = wanted
    # A plain BEGIN that writes later fails at once when another writer was faster.
    driver.execute("BEGIN IMMEDIATE")
