"""The rows of a table as they are written: the first few one by one, all others in batches."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Any

from engine.exporters.batches import Batches, batches_of
from engine.exporters.cells import CheckedRows
from engine.exporters.document import Row, Stream, Table

_MOST_ROWS, _MOST_BYTES = 8_192, 4 * 2**20  # of a portion


class Feed:
    """Reads the rows of a table once: `first`, to its end, and then `rest`."""

    def __init__(self, table: Table, few: int) -> None:
        self._table = table
        self._few = few
        self._read: Iterator[tuple[Row, Sequence[str | None]]] = iter(())
        self._batches: Iterator[Any] = iter(())

    def first(self) -> Iterator[tuple[Row, Sequence[str | None]]]:
        """The first rows, with the currency of each cell."""
        if not isinstance(self._table.rows, Batches):
            self._read = iter(CheckedRows(self._table))
            return islice(self._read, self._few)
        self._batches = batches_of(self._table)
        taken, left = [], self._few
        for batch in self._batches:
            taken.append(batch.slice(0, left))
            if batch.num_rows > left:
                self._batches = chain([batch.slice(left)], self._batches)
            left -= taken[-1].num_rows
            if not left:
                break
        return iter(CheckedRows(replace(self._table, rows=Batches(lambda: taken))))

    def rest(self) -> Iterator[Any]:
        """All further rows, in portions that are not too large to work on."""
        batches = self._batches
        if not isinstance(self._table.rows, Batches):
            batches = self._gathered()
        for batch in batches:
            for start in range(0, batch.num_rows, _MOST_ROWS):
                yield from _portions(batch.slice(start, _MOST_ROWS))

    def _gathered(self) -> Iterator[Any]:
        next_one = [row for row, _ in islice(self._read, 1)]
        if not next_one:
            return iter(())  # and Arrow need not be loaded
        rows = Stream(lambda: chain(next_one, (row for row, _ in self._read)))
        return batches_of(replace(self._table, rows=rows), before=self._few)


def _portions(batch: Any) -> Iterator[Any]:
    if batch.num_rows > 1 and batch.nbytes > _MOST_BYTES:
        half = batch.num_rows // 2
        yield from _portions(batch.slice(0, half))
        yield from _portions(batch.slice(half))
    elif batch.num_rows:
        yield batch
