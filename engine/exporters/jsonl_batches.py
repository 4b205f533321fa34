"""Objects of JSON Lines by whole batches, the same as `jsonl` writes one by one."""

from collections.abc import Sequence
from datetime import UTC
from typing import Any

import pyarrow.compute as pc

from engine.exporters.arrays import Texts, bytes_of, one
from engine.exporters.column_texts import (
    boolean_texts,
    each,
    integer_texts,
    joined,
    percent_texts,
    rewritten,
    which_hold,
)
from engine.exporters.document import Column, Kind
from engine.exporters.instant_texts import InstantTexts, date_texts
from engine.exporters.jsonl import literal

_ESCAPED = bytes(range(32)) + b'"\\'


class JsonBatches:
    """Lines of the batches of one table."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._keys = [
            f"{',' if place else '{'}{literal(column.name)}:"
            for place, column in enumerate(columns)
        ]
        self._instants = InstantTexts(UTC, offset="Z")

    def lines(self, batch: Any) -> Any:
        """The bytes of a batch's objects."""
        pieces: list[Any] = []
        for key, column in zip(self._keys, self._columns, strict=True):
            pieces += [key, self._values(column, batch)]
        return bytes_of(joined(*pieces, "}\n", null="null"))

    def _values(self, column: Column, batch: Any) -> Texts:
        cells = batch.column(column.name)
        if column.kind is Kind.TEXT:
            return _texts(cells)
        if column.kind is Kind.MONEY:
            return self._amounts(column, cells, batch)
        if column.kind is Kind.PERCENT:
            return percent_texts(cells)
        if column.kind is Kind.DATE:
            return joined('"', date_texts(cells), '"')
        if column.kind is Kind.DATETIME:
            return joined('"', self._instants.of(cells), '"')
        if column.kind is Kind.BOOLEAN:
            return boolean_texts(cells)
        return integer_texts(cells)

    def _amounts(self, column: Column, cells: Any, batch: Any) -> Texts:
        minor = joined('{"minor":', integer_texts(cells), ',"currency":')
        if column.currency is not None:
            return joined(minor, f"{literal(column.currency)}}}")
        named = _texts(batch.column(column.currency_column))
        # An empty text names no currency either.
        named = pc.if_else(pc.equal(named, one('""')), one("null"), named)
        return joined(minor, named.fill_null(one("null")), "}")


def _texts(cells: Texts) -> Texts:
    """Texts with their quotes."""
    escaped = rewritten(cells, which_hold(cells, _ESCAPED), each(lambda text: literal(text)[1:-1]))
    return joined('"', escaped, '"')
