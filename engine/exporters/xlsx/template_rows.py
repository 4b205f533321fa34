"""The rows of a table in a template: typed as everywhere, and looking as the template has it."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from engine.errors import Invalid
from engine.exporters.cells import CheckedRows, heading, money_text, rounded, shown
from engine.exporters.document import Column, Document, Kind, Table
from engine.exporters.total_word import total_word
from engine.exporters.words import words_of
from engine.exporters.xlsx.cells import FIRST_DAY, fits
from engine.exporters.xlsx.styles import DAY, INSTANT, INTEGER, PERCENT, TEXT, amount_format
from engine.exporters.xlsx.texts import LONGEST_TEXT, cell_text, cut
from engine.money import format_minor, minor_digits

MOST_ROWS = 10_000  # openpyxl holds every cell in memory, and its styles
_LOOKS = ("font", "fill", "border", "alignment", "protection")


class TooManyRows(Invalid):
    """A table is too long for a template."""

    message = (
        "table {table!r} has more than {most:,} rows, too many for the template {name!r}; "
        "narrow its parameters, or leave the template out"
    )


class TooLongText(Invalid):
    """A text of a table in a template is longer than a cell."""

    message = (
        "table {table!r}, row {row}, column {column!r}: the text is longer than a cell of a "
        "workbook, which holds {most:,} letters; shorten it in the query, or leave the template out"
    )


@dataclass(frozen=True, kw_only=True)
class Place:
    """The cell of a template where the header of a table begins."""

    sheet: Any
    row: int
    column: int


class TemplateTable:
    """Writes one table of a document into a template."""

    def __init__(self, name: str, table: Table, document: Document) -> None:
        self._name = name
        self._table = table
        self._document = document
        self._zone = ZoneInfo(document.timezone)

    def write(self, place: Place) -> int:
        """Write header, rows and totals; return how many rows there are."""
        from openpyxl.utils import get_column_letter

        columns, looks = self._table.columns, self._looks(place)
        title_look = _look(place.sheet.cell(place.row, place.column))
        for at, column in enumerate(columns):
            cell = place.sheet.cell(place.row, place.column + at)
            _set(cell, cell_text(heading(column, self._document)), TEXT)
            if cell.column != place.column:
                _dress(cell, title_look)
            if column.hidden:
                letter = get_column_letter(place.column + at)
                place.sheet.column_dimensions[letter].hidden = True
        written = self._rows(place, looks)
        self._totals(place, looks, place.row + written + 2)
        if self._document.rtl:
            place.sheet.sheet_view.rightToLeft = True
        return written

    def _looks(self, place: Place) -> Sequence[dict[str, Any]]:
        """How the cells of each column look: as the template's first row below the header."""
        row = place.row + 1
        return [
            _look(place.sheet.cell(row, place.column + at))
            for at in range(len(self._table.columns))
        ]

    def _rows(self, place: Place, looks: Sequence[dict[str, Any]]) -> int:
        number = 0
        for number, (row, currencies) in enumerate(CheckedRows(self._table), start=1):
            if number > MOST_ROWS:
                raise TooManyRows(table=self._table.name, most=MOST_ROWS, name=self._name)
            for at, (value, currency) in enumerate(zip(row, currencies, strict=True)):
                cell = place.sheet.cell(place.row + number, place.column + at)
                self._write(cell, self._table.columns[at], value, currency, number)
                _dress(cell, looks[at])
        return number

    def _totals(self, place: Place, looks: Sequence[dict[str, Any]], first: int) -> None:
        table = replace(self._table, rows=self._table.totals)
        word = words_of(self._document.language).total
        for number, (row, currencies) in enumerate(CheckedRows(table)):
            for at, (value, currency) in enumerate(zip(row, currencies, strict=True)):
                cell = place.sheet.cell(first + number, place.column + at)
                self._write(cell, self._table.columns[at], value, currency, number)
                _dress(cell, looks[at])
                font = copy(cell.font)
                font.b = True
                cell.font = font
            if (found := total_word(table.columns, row, word)) and row[found[0]] is None:
                _set(place.sheet.cell(first + number, place.column + found[0]), found[1], TEXT)

    def _write(self, cell: Any, column: Column, value: Any, currency: str | None, row: int) -> None:
        if value is None:
            return
        kind = column.kind
        if kind is Kind.MONEY:
            self._write_amount(cell, value, currency or "")
        elif kind is Kind.INTEGER:
            _set(cell, value, INTEGER) if fits(value) else _set(cell, str(value), TEXT)
        elif kind is Kind.PERCENT:
            _set(cell, rounded(value), PERCENT)
        elif kind is Kind.BOOLEAN:
            _set(cell, value, "General")
        elif kind is Kind.TEXT:
            text = cell_text(value)
            if len(text) > LONGEST_TEXT or cut(value, LONGEST_TEXT)[1]:
                facts = {"table": self._table.name, "row": row, "column": column.name}
                raise TooLongText(**facts, most=LONGEST_TEXT)
            _set(cell, text, TEXT)
        else:
            self._write_time(cell, kind, value)

    def _write_amount(self, cell: Any, value: int, currency: str) -> None:
        if not fits(value):
            _set(cell, format_minor(value, currency), TEXT)
            return
        amount = Decimal(money_text(value, currency))
        _set(cell, amount, amount_format(minor_digits(currency)))

    def _write_time(self, cell: Any, kind: Kind, value: date) -> None:
        local = value
        if isinstance(value, datetime):
            local = value.astimezone(self._zone).replace(tzinfo=None)
        day = local.date() if isinstance(local, datetime) else local
        if day < FIRST_DAY:
            _set(cell, shown(value, kind, None, self._zone), TEXT)
        else:
            form = INSTANT if kind is Kind.DATETIME else DAY
            _set(cell, local, form)


def _set(cell: Any, value: Any, number_format: str) -> None:
    """Put a value into a cell; a text stays one, whatever it begins with."""
    cell.value = value
    if isinstance(value, str):
        cell.data_type = "s"
    cell.number_format = number_format


def _look(cell: Any) -> dict[str, Any]:
    return {name: copy(getattr(cell, name)) for name in _LOOKS} if cell.has_style else {}


def _dress(cell: Any, look: dict[str, Any]) -> None:
    for name, value in look.items():
        setattr(cell, name, value)
