"""The largest numbers of a batch, by which the widths of columns are found."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from engine.exporters.arrays import numbers
from engine.exporters.document import Column


def largest_numbers(
    columns: Mapping[int, Column], batch: Any
) -> Iterator[tuple[int, int, str | None]]:
    """The number farthest from nought in each column, by its place, with its row's currency."""
    for place, column in columns.items():
        values = numbers(batch.column(column.name))
        at = int(np.argmax(np.abs(values).view(np.uint64)))
        currency = column.currency
        if column.currency_column is not None:
            currency = batch.column(column.currency_column)[at].as_py() or ""
        yield place, int(values[at]), currency
