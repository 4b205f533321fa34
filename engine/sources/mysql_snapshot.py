"""A MySQL or MariaDB database held still: what is read of it, by one reader at a time.

There is no way to give the moment of a connection to another one. Rows come one by one from the
server and are made into Arrow batches here.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from math import prod
from threading import Lock
from typing import TYPE_CHECKING, Any

from engine.sources.database import Kind, Plan
from engine.sources.failures import Failures
from engine.sources.faults import InvalidQuery, too_long
from engine.sources.mysql_marks import carry_out, marked
from engine.sources.mysql_rows import Columns
from engine.sources.parameters import Params

if TYPE_CHECKING:
    from pymysql.connections import Connection

    from engine.sources.mysql import MysqlDatabase

_BATCH_ROWS = 32_768
_STOPPED = ((1969,), (3024,))  # the errors of a statement whose time was over, in both servers


class MysqlSnapshot:
    """A database as it was at one moment; threads take turns."""

    def __init__(self, database: "MysqlDatabase", connection: "Connection[Any]") -> None:
        self.beside: MysqlSnapshot = self
        self._database = database
        self._connection = connection
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

        The types of the columns are the server's, whatever `kinds` says.
        """
        import pyarrow as pa

        asked = marked(query, params, source=self._database.name)
        failures = Failures()
        try:
            with (
                self._turn,
                self._limited(time_limit),
                failures.shown(),
                self._unbuffered() as cursor,
            ):
                carry_out(cursor, asked)
                columns = Columns(cursor)
                rows = failures.noted(self._batches(columns))
                yield pa.RecordBatchReader.from_batches(columns.schema, rows)
        except self._driver.Error as error:
            raise self._fault(error, time_limit) from error

    def rows(
        self, query: str, *, params: Params | None = None, time_limit: timedelta | None = None
    ) -> Sequence[tuple[Any, ...]]:
        """The few rows of a query."""
        return self._few(query, params, time_limit)[1]

    def ends(self, rows: str, key: str) -> tuple[int, int] | None:
        """Not known; and nobody could read beside."""
        return None

    def plan(self, query: str, params: Params | None = None) -> Plan:
        """As EXPLAIN says it; each of the tables is looked through for each row of those before."""
        names, rows = self._few(f"EXPLAIN {query}", params, None)
        told = [dict(zip(names, row, strict=True)) for row in rows]
        guesses = [int(each["rows"]) for each in told if each["id"] == 1 and each["rows"]]
        lines = [
            ", ".join(
                f"{name}: {_text(value)}" for name, value in each.items() if value is not None
            )
            for each in told
        ]
        return Plan(lines, prod(guesses) if guesses else None)

    def _few(
        self, query: str, params: Params | None, time_limit: timedelta | None
    ) -> tuple[Sequence[str], Sequence[tuple[Any, ...]]]:
        asked = marked(query, params, source=self._database.name)
        try:
            with self._turn, self._limited(time_limit), self._connection.cursor() as cursor:
                carry_out(cursor, asked)
                names = [column[0] for column in cursor.description or ()]
                return names, list(cursor.fetchall())
        except self._driver.Error as error:
            raise self._fault(error, time_limit) from error

    @contextmanager
    def _limited(self, time_limit: timedelta | None) -> Iterator[None]:
        """Have the server stop what takes longer."""
        if time_limit is None:
            yield
            return
        seconds = time_limit.total_seconds()
        is_mariadb = "MariaDB" in self._connection.get_server_info()
        name = "max_statement_time" if is_mariadb else "max_execution_time"
        limit = seconds if is_mariadb else max(1, round(seconds * 1000))
        self._connection.query(f"SET SESSION {name} = {limit}")
        try:
            yield
        finally:
            if self._connection.open:
                with suppress(self._driver.Error):
                    self._connection.query(f"SET SESSION {name} = DEFAULT")

    def _fault(self, error: Any, time_limit: timedelta | None) -> Exception:
        if time_limit is not None and error.args[:1] in _STOPPED:
            return too_long(self._database.name, time_limit)
        return self._database.fault(error)

    @property
    def _driver(self) -> Any:
        import pymysql

        return pymysql

    @contextmanager
    def _unbuffered(self) -> Iterator[Any]:
        """A cursor whose rows stay with the server until they are fetched."""
        from pymysql.cursors import SSCursor

        cursor = self._connection.cursor(SSCursor)
        try:
            yield cursor
        finally:
            result = cursor._result  # noqa: SLF001 - only it knows whether there is a rest
            if result is not None and result.unbuffered_active:
                self._give_up(cursor)
            cursor.close()

    def _give_up(self, cursor: Any) -> None:
        """Have the server stop; else all rows are sent, and read to be thrown away."""
        if self._connection.open:
            self._database.stop(self._connection.thread_id())
            with suppress(self._driver.Error):
                cursor.close()
            with suppress(self._driver.Error):
                self._connection.ping(reconnect=False)  # which takes a stop that came too late
        else:
            cursor._result.unbuffered_active = False  # noqa: SLF001 - there is nobody to wait for

    def _batches(self, columns: Columns) -> Iterator[Any]:
        import pyarrow as pa

        try:
            yield from columns.batches(_BATCH_ROWS)
        except pa.ArrowInvalid as error:
            reason = f"a value has no room in its column's type: {error}"
            raise InvalidQuery(source=self._database.name, reason=reason) from error


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
