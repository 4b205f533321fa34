"""Days and instants of a column as Excel's serial numbers: days since the end of 1899.

Excel's calendar has a 29 February 1900, which never was, so programs do not agree on the days
before it. Those are told apart, to be written as text.
"""

from datetime import tzinfo
from typing import Any

import numpy as np
import pyarrow as pa

from engine.exporters.arrays import Numbers, Texts, array_of, numbers
from engine.exporters.column_texts import emptied
from engine.exporters.instant_texts import InstantTexts

_DAY, _SECOND = 86_400, 1_000_000
_EPOCH = 25_569  # 1970-01-01
_MARCH_1900 = 61


def day_serials(column: Any) -> tuple[Texts, Numbers | None]:
    """The days of a column of date32; and which are too early, or None if none is."""
    serials = numbers(column.view(pa.int32())) + np.int32(_EPOCH)
    return emptied(array_of(serials).cast(pa.string()), column), _early(serials)


class Serials:
    """Instants as numbers of the clocks of one zone."""

    def __init__(self, zone: tzinfo) -> None:
        self._instants = InstantTexts(zone)

    def of(self, column: Any) -> tuple[Texts, Numbers | None]:
        """The instants of a column of microseconds in UTC; and which are too early, if any."""
        instants = numbers(column.view(pa.int64()))
        seconds = instants // _SECOND
        rest = instants - seconds * _SECOND
        local = seconds + self._instants.offsets(seconds)
        days = local // _DAY
        serials = days + _EPOCH + (local - days * _DAY + rest / _SECOND) / _DAY
        made = pa.Array.from_buffers(pa.float64(), len(serials), [None, pa.py_buffer(serials)])
        return emptied(made.cast(pa.string()), column), _early(serials)


def _early(serials: Numbers) -> Numbers | None:
    early = serials < _MARCH_1900
    return early if early.any() else None
