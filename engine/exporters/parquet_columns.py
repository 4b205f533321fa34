"""The columns of a Parquet file: their types, what is known about them, and their cells."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from engine.exporters.arrays import numbers
from engine.exporters.batches import arrow_schema
from engine.exporters.cells import encodable
from engine.exporters.column_texts import by_places, emptied
from engine.exporters.document import Column, Document, Kind, Table
from engine.money import minor_digits

_DIGITS = 19  # of 64 bits
_MOST_PLACES = 4  # of any currency


def file_schema(document: Document, table: Table) -> Any:
    """The columns of the file and all that is known about them and it."""
    fields = [
        pa.field(column.name, _kind(column, document, plain.type), metadata=_about(column))
        for column, plain in zip(table.columns, arrow_schema(table.columns), strict=True)
    ]
    about = {
        **document.properties,
        "title": document.title,
        "table": table.name,
        "made_at": document.made_at.isoformat(),
        "timezone": document.timezone,
    }
    return pa.schema(fields, {encodable(key): encodable(value) for key, value in about.items()})


def typed_batch(columns: Sequence[Column], batch: Any, schema: Any) -> Any:
    """A batch as the file has it."""
    arrays = []
    for column, field in zip(columns, schema, strict=True):
        cells = batch.column(column.name)
        if column.kind is Kind.MONEY:
            arrays.append(_amounts(column, cells, batch, field.type))
        else:
            arrays.append(cells if cells.type == field.type else cells.cast(field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _kind(column: Column, document: Document, plain: Any) -> Any:
    if column.kind is Kind.DATETIME:
        return pa.timestamp("us", document.timezone)
    if column.kind is not Kind.MONEY:
        return plain
    if column.currency is None:
        return pa.decimal128(_DIGITS + _MOST_PLACES, _MOST_PLACES)
    return pa.decimal128(_DIGITS, minor_digits(column.currency))


def _about(column: Column) -> Mapping[str, str]:
    known = {
        "title": encodable(column.title),
        "kind": str(column.kind),
        "currency": column.currency,
        "currency_column": column.currency_column,
    }
    return {key: value for key, value in known.items() if value is not None}


def _amounts(column: Column, cells: Any, batch: Any, kind: Any) -> Any:
    """Whole numbers of the minor unit as decimals: the same number with a point in it."""
    minor = numbers(cells)
    halves = np.empty((len(minor), 2), np.int64)
    halves[:, 0], halves[:, 1] = minor, minor >> 63
    data = pa.py_buffer(halves)

    def decimals(places: int) -> Any:
        exact = pa.Array.from_buffers(pa.decimal128(_DIGITS, places), len(minor), [None, data])
        return exact.cast(kind)

    currency = column.currency or batch.column(column.currency_column)
    return emptied(by_places(currency, decimals), cells)
