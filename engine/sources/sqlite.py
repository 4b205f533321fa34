"""A SQLite database as a source: read-only, and everything of one visit from one snapshot.

Rows come as Arrow batches through ADBC, which reads integers without making Python objects. It
brings its own SQLite, and on POSIX systems a process that closes a file drops the locks of every
other SQLite in it; so nothing here opens the file through `sqlite3` while a snapshot is open.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from engine.sources.faults import InvalidQuery, SourceUnreachable

_BATCH_ROWS = 65_536

# Everything else (writing, ATTACH, PRAGMA, transactions) is refused before it runs.
_ALLOWED = frozenset(
    {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_FUNCTION,
        sqlite3.SQLITE_RECURSIVE,
    }
)


@dataclass(frozen=True)
class SqliteDatabase:
    """A database file by its name."""

    name: str
    path: Path

    def require_reachable(self) -> None:
        """Raise SourceUnreachable unless the file is there and is a database."""
        with closing(self._connect()) as connection:
            self._lock(connection)

    def columns(self, query: str) -> list[str]:
        """The columns that a query gives; raises InvalidQuery unless it is one SELECT.

        Nothing is read: SQLite compiles the query under an authorizer that knows SELECT only.
        """
        with closing(self._connect()) as connection:
            self._lock(connection)
            connection.set_authorizer(_authorize)
            try:
                # As a subquery it can only be a SELECT; as itself it can only be one statement.
                connection.execute(f"EXPLAIN {query}")
                shape = connection.execute(f"SELECT * FROM ({query}\n) LIMIT 0")  # noqa: S608
            except (sqlite3.Error, sqlite3.Warning) as error:
                raise InvalidQuery(source=self.name, reason=_explained(error)) from error
            return [column[0] for column in shape.description]

    @contextmanager
    def snapshot(self) -> "Iterator[SqliteSnapshot]":
        """One read transaction; its read lock is taken before anything is read."""
        import adbc_driver_manager
        import adbc_driver_sqlite

        self.require_reachable()
        try:
            with (
                adbc_driver_sqlite.connect(_read_only(self.path)) as database,
                adbc_driver_manager.AdbcConnection(database) as connection,
            ):
                snapshot = SqliteSnapshot(self.name, connection)
                snapshot.rows("PRAGMA query_only = ON")
                connection.set_autocommit(False)
                # BEGIN alone takes no lock: the snapshot is fixed by the first read.
                snapshot.rows("SELECT count(*) FROM sqlite_schema")
                yield snapshot
                connection.rollback()
        except adbc_driver_manager.Error as error:
            raise SourceUnreachable(name=self.name, reason=error) from error

    def _connect(self) -> sqlite3.Connection:
        try:
            return sqlite3.connect(_read_only(self.path), uri=True)
        except sqlite3.Error as error:
            raise SourceUnreachable(name=self.name, reason=f"{error}: {self.path}") from error

    def _lock(self, connection: sqlite3.Connection) -> None:
        try:
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        except sqlite3.Error as error:
            raise SourceUnreachable(name=self.name, reason=f"{error}: {self.path}") from error


class SqliteSnapshot:
    """A database as it was at one moment; one query at a time."""

    def __init__(self, name: str, connection: Any) -> None:
        self.name = name
        self._connection = connection

    @contextmanager
    def batches(self, query: str) -> Iterator[Any]:
        """The rows of a query as a `pyarrow.RecordBatchReader`, in flat memory.

        A column's type is that of its first rows; a later value of another type is an error of
        the reader, never a cast.
        """
        import adbc_driver_manager
        import pyarrow as pa

        with adbc_driver_manager.AdbcStatement(self._connection) as statement:
            statement.set_options(**{"adbc.sqlite.query.batch_rows": str(_BATCH_ROWS)})
            statement.set_sql_query(query)
            stream, _ = statement.execute_query()
            with pa.RecordBatchReader.from_stream(stream) as reader:
                yield reader

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The few rows of a query, as tuples."""
        with self.batches(query) as reader:
            table = reader.read_all()
        columns = [column.to_pylist() for column in table.columns]
        return list(zip(*columns, strict=True))


def _read_only(path: Path) -> str:
    return f"file:{quote(str(path.absolute()))}?mode=ro"


def _authorize(action: int, *_: str | None) -> int:
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


def _explained(error: Exception) -> str:
    text = str(error)
    if "not authorized" in text or "prohibited" in text or "near" in text:
        return f"{text}; it must be one SELECT (or WITH ... SELECT)"
    if "one statement" in text:
        return "it has more than one statement; it must be one SELECT"
    return text
