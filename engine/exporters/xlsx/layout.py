"""How a sheet is laid out: names that Excel allows, headers, and widths that follow the cells."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from engine.exporters.cells import heading, legible, shown
from engine.exporters.document import Cell, Column, Document, Kind, Row, Table
from engine.exporters.xlsx.styles import Styles
from engine.exporters.xlsx.texts import cut, write_label

NARROWEST, WIDEST = 8, 50  # characters
LONGEST_NAME = 31  # of a sheet
_SAMPLED_ROWS = 200
_AROUND = 3  # characters of space beside what a cell shows
_NEEDED = {
    Kind.DATE: len("2026-11-24") + _AROUND,
    Kind.DATETIME: len("2026-11-24 06:30:15") + _AROUND,
}
_NUMBERS = (Kind.INTEGER, Kind.MONEY, Kind.PERCENT)


class Widths:
    """How wide the columns of a table should be, by its header and its cells.

    Texts are measured in the first rows only, because measuring costs more than writing. Numbers
    are watched to the end: one that does not fit its column is shown as `####`.
    """

    def __init__(self, table: Table, document: Document) -> None:
        self._columns = table.columns
        self._zone = ZoneInfo(document.timezone)
        titles = [len(heading(column, document)) for column in table.columns]
        # Four more than the title: the button of the filter covers the end of it.
        self._longest = [title + 4 for title in titles]
        self._needed = [
            max(title + _AROUND, _NEEDED.get(column.kind, 0))
            for title, column in zip(titles, table.columns, strict=True)
        ]
        self._largest = {
            place: 0
            for place, column in enumerate(table.columns)
            if column.kind in (Kind.INTEGER, Kind.MONEY)
        }
        self._rows = 0

    def see(self, row: Row, currencies: Sequence[str | None]) -> None:
        """Take a row into account."""
        self._rows += 1
        if self._rows <= _SAMPLED_ROWS:
            for place, cell in enumerate(row):
                self._measure(place, cell, currencies[place])
        for place in self._largest:
            cell = row[place]
            if isinstance(cell, int):
                self.see_number(place, cell, currencies[place])

    def see_number(self, place: int, number: int, currency: str | None) -> None:
        """Take the number of one cell into account."""
        if abs(number) > self._largest[place]:
            self._largest[place] = abs(number)
            self._measure(place, -abs(number), currency)

    @property
    def numbers(self) -> Mapping[int, Column]:
        """The columns whose every number counts, by their places."""
        return {place: self._columns[place] for place in self._largest}

    @property
    def found(self) -> list[int]:
        """The widths of the columns, in characters."""
        return [
            max(column.width or min(max(longest, NARROWEST), WIDEST), needed)
            for column, longest, needed in zip(
                self._columns, self._longest, self._needed, strict=True
            )
        ]

    def _measure(self, place: int, cell: Cell, currency: str | None) -> None:
        if cell is not None:
            kind = self._columns[place].kind
            width = len(shown(cell, kind, currency, self._zone)) + _AROUND
            self._longest[place] = max(self._longest[place], width)
            if kind is not Kind.TEXT:
                self._needed[place] = max(self._needed[place], width)


def write_header(
    sheet: Any, row: int, columns: Sequence[Column], document: Document, styles: Styles
) -> None:
    """Write the titles of a table, each over where its cells will stand."""
    for place, column in enumerate(columns):
        style = styles.header
        if column.kind in _NUMBERS:
            style = styles.number_header
        elif column.kind is Kind.BOOLEAN:
            style = styles.middle_header
        write_label(sheet, row, place, heading(column, document), style)


def free_name(title: str, taken: set[str]) -> str:
    """A name that Excel allows for a sheet and that no other has: "Breaks", then "Breaks (2)"."""
    base = re.sub(r"[\[\]:*?/\\]", " ", legible(title)).strip().strip("'").strip() or "Sheet"
    if base.casefold() == "history":  # reserved by Excel
        base = "History sheet"
    number, name = 1, _beginning(base, LONGEST_NAME)
    while name.casefold() in taken:
        number += 1
        ending = f" ({number})"
        name = _beginning(base, LONGEST_NAME - len(ending)) + ending
    return name


def area(rows: int, last_column: int) -> str:
    """The cells of a table in Excel's notation, such as A1:C9."""
    from xlsxwriter.utility import xl_range

    return str(xl_range(0, 0, rows, last_column))


def _beginning(name: str, longest: int) -> str:
    return cut(name, longest)[0].rstrip("' ")
