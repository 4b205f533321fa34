"""How a sheet is laid out: names that Excel allows, headers, and widths that follow the cells."""

import re
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from engine.exporters.cells import legible, shown
from engine.exporters.document import Cell, Column, Document, Kind, Row, Table
from engine.exporters.xlsx_cells import CellWriter, Formats

NARROWEST, WIDEST = 8, 50  # characters
_SAMPLED_ROWS = 200
_NUMBERS = (Kind.INTEGER, Kind.MONEY, Kind.PERCENT)


class Widths:
    """How wide the columns of a table should be, by its header and its cells.

    Texts are measured in the first rows only, because measuring costs more than writing. Numbers
    are watched to the end: one that does not fit its column is shown as `####`.
    """

    def __init__(self, table: Table, document: Document) -> None:
        self._columns = table.columns
        self._zone = ZoneInfo(document.timezone)
        # Four more than the title: the button of the filter covers the end of it.
        self._longest = [len(header(column, document)) + 4 for column in table.columns]
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
        for place, largest in self._largest.items():
            cell = row[place]
            if isinstance(cell, int) and abs(cell) > largest:
                self._largest[place] = abs(cell)
                self._measure(place, -abs(cell), currencies[place])

    @property
    def found(self) -> list[int]:
        """The widths of the columns, in characters."""
        return [
            column.width or min(max(longest, NARROWEST), WIDEST)
            for column, longest in zip(self._columns, self._longest, strict=True)
        ]

    def _measure(self, place: int, cell: Cell, currency: str | None) -> None:
        if cell is not None:
            text = shown(cell, self._columns[place].kind, currency, self._zone)
            self._longest[place] = max(self._longest[place], len(text) + 2)


def write_header(
    row: int, columns: Sequence[Column], document: Document, cells: CellWriter, formats: Formats
) -> None:
    """Write the titles of a table, each over where its cells will stand."""
    for place, column in enumerate(columns):
        style = formats.number_header if column.kind in _NUMBERS else formats.header
        cells.label(row, place, header(column, document), style)


def header(column: Column, document: Document) -> str:
    """A cell says neither zone nor currency, so the header does."""
    said = document.timezone if column.kind is Kind.DATETIME else column.currency
    return f"{column.title} ({said})" if said else column.title


def free_name(title: str, taken: set[str]) -> str:
    """A name that Excel allows for a sheet and that no other has: "Breaks", then "Breaks (2)"."""
    base = re.sub(r"[\[\]:*?/\\]", " ", legible(title)).strip().strip("'").strip() or "Sheet"
    if base.casefold() == "history":  # reserved by Excel
        base = "History sheet"
    number, name = 1, base[:31]
    while name.casefold() in taken:
        number += 1
        name = f"{base[: 31 - len(f' ({number})')]} ({number})"
    return name


def area(rows: int, last_column: int) -> str:
    """The cells of a table in Excel's notation, such as A1:C9."""
    from xlsxwriter.utility import xl_range

    return str(xl_range(0, 0, rows, last_column))
