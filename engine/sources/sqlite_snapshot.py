"""A SQLite database held still: what is read of it through ADBC, in batches, at one moment.

ADBC cannot stop a query. One that has a limit of time is carried out by a thread of its own; when
its time is over it is left behind with its connection, which is never used again, and ends with
the process of the attempt. It holds no lock but a reader's.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from threading import Lock
from typing import Any

from engine.sources.database import Kind, Plan
from engine.sources.faults import InvalidQuery, TooPrecise, too_long
from engine.sources.marks import Bound, Quoting, bound
from engine.sources.overtime import Overtime, Reading
from engine.sources.parameters import Parameter, Params, Value
from engine.sources.sqlite_sql import QUOTED, REFUSAL, SqliteSql

_BATCH_ROWS = 65_536
_FEWER_ROWS = 16_384  # where several batches wait for whoever takes them
QUOTING = Quoting(QUOTED)


class SqliteSnapshot:
    """A database as it was at one moment; threads take turns.

    `beside` is the same moment, for another thread to read at the same time. Where that could not
    be had it is this one, and the threads wait for each other.
    """

    def __init__(self, name: str, connection: Any) -> None:
        self.name = name
        self.beside: SqliteSnapshot = self
        self.left_behind = False
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
    def batches(
        self,
        query: str,
        kinds: Mapping[str, Kind] | None = None,
        *,
        params: Params | None = None,
        time_limit: timedelta | None = None,
    ) -> Iterator[Any]:
        """The rows of a query as a `pyarrow.RecordBatchReader`, in flat memory.

        A column's type is that of its first rows, unless `kinds` says it; a later value of another
        type is an error of the reader, never a cast.
        """
        import pyarrow as pa

        asked = marked(query, params, source=self.name)
        asked = Bound(_typed(asked.query, kinds), asked.parameters) if kinds else asked
        with ExitStack() as stack:
            stack.enter_context(self._turn)
            if self.left_behind:
                reason = "a query that took too long still holds its connection"
                raise InvalidQuery(source=self.name, reason=reason)
            reader = stack.enter_context(self._read(asked, time_limit))
            if kinds:
                rows = _behind_first_row(reader)
                reader = pa.RecordBatchReader.from_batches(reader.schema, rows)
            yield reader

    def rows(
        self, query: str, *, params: Params | None = None, time_limit: timedelta | None = None
    ) -> list[tuple[Any, ...]]:
        """The few rows of a query, as tuples."""
        with self.batches(query, params=params, time_limit=time_limit) as reader:
            table = reader.read_all()
        columns = [column.to_pylist() for column in table.columns]
        return list(zip(*columns, strict=True))

    def ends(self, rows: str, key: str) -> tuple[int, int] | None:
        """Known if the rows are of one table and the key is its INTEGER PRIMARY KEY."""
        plan = self.plan(f"SELECT 1 {rows} WHERE {key} < 0").lines
        if len(plan) != 1 or "USING INTEGER PRIMARY KEY (rowid<?)" not in plan[0]:
            return None
        # Each by itself, SQLite looks these up at the ends of the table.
        ((lowest,),) = self.rows(f"SELECT min({key}) {rows}")
        ((highest,),) = self.rows(f"SELECT max({key}) {rows}")
        return None if lowest is None else (lowest, highest)

    def plan(self, query: str, params: Params | None = None) -> Plan:
        """What it would look through; SQLite makes no guess of rows."""
        told = self.rows(f"EXPLAIN QUERY PLAN {query}", params=params)
        return Plan([str(line[-1]) for line in told])

    @contextmanager
    def _read(self, asked: Bound, time_limit: timedelta | None) -> Iterator[Any]:
        if time_limit is None:
            with self._carried_out(asked, _BATCH_ROWS) as reader:
                yield reader
            return
        reading = Reading(lambda: self._carried_out(asked, _FEWER_ROWS), time_limit)
        try:
            with reading.opened() as reader:
                yield reader
        except Overtime as error:
            raise too_long(self.name, time_limit) from error
        finally:
            self.left_behind = reading.left_behind

    @contextmanager
    def _carried_out(self, asked: Bound, batch_rows: int) -> Iterator[Any]:
        import adbc_driver_manager
        import pyarrow as pa

        with adbc_driver_manager.AdbcStatement(self._connection) as statement:
            statement.set_options(**{"adbc.sqlite.query.batch_rows": str(batch_rows)})
            statement.set_sql_query(asked.query)
            if asked.parameters:
                values = [bindable(each) for each in asked.parameters]
                statement.bind_stream(_one_row(asked.parameters, values))
            try:
                stream, _ = statement.execute_query()
            except adbc_driver_manager.Error as error:
                if REFUSAL in str(error):
                    raise InvalidQuery(source=self.name, reason=error) from error
                raise
            with pa.RecordBatchReader.from_stream(stream) as reader:
                yield reader


def marked(query: str, params: Params | None, *, source: str) -> Bound:
    """The query with SQLite's marks, and what is bound to them."""
    return bound(query, params, source=source, quoting=QUOTING, mark=lambda at, _: f"?{at}")


def bindable(parameter: Parameter) -> Value | float:
    """A value as SQLite has it: a date and an instant are texts, the latter in UTC.

    Behind a whole second an instant has `+00:00`, so that it sorts before all of that second's
    texts, whether they end in Z or in a fraction. A decimal with fractions is a REAL there: the
    nearest one, which has to say the same; raises TooPrecise.
    """
    value = parameter.value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, Decimal):
        whole = value == value.to_integral_value() and abs(value) < 2**63
        if whole:
            return int(value)
        nearest = float(value)
        if Decimal(repr(nearest)) != value:
            raise TooPrecise(value=value)
        return nearest
    return value


def _one_row(parameters: Sequence[Parameter], values: Sequence[Value | float]) -> Any:
    """The values as ADBC binds them: its one way to bind goes by a stream of rows."""
    import pyarrow as pa

    kinds: Mapping[type, Callable[[], Any]] = {str: pa.string, int: pa.int64, float: pa.float64}
    arrays = [pa.array([each], kinds.get(type(each), pa.string)()) for each in values]
    row = pa.RecordBatch.from_arrays(arrays, names=[str(at) for at in range(len(parameters))])
    return pa.RecordBatchReader.from_batches(row.schema, [row])


def _typed(query: str, kinds: Mapping[str, Kind]) -> str:
    """The query behind one row that says each column's type."""
    values = {"whole": "0", "number": "0.0", "text": "''"}
    names = SqliteSql()
    first = ", ".join(f"{values[kind]} AS {names.name(name)}" for name, kind in kinds.items())
    return f"SELECT {first} UNION ALL {query}"


def _behind_first_row(reader: Any) -> Iterator[Any]:
    first = True
    for batch in reader:
        yield batch.slice(1) if first else batch
        first = False
