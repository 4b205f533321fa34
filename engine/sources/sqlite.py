"""A SQLite database as a source: read-only, and everything of one visit from one snapshot.

Rows come as Arrow batches through ADBC, which reads integers without making Python objects. It
brings its own SQLite, and on POSIX systems a process that closes a file drops the locks of every
other SQLite in it; so nothing here opens the file through `sqlite3` while a snapshot is open,
and threads that want the same file take turns.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, RLock
from typing import Any
from urllib.parse import quote

from engine.sources.database import Kind
from engine.sources.faults import InvalidQuery, SourceUnreachable
from engine.sources.sqlite_sql import SqliteSql

_BATCH_ROWS = 65_536
_TRIES = 3  # to hold two connections at one moment, while others write
_PATIENCE = 30_000  # milliseconds to wait for a writer to finish

_TURNS: dict[Path, RLock] = {}  # of each file that this process has opened

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
        with self._turn(), closing(self._connect()) as connection:
            self._lock(connection)

    def columns(self, query: str) -> Mapping[str, str]:
        """The columns that a query gives; raises InvalidQuery unless it is one SELECT.

        Nothing is read: SQLite compiles the query under an authorizer that knows SELECT only. It
        has no types for columns, so none is told.
        """
        with self._turn(), closing(self._connect()) as connection:
            self._lock(connection)
            connection.set_authorizer(_authorize)
            try:
                # As a subquery it can only be a SELECT; as itself it can only be one statement.
                connection.execute(f"EXPLAIN {query}")
                shape = connection.execute(f"SELECT * FROM ({query}\n) LIMIT 0")  # noqa: S608
            except (sqlite3.Error, sqlite3.Warning) as error:
                raise InvalidQuery(source=self.name, reason=_explained(error)) from error
            return {column[0]: "" for column in shape.description}

    def dialect(self, columns: Mapping[str, str]) -> SqliteSql:
        """SQLite's SQL, which is the same for all columns."""
        return SqliteSql()

    @contextmanager
    def snapshot(self) -> "Iterator[SqliteSnapshot]":
        """One moment of the database; its read lock is taken before anything is read."""
        import adbc_driver_manager
        import adbc_driver_sqlite

        try:
            with (
                self._visit(),
                adbc_driver_sqlite.connect(_read_only(self.path)) as database,
                adbc_driver_manager.AdbcConnection(database) as first,
                adbc_driver_manager.AdbcConnection(database) as second,
            ):
                snapshot, other = (
                    SqliteSnapshot(self.name, first),
                    SqliteSnapshot(self.name, second),
                )
                if _hold_still(snapshot, other):
                    snapshot.beside = other
                yield snapshot
        except adbc_driver_manager.Error as error:
            raise SourceUnreachable(name=self.name, reason=error) from error

    def _turn(self) -> RLock:
        return _TURNS.setdefault(self.path.resolve(), RLock())

    @contextmanager
    def _visit(self) -> Iterator[None]:
        with self._turn():
            self.require_reachable()
            yield

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
    """A database as it was at one moment; threads take turns.

    `beside` is the same moment, for another thread to read at the same time. Where that could not
    be had it is this one, and the threads wait for each other.
    """

    def __init__(self, name: str, connection: Any) -> None:
        self.name = name
        self.beside: SqliteSnapshot = self
        self._connection = connection
        self._turn = Lock()

    def hold(self) -> None:
        """Begin a transaction. BEGIN alone takes no lock: the first read fixes the moment."""
        self.rows("PRAGMA query_only = ON")
        self._connection.set_autocommit(False)
        self.rows("SELECT count(*) FROM sqlite_schema")

    def let_go(self) -> None:
        """End the transaction."""
        self._connection.set_autocommit(True)

    def wait(self, milliseconds: int) -> None:
        """How long to wait for a writer, before its lock is an error."""
        self.rows(f"PRAGMA busy_timeout = {milliseconds}")

    def version(self) -> int:
        """A number that changes when another connection has committed since it was last asked."""
        return int(self.rows("PRAGMA data_version")[0][0])

    @contextmanager
    def batches(self, query: str, kinds: Mapping[str, Kind] | None = None) -> Iterator[Any]:
        """The rows of a query as a `pyarrow.RecordBatchReader`, in flat memory.

        A column's type is that of its first rows, unless `kinds` says it; a later value of another
        type is an error of the reader, never a cast.
        """
        import adbc_driver_manager
        import pyarrow as pa

        with self._turn, adbc_driver_manager.AdbcStatement(self._connection) as statement:
            statement.set_options(**{"adbc.sqlite.query.batch_rows": str(_BATCH_ROWS)})
            statement.set_sql_query(_typed(query, kinds) if kinds else query)
            stream, _ = statement.execute_query()
            with pa.RecordBatchReader.from_stream(stream) as reader:
                if kinds:
                    rows = _behind_first_row(reader)
                    yield pa.RecordBatchReader.from_batches(reader.schema, rows)
                else:
                    yield reader

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The few rows of a query, as tuples."""
        with self.batches(query) as reader:
            table = reader.read_all()
        columns = [column.to_pylist() for column in table.columns]
        return list(zip(*columns, strict=True))

    def ends(self, rows: str, key: str) -> tuple[int, int] | None:
        """Known if the rows are of one table and the key is its INTEGER PRIMARY KEY."""
        plan = self.rows(f"EXPLAIN QUERY PLAN SELECT 1 {rows} WHERE {key} < 0")
        if len(plan) != 1 or "USING INTEGER PRIMARY KEY (rowid<?)" not in str(plan[0][-1]):
            return None
        # Each by itself, SQLite looks these up at the ends of the table.
        ((lowest,),) = self.rows(f"SELECT min({key}) {rows}")
        ((highest,),) = self.rows(f"SELECT max({key}) {rows}")
        return None if lowest is None else (lowest, highest)


def _hold_still(first: SqliteSnapshot, second: SqliteSnapshot) -> bool:
    """Hold `first` still, and `second` at the same moment if that can be proved.

    The first is held between two looks of the second at its version: if no commit came between
    the looks, then none came between the two moments either.
    """
    import adbc_driver_manager

    first.wait(_PATIENCE)
    for _ in range(_TRIES):
        second.wait(_PATIENCE)
        before = second.version()
        first.hold()
        # A writer that waits for the first to be done lets the second in no more.
        second.wait(0)
        try:
            second.hold()
            if second.version() == before:
                return True
        except adbc_driver_manager.Error:
            pass
        second.let_go()
        first.let_go()
    first.hold()
    return False


def _typed(query: str, kinds: Mapping[str, Kind]) -> str:
    """The query behind one row that says each column's type."""
    values = {"whole": "0", "text": "''"}
    names = SqliteSql()
    first = ", ".join(f"{values[kind]} AS {names.name(name)}" for name, kind in kinds.items())
    return f"SELECT {first} UNION ALL {query}"


def _behind_first_row(reader: Any) -> Iterator[Any]:
    first = True
    for batch in reader:
        yield batch.slice(1) if first else batch
        first = False


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
