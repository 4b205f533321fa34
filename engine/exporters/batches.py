"""Batches: the rows of a table as Arrow record batches, for exporters that write a column at once.

Every table can be had either way. What a query gave comes as `Batches`, of which the rows are read
one by one where somebody wants rows; rows that are made one by one are gathered into batches where
somebody wants those. Either way the cells are the same.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from engine.exporters.cells import (
    PERCENT_DIGITS,
    PERCENT_PLACES,
    CheckedRows,
    WrongCell,
    encodable,
    rounded,
)
from engine.exporters.document import Column, Kind, Row, Table

_GATHERED = 2_000  # rows
_MOST_ROWS, _MOST_BYTES = 32_768, 32 * 2**20  # that an exporter works on at once
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LEAST, _GREATEST = -(2**63), 2**63 - 1


def arrow_schema(columns: Sequence[Column]) -> Any:
    """The `pyarrow.Schema` of a table's batches.

    Text is a string, a whole number and an amount (of the minor unit) 64 bits, a percentage a
    decimal fraction of nine places, a date date32, an instant microseconds in UTC.
    """
    import pyarrow as pa

    kinds = {
        Kind.TEXT: pa.string(),
        Kind.INTEGER: pa.int64(),
        Kind.MONEY: pa.int64(),
        Kind.PERCENT: pa.decimal128(PERCENT_DIGITS, PERCENT_PLACES),
        Kind.DATE: pa.date32(),
        Kind.DATETIME: pa.timestamp("us", "UTC"),
        Kind.BOOLEAN: pa.bool_(),
    }
    return pa.schema([(column.name, kinds[column.kind]) for column in columns])


@dataclass(frozen=True)
class Batches:
    """Rows that come as `pyarrow.RecordBatch`es of `arrow_schema`, made anew for each reading."""

    make: Callable[[], Iterable[Any]]

    def __iter__(self) -> Iterator[Row]:
        """Read the rows one by one."""
        for batch in self.make():
            columns = [_cells(column) for column in batch.columns]
            yield from zip(*columns, strict=True)


def _cells(column: Any) -> Sequence[Any]:
    """The cells of a column; of instants without loading pandas, as Arrow's own way would."""
    import pyarrow as pa

    if column.type != pa.timestamp("us", "UTC"):
        return column.to_pylist()  # type: ignore[no-any-return]
    return [
        None if instant is None else _EPOCH + timedelta(microseconds=instant)
        for instant in column.view(pa.int64()).to_pylist()
    ]


def batches_of(table: Table, *, before: int = 0) -> Iterator[Any]:
    """The rows of a table as batches; raises WrongRow and WrongCell for what is none of its own.

    So many rows stand `before` them, for errors that say which row is wrong.
    """
    if isinstance(table.rows, Batches):
        yield from table.rows.make()
        return
    import pyarrow as pa

    schema = arrow_schema(table.columns)
    rows = (row for row, _ in CheckedRows(table))
    while gathered := list(islice(rows, _GATHERED)):
        arrays = [
            pa.array(_fitting(table, at, cells, before), schema.types[at])
            for at, cells in enumerate(zip(*gathered, strict=True))
        ]
        before += len(gathered)
        gathered.clear()  # or they would be alive until as many others are
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def bounded(batches: Iterable[Any]) -> Iterator[Any]:
    """The same rows in batches that are not too large to work on, none of them empty."""
    for batch in batches:
        if batch.num_rows > 1 and (batch.num_rows > _MOST_ROWS or batch.nbytes > _MOST_BYTES):
            half = batch.num_rows // 2
            yield from bounded((batch.slice(0, half), batch.slice(half)))
        elif batch.num_rows:
            yield batch


def _fitting(table: Table, at: int, cells: Sequence[Any], before: int) -> Sequence[Any]:
    """The cells of a column as Arrow can hold them."""
    column = table.columns[at]
    if column.kind is Kind.TEXT:
        return [None if cell is None else encodable(cell) for cell in cells]
    if column.kind is Kind.PERCENT:
        return [None if cell is None else rounded(cell) for cell in cells]
    if column.kind in (Kind.INTEGER, Kind.MONEY):
        for number, cell in enumerate(cells, start=before + 1):
            if cell is not None and not _LEAST <= cell <= _GREATEST:
                raise WrongCell(
                    table=table.name,
                    row=number,
                    column=column.name,
                    value=cell,
                    kind=column.kind,
                    expected="an int of 64 bits in this format",
                )
    return cells
