"""Many rows of PostgreSQL as Arrow batches: by COPY, or from a cursor if there are parameters.

A time limit holds from the first word of a query to its last row, however it is read.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any

from engine.clock import elapsed
from engine.sources.marks import Bound
from engine.sources.parameters import Parameter, ParameterType

_BATCH = "adbc.postgresql.batch_size_hint_bytes"
_BATCH_BYTES = 4 * 1024 * 1024
_BY_COPY = "adbc.postgresql.use_copy"
_FETCHED = 16_384  # rows at a time from a cursor; all of them are in memory

# Without it a cursor is planned for whoever takes the first tenth of its rows.
_FOR_ALL_ROWS = "SELECT set_config('cursor_tuple_fraction', '1', true)"


def limiting(left: timedelta | None) -> str:
    """The order to stop a statement of the transaction after so long; None: never."""
    milliseconds = 0 if left is None else max(1, round(left.total_seconds() * 1000))
    return f"SELECT set_config('statement_timeout', '{milliseconds}ms', true)"


def ordered(connection: Any, order: str, values: Any = None) -> None:
    """Carry out a statement that gives nothing."""
    import adbc_driver_manager

    with adbc_driver_manager.AdbcStatement(connection) as statement:
        statement.set_sql_query(order)
        if values is not None:
            statement.bind_stream(values)
        statement.execute_update()


def read(
    connection: Any, asked: Bound, time_limit: timedelta | None
) -> AbstractContextManager[Any]:
    """The rows of a query, as a reader with `schema`."""
    if asked.parameters:
        return declared(connection, asked, time_limit)
    return copied(connection, asked.query, time_limit)


@contextmanager
def copied(connection: Any, query: str, time_limit: timedelta | None) -> Iterator[Any]:
    """The rows of a query without parameters, by COPY."""
    import adbc_driver_manager

    if time_limit is not None:
        ordered(connection, limiting(time_limit))
    with adbc_driver_manager.AdbcStatement(connection) as statement:
        statement.set_options(**{_BATCH: str(_BATCH_BYTES)})
        with _carried_out(statement, query) as reader:
            yield reader


@contextmanager
def declared(connection: Any, asked: Bound, time_limit: timedelta | None) -> Iterator["Fetched"]:
    """The rows of a query whose parameters the server was given, from a cursor."""
    until = None if time_limit is None else elapsed() + time_limit.total_seconds()
    ordered(connection, _FOR_ALL_ROWS)
    if time_limit is not None:
        ordered(connection, limiting(time_limit))
    values = one_row(asked.parameters)
    ordered(connection, f"DECLARE found NO SCROLL CURSOR FOR {asked.query}", values)
    yield Fetched(connection, until)


class Fetched:
    """The batches of the cursor `found`."""

    def __init__(self, connection: Any, until: float | None) -> None:
        self._connection = connection
        self._until = until
        self.schema, self._first = self._fetch()

    def __iter__(self) -> Iterator[Any]:
        """One batch after the other, until there are no more rows."""
        batches = self._first
        while batches:
            yield from batches
            _, batches = self._fetch()

    def _fetch(self) -> tuple[Any, Sequence[Any]]:
        import adbc_driver_manager

        if self._until is not None:
            ordered(self._connection, limiting(timedelta(seconds=self._until - elapsed())))
        with adbc_driver_manager.AdbcStatement(self._connection) as statement:
            statement.set_options(**{_BY_COPY: "false"})
            with _carried_out(statement, f"FETCH FORWARD {_FETCHED} FROM found") as reader:
                return reader.schema, [batch for batch in reader if batch.num_rows]


def one_row(parameters: Sequence[Parameter]) -> Any:
    """The values as ADBC binds them: its one way to bind goes by a stream of rows."""
    import pyarrow as pa

    types: Mapping[ParameterType, Callable[[], Any]] = {
        "text": pa.string,
        "integer": pa.int64,
        "decimal": lambda: None,  # as many places as it has
        "date": pa.date32,
        "datetime": lambda: pa.timestamp("us", "UTC"),
        "boolean": pa.bool_,
    }
    arrays = [pa.array([each.value], types[each.type]()) for each in parameters]
    row = pa.RecordBatch.from_arrays(arrays, names=[str(at) for at in range(len(parameters))])
    return pa.RecordBatchReader.from_batches(row.schema, [row])


@contextmanager
def _carried_out(statement: Any, query: str) -> Iterator[Any]:
    from adbc_driver_manager._reader import AdbcRecordBatchReader

    statement.set_sql_query(query)
    stream, _ = statement.execute_query()
    # Unlike pyarrow's own it raises what PostgreSQL said, with its SQLSTATE.
    raw = AdbcRecordBatchReader._import_from_c(stream.address)  # noqa: SLF001
    with raw as reader:
        yield reader
