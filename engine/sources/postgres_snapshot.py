"""A PostgreSQL database held still: what is read of it, by any number of readers, at one moment.

Every long reading is a connection of its own that takes up the snapshot, so that one which is
given up or fails does no harm to the others. Rows come as Arrow batches through ADBC: by COPY in
binary; or, since COPY takes no parameters, from a cursor that was declared with them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

from engine.sources.database import Kind, Plan
from engine.sources.failures import Failures
from engine.sources.faults import InvalidQuery, MissingDriver, SourceUnreachable, too_long
from engine.sources.parameters import Params
from engine.sources.postgres_bulk import limiting, ordered, read
from engine.sources.postgres_marks import marked

if TYPE_CHECKING:
    from psycopg import Connection

_STOPPED = "57014"  # the SQLSTATE of a statement that was cancelled
_GUESS = re.compile(r"\(cost=[\d.]+\.\.(?P<cost>[\d.]+) rows=(?P<rows>\d+)")


class PostgresSnapshot:
    """A database as it was at one moment; any number of threads read it side by side."""

    def __init__(
        self, opener: "Opener", connection: "Connection[tuple[Any, ...]]", exported: str
    ) -> None:
        self.beside = self
        self._opener = opener
        self._connection = connection
        self._exported = exported
        self._turn = Lock()

    @contextmanager
    def batches(
        self,
        query: str,
        kinds: Mapping[str, Kind] | None = None,
        *,
        params: Params | None = None,
        time_limit: timedelta | None = None,
    ) -> Iterator[Any]:
        """The rows of a query as a `pyarrow.RecordBatchReader`, in flat memory.

        The types of the columns are PostgreSQL's, whatever `kinds` says.
        """
        import adbc_driver_manager
        import pyarrow as pa

        asked = marked(query, params, source=self._opener.name)
        failures, whole = Failures(), False

        def batches(reader: Any) -> Iterator[Any]:
            nonlocal whole
            yield from reader
            whole = True

        try:
            with (
                failures.shown(),
                self._connected() as connection,
                read(connection, asked, time_limit) as reader,
            ):
                rows = failures.noted(batches(reader))
                try:
                    yield pa.RecordBatchReader.from_batches(reader.schema, rows)
                finally:
                    if not whole:
                        connection.cancel()  # else the rest is read to be thrown away
        except adbc_driver_manager.Error as error:
            raise self._fault(error, time_limit) from error

    def rows(
        self, query: str, *, params: Params | None = None, time_limit: timedelta | None = None
    ) -> Sequence[tuple[Any, ...]]:
        """The few rows of a query; threads take turns."""
        import psycopg

        asked = marked(query, params, source=self._opener.name)
        values = [each.value for each in asked.parameters]
        with self._turn:
            try:
                # Within a savepoint, so that the moment outlives a query that is stopped.
                with self._connection.transaction(), psycopg.RawCursor(self._connection) as cursor:
                    if time_limit is not None:
                        cursor.execute(limiting(time_limit))
                    cursor.execute(asked.query, values, prepare=True)
                    found = cursor.fetchall()
                    if time_limit is not None:
                        cursor.execute(limiting(None))
                    return found
            except psycopg.Error as error:
                raise self._fault(error, time_limit) from error

    def ends(self, rows: str, key: str) -> tuple[int, int] | None:
        """Not known."""
        return None

    def plan(self, query: str, params: Params | None = None) -> Plan:
        """As EXPLAIN says it."""
        lines = [str(line) for (line,) in self.rows(f"EXPLAIN {query}", params=params)]
        found = _GUESS.search(lines[0])
        rows, cost = (int(found["rows"]), float(found["cost"])) if found else (None, None)
        return Plan(lines, rows, cost)

    def _fault(self, error: Any, time_limit: timedelta | None) -> Exception:
        if time_limit is not None and error.sqlstate == _STOPPED:
            return too_long(self._opener.name, time_limit)
        return self._opener.fault(error.sqlstate, str(error))

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        """Another connection, in a transaction at the same moment."""
        import adbc_driver_manager

        driver = _bulk_driver()
        with (
            driver.connect(self._opener.conninfo) as server,
            adbc_driver_manager.AdbcConnection(server) as connection,
        ):
            connection.set_autocommit(False)
            for order in (
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
                f"SET TRANSACTION SNAPSHOT '{self._exported}'",
                self._opener.settings,
            ):
                ordered(connection, order)
            yield connection


class Opener(Protocol):
    """The database, as far as a snapshot needs it."""

    @property
    def name(self) -> str:
        """What the source is called."""

    @property
    def conninfo(self) -> str:
        """How to connect, for libpq."""

    @property
    def settings(self) -> str:
        """What each transaction is told first."""

    def fault(self, sqlstate: str | None, text: str) -> InvalidQuery | SourceUnreachable:
        """What an error means."""


def _bulk_driver() -> Any:
    try:
        import adbc_driver_postgresql
    except ImportError as error:
        package = "adbc-driver-postgresql"
        raise MissingDriver(scheme="postgresql", package=package, extra="postgres") from error
    return adbc_driver_postgresql
