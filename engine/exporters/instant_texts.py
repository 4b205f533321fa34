"""Days and instants of a batch as texts, as Python's `isoformat` writes them.

The zone is Python's, not Arrow's: its data comes with us, and both ways of writing a table know
the same changes of the clock.
"""

from datetime import UTC, date, datetime, tzinfo
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from engine.errors import Invalid
from engine.exporters.arrays import (
    Numbers,
    Texts,
    array_of,
    fixed_texts,
    numbers,
    texts_of,
    varying_texts,
)
from engine.exporters.column_texts import emptied, joined

_DAY, _SECOND = 86_400, 1_000_000
_EPOCH = date(1970, 1, 1).toordinal()
_FIRST, _LAST = date.min.toordinal() - _EPOCH, date.max.toordinal() - _EPOCH


class OutOfCalendar(Invalid):
    """A date is in no year that a file can say."""

    message = "a {kind} lies outside of the years 1 to 9999, which no file can say"


def date_texts(column: Any) -> Texts:
    """Days: 2026-01-05."""
    days = numbers(column.view(pa.int32()))
    return emptied(fixed_texts(_dates(days, "date")), column)


class InstantTexts:
    """Instants in one zone: 2026-01-05T06:00:00.250000+03:00, the fraction only if there is one.

    `offset` stands at the end instead of the zone's own.
    """

    def __init__(self, zone: tzinfo, *, between: str = "T", offset: str | None = None) -> None:
        self._zone = zone
        self._offset = offset
        self._between = ord(between)
        self._known: dict[int, tuple[int, int, int]] = {}

    def of(self, column: Any) -> Texts:
        """Date, time, fraction and offset of a column of microseconds in UTC."""
        instants = numbers(column.view(pa.int64()))
        seconds = instants // _SECOND
        offsets = self.offsets(seconds)
        pieces = [self._local(seconds + offsets)]
        fractions = instants - seconds * _SECOND
        if fractions.any():
            pieces.append(_fractions(fractions))
        pieces.append(self._offset_texts(offsets) if self._offset is None else self._offset)
        return emptied(joined(*pieces), column)

    def local(self, column: Any) -> Texts:
        """Date and time of the zone's clocks, to the second, as people read them."""
        seconds = numbers(column.view(pa.int64())) // _SECOND
        return emptied(self._local(seconds + self.offsets(seconds)), column)

    def _local(self, seconds: Numbers) -> Texts:
        days = seconds // _DAY
        letters = np.empty((len(days), 19), np.uint8)
        letters[:, :10] = _dates(days, "date and time")
        letters[:, 10] = self._between
        letters[:, 11:] = _times()[seconds - days * _DAY]
        return fixed_texts(letters)

    def offsets(self, seconds: Numbers) -> Numbers:
        """How far the zone's clocks are ahead of UTC, in seconds."""
        if self._zone is UTC or not len(seconds):
            return np.zeros(len(seconds), np.int64)
        days = seconds // _DAY
        found = array_of(days).dictionary_encode()
        before, after, change = np.array([self._day(day) for day in found.dictionary.to_pylist()]).T
        which = numbers(found.indices)
        return np.where(seconds - days * _DAY < change[which], before[which], after[which])

    def _day(self, day: int) -> tuple[int, int, int]:
        """A day of UTC: the offset it begins with, the one it ends with, the second of change."""
        if day not in self._known:
            first, last = 0, _DAY - 1
            before, after = self._at(day, first), self._at(day, last)
            while before != after and last - first > 1:
                middle = (first + last) // 2
                if self._at(day, middle) == before:
                    first = middle
                else:
                    last = middle
            self._known[day] = (before, after, last if before != after else 0)
        return self._known[day]

    def _at(self, day: int, second: int) -> int:
        hour, rest = divmod(second, 3600)
        try:
            at = datetime.fromordinal(day + _EPOCH).replace(
                hour=hour, minute=rest // 60, second=rest % 60, tzinfo=UTC
            )
            offset = at.astimezone(self._zone).utcoffset()
        except (ValueError, OverflowError):
            raise OutOfCalendar(kind="date and time") from None
        return int(offset.total_seconds()) if offset is not None else 0

    def _offset_texts(self, offsets: Numbers) -> Any:
        found = array_of(offsets).dictionary_encode()
        texts = [_offset_text(offset) for offset in found.dictionary.to_pylist()]
        return texts[0] if len(texts) == 1 else texts_of(texts).take(found.indices)


def _dates(days: Numbers, kind: str) -> Numbers:
    """Days since 1970 as bytes, ten each."""
    found = array_of(days).dictionary_encode()
    distinct = found.dictionary.to_pylist()
    if distinct and not _FIRST <= min(distinct) <= max(distinct) <= _LAST:
        raise OutOfCalendar(kind=kind)
    texts = "".join(date.fromordinal(day + _EPOCH).isoformat() for day in distinct)
    letters = np.frombuffer(texts.encode("ascii"), np.uint8).reshape(-1, 10)
    return letters[numbers(found.indices)]


@cache
def _times() -> Numbers:
    """Every second of a day as bytes, eight each."""
    second = np.arange(_DAY)
    letters = np.full((_DAY, 8), ord(":"), np.uint8)
    for place, unit, base in ((0, 36_000, 10), (1, 3600, 10), (3, 600, 6), (4, 60, 10),
                              (6, 10, 6), (7, 1, 10)):  # fmt: skip
        letters[:, place] = second // unit % base + ord("0")
    return letters


def _fractions(microseconds: Numbers) -> Texts:
    """A point and six digits, or nothing."""
    some = microseconds != 0
    rest = microseconds[some]
    letters = np.full((len(rest), 7), ord("."), np.uint8)
    for place in range(6, 0, -1):
        letters[:, place] = rest % 10 + ord("0")
        rest = rest // 10
    return varying_texts(some * 7, letters)


def _offset_text(seconds: int) -> str:
    size = abs(seconds)
    text = f"{'-' if seconds < 0 else '+'}{size // 3600:02}:{size // 60 % 60:02}"
    return f"{text}:{size % 60:02}" if size % 60 else text
