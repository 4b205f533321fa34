"""Rows of the ledger as Arrow batches, some thousands at a time."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from engine.sources.database import Kind

_BATCH_ROWS = 5_000

Fetch = Callable[[int], Sequence[Sequence[Any]]]


def reader_of(names: Sequence[str], types: Sequence[Any], fetch: Fetch) -> Any:
    """What `fetch` gives, so many rows at a time, as a `pyarrow.RecordBatchReader`.

    `types` are Arrow's, None for what the first rows are; a later value of another type is an
    error of the reader, never a cast.
    """
    import pyarrow as pa

    first = fetch(_BATCH_ROWS)
    values = list(zip(*first, strict=True)) if first else [()] * len(names)
    # Of no value at all nobody knows the type: it is a text.
    guessed = [
        pa.array(column).type if kind is None and any(each is not None for each in column) else kind
        for kind, column in zip(types, values, strict=True)
    ]
    schema = pa.schema(
        [pa.field(name, kind or pa.string()) for name, kind in zip(names, guessed, strict=True)]
    )

    def batches() -> Iterator[Any]:
        rows = first
        while rows:
            columns = zip(*rows, strict=True)
            arrays = [
                pa.array(_made(column, kind), kind)
                for column, kind in zip(columns, schema.types, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)
            rows = fetch(_BATCH_ROWS)

    return pa.RecordBatchReader.from_batches(schema, batches())


def types_of(names: Sequence[str], kinds: Mapping[str, Kind] | None) -> Sequence[Any]:
    """Arrow's types of columns by what they are due as; None for all that are due as nothing."""
    import pyarrow as pa

    types = {"whole": pa.int64(), "number": pa.float64(), "text": pa.string()}
    return [types[kinds[name]] if kinds else None for name in names]


def _made(column: Sequence[Any], kind: Any) -> Sequence[Any]:
    import pyarrow as pa

    if pa.types.is_string(kind):
        return [each if each is None or isinstance(each, str) else _text(each) for each in column]
    return column


def _text(value: Any) -> str:
    """A number as its digits; Arrow's own error for bytes."""
    import pyarrow as pa

    match value:
        case bytes():
            raise pa.ArrowInvalid("bytes are no text")
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.isoformat()
        case float():
            return f"{Decimal(repr(value)):f}"
        case Decimal():
            return f"{value:f}"
        case dict() | list():
            return json.dumps(value, ensure_ascii=False)
    return str(value)
