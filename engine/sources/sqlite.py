"""A SQLite database as a source: read-only, and everything of one visit from one snapshot.

Rows come as Arrow batches through ADBC, which reads integers without making Python objects. It
brings its own SQLite, and on POSIX systems a process that closes a file drops the locks of every
other SQLite in it; so nothing here opens the file through `sqlite3` while a snapshot is open,
and threads that want the same file take turns.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from urllib.parse import quote

from engine.sources.faults import InvalidQuery, SourceUnreachable
from engine.sources.parameters import Params
from engine.sources.sqlite_snapshot import SqliteSnapshot, bindable, marked
from engine.sources.sqlite_sql import SqliteSql

_TRIES = 3  # to hold two connections at one moment, while others write
_PATIENCE = 30_000  # milliseconds to wait for a writer to finish

_LEFT_BEHIND: list[ExitStack] = []  # connections of queries that took too long

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

    def columns(self, query: str, params: Params | None = None) -> Mapping[str, str]:
        """The columns that a query gives; raises InvalidQuery unless it is one SELECT.

        Nothing is read: SQLite compiles the query under an authorizer that knows SELECT only. It
        has no types for columns, so none is told.
        """
        asked = marked(query, params, source=self.name)
        values = [bindable(each) for each in asked.parameters]
        with self._turn(), closing(self._connect()) as connection:
            self._lock(connection)
            connection.set_authorizer(_authorize)
            try:
                # As a subquery it can only be a SELECT; as itself it can only be one statement.
                connection.execute(f"EXPLAIN {asked.query}", values)
                shape = connection.execute(
                    f"SELECT * FROM ({asked.query}\n) LIMIT 0",  # noqa: S608
                    values,
                )
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
            with self._visit(), ExitStack() as opened:
                database = opened.enter_context(adbc_driver_sqlite.connect(_read_only(self.path)))
                snapshot, other = (
                    SqliteSnapshot(
                        self.name,
                        opened.enter_context(adbc_driver_manager.AdbcConnection(database)),
                    )
                    for _ in range(2)
                )
                if _hold_still(snapshot, other):
                    snapshot.beside = other
                try:
                    yield snapshot
                finally:
                    if snapshot.left_behind or other.left_behind:
                        # Nobody may close what the driver still works with.
                        _LEFT_BEHIND.append(opened.pop_all())
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
