"""Cells of a sheet, one by one through XlsxWriter, each typed by the kind of its column.

Excel holds every number as an IEEE double, so 15 significant digits are exact and more are not.
Amounts stay integers until the cell is written; there the exact Decimal goes to XlsxWriter, which
puts its digits (`{:.16G}`) into the file without passing through a float of ours. Excel then reads
those digits into its double, and shows them back unchanged up to 15. An amount or integer of more
digits is written as text, exactly.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from engine.exporters.cells import encodable, money_text, rounded, shown
from engine.exporters.document import Cell, Column, Kind
from engine.exporters.xlsx.long_texts import LongTexts
from engine.exporters.xlsx.styles import Styles
from engine.exporters.xlsx.texts import write_text
from engine.money import format_minor

SIGNIFICANT_DIGITS = 15
FIRST_DAY = date(1900, 3, 1)  # before it, Excel's calendar is not everybody's
_LONGEST_LINK = 2_079

Write = Callable[[int, int, Any, str | None], None]


class CellWriter:
    """Writes cells of one sheet by the kind of their column."""

    def __init__(self, sheet: Any, styles: Styles, zone: tzinfo, long_texts: LongTexts) -> None:
        self._sheet = sheet
        self._styles = styles
        self._zone = zone
        self._long_texts = long_texts
        self._money: dict[str, Any] = {}
        self._by_kind: dict[Kind, Write] = {
            Kind.TEXT: self._text,
            Kind.INTEGER: self._integer,
            Kind.MONEY: self._amount,
            Kind.PERCENT: self._percent,
            Kind.DATE: self._day,
            Kind.DATETIME: self._instant,
            Kind.BOOLEAN: self._boolean,
        }

    def of(self, kind: Kind) -> Write:
        """How to write a cell of this kind: `write(row, column, value, currency)`."""
        return self._by_kind[kind]

    def columns(self, columns: Sequence[Column]) -> Sequence[Write]:
        """How to write the cells of each column."""
        linked = CellWriter(self._sheet, self._styles.links, self._zone, self._long_texts)
        return [
            linked.linking(column) if column.link else self.of(column.kind) for column in columns
        ]

    def linking(self, column: Column) -> Write:
        """How to write a cell that leads to the column's address."""
        address, write = column.link or "", self.of(column.kind)

        def write_linked(row: int, place: int, value: Any, currency: str | None) -> None:
            url = address.replace("{}", quote(encodable(said(value)), safe=""))
            if len(url) <= _LONGEST_LINK:
                self._sheet.write_url(row, place, url, string=" ")
            write(row, place, value, currency)

        return write_linked

    def _text(self, row: int, column: int, value: str, currency: str | None) -> None:
        text = self._long_texts.fitting(self._sheet.get_name(), row, column, value)
        write_text(self._sheet, row, column, text, self._styles.text)

    def _integer(self, row: int, column: int, value: int, currency: str | None) -> None:
        if fits(value):
            self._sheet.write_number(row, column, value, self._styles.integer)
        else:
            write_text(self._sheet, row, column, str(value), self._styles.exact_text)

    def _amount(self, row: int, column: int, value: int, currency: str | None) -> None:
        code = currency or ""
        if not fits(value):
            text = format_minor(value, code)
            write_text(self._sheet, row, column, text, self._styles.exact_text)
            return
        style = self._money.get(code)
        if style is None:
            style = self._money[code] = self._styles.money(code)
        self._sheet.write_number(row, column, Decimal(money_text(value, code)), style)

    def _percent(self, row: int, column: int, value: Decimal, currency: str | None) -> None:
        self._sheet.write_number(row, column, rounded(value), self._styles.percent)

    def _day(self, row: int, column: int, value: date, currency: str | None) -> None:
        if value < FIRST_DAY:
            write_text(self._sheet, row, column, value.isoformat(), self._styles.text)
        else:
            self._sheet.write_datetime(row, column, value, self._styles.day)

    def _instant(self, row: int, column: int, value: datetime, currency: str | None) -> None:
        # A cell has no zone: the document's is used and named in the header.
        local = value.astimezone(self._zone).replace(tzinfo=None)
        if local.date() < FIRST_DAY:
            text = shown(value, Kind.DATETIME, None, self._zone)
            write_text(self._sheet, row, column, text, self._styles.text)
        else:
            self._sheet.write_datetime(row, column, local, self._styles.instant)

    def _boolean(self, row: int, column: int, value: bool, currency: str | None) -> None:
        self._sheet.write_boolean(row, column, value, self._styles.boolean)


def fits(value: int) -> bool:
    """Whether Excel's double holds this number exactly, wherever its point is."""
    return len(str(abs(value)).rstrip("0")) <= SIGNIFICANT_DIGITS


def said(value: Cell) -> str:
    """A cell as an address says it."""
    return str(value)
