"""Days and instants of a column as Excel's serial numbers: days since the end of 1899.

Excel's calendar has a 29 February 1900, which never was, so earlier days count one less. Days
before 1900 have no number; they are told apart, to be written as text.
"""

from datetime import tzinfo
from typing import Any

import numpy as np
import pyarrow as pa

from engine.exporters.column_texts import Numbers, Texts, emptied, numbers
from engine.exporters.instant_texts import InstantTexts

_DAY, _SECOND = 86_400, 1_000_000
_EPOCH = 25_569  # 1970-01-01
_MARCH_1900 = 61


def day_serials(column: Any) -> tuple[Texts, Numbers | None]:
    """The days of a column of date32; and which are before 1900, or None if none is."""
    days = _counted(numbers(column.view(pa.int32())).astype(np.int64))
    return emptied(pa.array(days).cast(pa.string()), column), _early(days)


class Serials:
    """Instants as numbers of the clocks of one zone."""

    def __init__(self, zone: tzinfo) -> None:
        self._instants = InstantTexts(zone)

    def of(self, column: Any) -> tuple[Texts, Numbers | None]:
        """The instants of a column of microseconds in UTC; and which are before 1900, if any."""
        instants = numbers(column.view(pa.int64()))
        seconds = instants // _SECOND
        rest = instants - seconds * _SECOND
        local = seconds + self._instants.offsets(seconds)
        days = local // _DAY
        serials = _counted(days)
        fraction = (local - days * _DAY + rest / _SECOND) / _DAY
        texts = pa.array(serials + fraction).cast(pa.string())
        return emptied(texts, column), _early(serials)


def _counted(days: Numbers) -> Numbers:
    """Days since 1970 as Excel counts them."""
    serials = days + _EPOCH
    return np.where(serials < _MARCH_1900, serials - 1, serials)


def _early(serials: Numbers) -> Numbers | None:
    early = serials < 1
    return early if early.any() else None
