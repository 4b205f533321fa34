"""Whole rows of a sheet as bytes, and where their cells are, all found at once.

Each step works on all cells of a stretch of rows together, so that a million rows take about a
second. What does not look as spreadsheets usually write it is left to a reader that takes its
time: `odd` cells are parsed as XML one by one.
"""

from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import numpy.typing as npt

from engine.exporters.recount.recount import Unreadable
from engine.exporters.recount.xlsx_parts import text_of
from engine.exporters.recount.xlsx_stretches import MARGIN

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_ROW_END = len(b"</row>")
_LETTERS = 26


def word(text: bytes) -> np.uint64:
    """Up to eight bytes as the number that they are in `Rows.words`."""
    return np.uint64(int.from_bytes(text, "little"))


_CELLS, _ROW, _NAMED = [word(b"<c "), word(b"<c>"), word(b"<c/")], word(b"<row"), word(b'<c r="')
_THREE, _FOUR, _SIX, _SEVEN = (np.uint64(2 ** (8 * count) - 1) for count in (3, 4, 6, 7))
_LAST_BYTE = np.uint64(56)


@dataclass(frozen=True, kw_only=True)
class Cells:
    """The cells of one column: in which rows, and from where to where."""

    rows: Ints
    starts: Ints
    ends: Ints

    def at(self, which: Any) -> "Cells":
        """Some of them."""
        return Cells(rows=self.rows[which], starts=self.starts[which], ends=self.ends[which])


class Rows:
    """A stretch of a sheet, between margins, from the beginning of a row to the end of one."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.letters = np.frombuffer(data, np.uint8)
        # The eight bytes that begin at each byte.
        self.words: npt.NDArray[np.uint64] = np.ndarray(
            (len(data) - 7,), np.dtype("<u8"), data, strides=(1,)
        )
        following = self.letters[1:]
        may_begin = (following == ord("c")) | (following == ord("r"))
        may_begin &= self.letters[:-1] == ord("<")
        places = np.flatnonzero(may_begin)
        words = self.words[places]
        rows, named = (words & _FOUR) == _ROW, (words & _SIX) == _NAMED
        self.count = int(np.count_nonzero(rows))
        self._all_named = self.count + int(np.count_nonzero(named)) == len(places)
        if not self._all_named:
            # Parts of texts, or cells without names.
            begins = words & _THREE
            kept = rows | np.isin(begins, _CELLS)
            places, words, rows, named = places[kept], words[kept], rows[kept], named[kept]
            self._all_named = self.count + int(np.count_nonzero(named)) == len(places)
        self._places = np.append(places, len(data) - len(MARGIN))
        self._words = words
        self._is_row = np.append(rows, True)
        self._row_numbers = np.cumsum(rows) - 1

    def column(self, place: int) -> Cells:
        """The cells of a column, from 0 on."""
        which = self._named(place) if self._all_named else self._unnamed(place)
        # A cell ends where the next one begins, or its row ends.
        ends = self._places[which + 1] - _ROW_END * self._is_row[which + 1]
        return Cells(rows=self._row_numbers[which], starts=self._places[which], ends=ends)

    def _named(self, place: int) -> Ints:
        """The cells whose name begins with the letters of a column."""
        if place < _LETTERS:
            name = word(b'<c r="' + bytes([ord("A") + place]))
            found = ((self._words & _SEVEN) == name) & (self._words >> _LAST_BYTE <= ord("9"))
            return np.flatnonzero(found)
        tens, ones = divmod(place - _LETTERS, _LETTERS)
        name = word(b'<c r="' + bytes([ord("A") + tens, ord("A") + ones]))
        which = np.flatnonzero(self._words == name)
        ended: Ints = which[self.letters[self._places[which] + 8] <= ord("9")]
        return ended

    def _unnamed(self, place: int) -> Ints:
        """The cells that stand in a place of their row, where none has a name."""
        if self.data.count(b' r="') > self.count:
            raise Unreadable(format="XLSX", problem="some of its cells have names, others have not")
        number = np.arange(len(self._words))
        before = number - np.maximum.accumulate(np.where(self._is_row[:-1], number, 0)) - 1
        return np.flatnonzero(~self._is_row[:-1] & (before == place))

    def first(self, count: int, columns: int) -> list[dict[int, tuple[str, str]]]:
        """The first rows: the cells of their first columns, the type and the text of each."""
        found: list[dict[int, tuple[str, str]]] = [{} for _ in range(min(count, self.count))]
        for place in range(columns):
            cells = self.column(place)
            cells = cells.at(cells.rows < count)
            for row, start, end in zip(cells.rows, cells.starts, cells.ends, strict=True):
                found[row][place] = self.cell(int(start), int(end))
        return found

    def cell(self, start: int, end: int) -> tuple[str, str]:
        """Parse one cell: its type as in the file ("n" for a number), and its text."""
        try:
            cell = ET.fromstring(self.data[start:end])  # noqa: S314 - a cell of ours
        except ET.ParseError as error:
            text = self.data[start : min(end, start + 60)].decode(errors="replace")
            raise Unreadable(format="XLSX", problem=f"a cell is damaged: {text!r}") from error
        for child in cell:
            if child.tag == "is":
                return "inlineStr", text_of(child)
            if child.tag == "v":
                return cell.get("t", "n"), child.text or ""
        return "n", ""
