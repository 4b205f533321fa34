"""Batches: the rows of a table as Arrow record batches, for exporters that write a column at once.

Every table can be had either way. What a query gave comes as `Batches`, of which the rows are read
one by one where somebody wants rows; rows that are made one by one are gathered into batches where
somebody wants those. Either way the cells are the same.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import islice
from typing import Any

from engine.exporters.cells import CheckedRows
from engine.exporters.document import Column, Kind, Row, Table

_GATHERED = 10_000  # rows
_PERCENT_DIGITS, _PERCENT_PLACES = 28, 9
_PERCENT_STEP = Decimal(1).scaleb(-_PERCENT_PLACES)


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
        Kind.PERCENT: pa.decimal128(_PERCENT_DIGITS, _PERCENT_PLACES),
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
            columns = [column.to_pylist() for column in batch.columns]
            yield from zip(*columns, strict=True)


def batches_of(table: Table) -> Iterator[Any]:
    """The rows of a table as batches; raises WrongRow and WrongCell for what is none of its own."""
    if isinstance(table.rows, Batches):
        yield from table.rows.make()
        return
    import pyarrow as pa

    schema = arrow_schema(table.columns)
    percents = [at for at, column in enumerate(table.columns) if column.kind is Kind.PERCENT]
    rows = (row for row, _ in CheckedRows(table))
    while gathered := list(islice(rows, _GATHERED)):
        columns = [list(column) for column in zip(*gathered, strict=True)]
        for at in percents:
            columns[at] = [_rounded(cell) for cell in columns[at]]
        arrays = [
            pa.array(column, kind) for column, kind in zip(columns, schema.types, strict=True)
        ]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _rounded(fraction: Decimal | None) -> Decimal | None:
    return None if fraction is None else fraction.quantize(_PERCENT_STEP, ROUND_HALF_EVEN)
