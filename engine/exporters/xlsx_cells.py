"""Typed cells of a workbook: formats by kind and currency, and what Excel cannot hold as text.

Excel holds every number as an IEEE double, so 15 significant digits are exact and more are not.
Amounts stay integers until the cell is written; there the exact Decimal goes to XlsxWriter, which
puts its digits (`{:.16G}`) into the file without passing through a float of ours. Excel then reads
those digits into its double, and shows them back unchanged up to 15. An amount or integer of more
digits is written as text, exactly.
"""

from collections.abc import Callable
from datetime import datetime, tzinfo
from decimal import Decimal
from html import escape
from typing import Any

from engine.exporters.cells import legible, money_text, shown
from engine.exporters.document import Kind
from engine.money import format_minor, minor_digits

SIGNIFICANT_DIGITS = 15
LONGEST_TEXT = 32_767  # UTF-16 units in one cell
_CUT = "… [cut]"
_FIRST_YEAR = 1900  # Excel's calendar starts here

Write = Callable[[int, int, Any, str | None], None]


class Formats:
    """The formats of one workbook, each made once."""

    def __init__(self, workbook: Any) -> None:
        self._workbook = workbook
        self._made: dict[tuple[tuple[str, object], ...], Any] = {}

    def of(self, **properties: object) -> Any:
        """The format with these properties of XlsxWriter."""
        key = tuple(sorted(properties.items()))
        if key not in self._made:
            self._made[key] = self._workbook.add_format({"valign": "top", **properties})
        return self._made[key]

    @property
    def text(self) -> Any:
        """Text that stays text, even when a person edits the cell."""
        return self.of(num_format="@")

    @property
    def exact_text(self) -> Any:
        """A number of too many digits: text, but where a number would stand."""
        return self.of(num_format="@", align="right")

    @property
    def integer(self) -> Any:
        """Whole numbers."""
        return self.of(num_format="#,##0")

    @property
    def instant(self) -> Any:
        """Date and time of day."""
        return self.of(num_format="yyyy-mm-dd hh:mm:ss", align="left")

    @property
    def percent(self) -> Any:
        """Percentages."""
        return self.of(num_format="0.0#%")

    @property
    def header(self) -> Any:
        """The first row of a table."""
        return self.of(
            bold=True, bg_color="#1F3A5F", font_color="#FFFFFF", border=1, border_color="#1F3A5F"
        )

    @property
    def number_header(self) -> Any:
        """The header of a column of numbers, over where they stand."""
        return self.of(
            bold=True,
            bg_color="#1F3A5F",
            font_color="#FFFFFF",
            border=1,
            border_color="#1F3A5F",
            align="right",
        )

    def money(self, currency: str) -> Any:
        """Amounts with as many decimals as the currency has; negative ones in red as well."""
        digits = minor_digits(currency)
        number = "#,##0" + ("." + "0" * digits if digits else "")
        return self.of(num_format=f"{number};[Red]-{number}")


class CellWriter:
    """Writes cells of one sheet by the kind of their column."""

    def __init__(self, sheet: Any, formats: Formats, zone: tzinfo) -> None:
        self._sheet = sheet
        self._formats = formats
        self._zone = zone
        self._money: dict[str, Any] = {}
        self._by_kind: dict[Kind, Write] = {
            Kind.TEXT: self._text,
            Kind.INTEGER: self._integer,
            Kind.MONEY: self._amount,
            Kind.PERCENT: self._percent,
            Kind.DATETIME: self._instant,
        }

    def of(self, kind: Kind) -> Write:
        """How to write a cell of this kind: `write(row, column, value, currency)`."""
        return self._by_kind[kind]

    def label(self, row: int, column: int, text: str, style: Any) -> None:
        """Write a text in a style of its own."""
        write_text(self._sheet, row, column, text, style)

    def _text(self, row: int, column: int, value: str, currency: str | None) -> None:
        write_text(self._sheet, row, column, value, self._formats.text)

    def _integer(self, row: int, column: int, value: int, currency: str | None) -> None:
        if _fits(value):
            self._sheet.write_number(row, column, value, self._formats.integer)
        else:
            write_text(self._sheet, row, column, str(value), self._formats.exact_text)

    def _amount(self, row: int, column: int, value: int, currency: str | None) -> None:
        code = currency or ""
        if not _fits(value):
            text = format_minor(value, code)
            write_text(self._sheet, row, column, text, self._formats.exact_text)
            return
        style = self._money.get(code)
        if style is None:
            style = self._money[code] = self._formats.money(code)
        self._sheet.write_number(row, column, Decimal(money_text(value, code)), style)

    def _percent(self, row: int, column: int, value: Decimal, currency: str | None) -> None:
        self._sheet.write_number(row, column, value, self._formats.percent)

    def _instant(self, row: int, column: int, value: datetime, currency: str | None) -> None:
        # A cell has no zone: the document's is used and named in the header.
        local = value.astimezone(self._zone).replace(tzinfo=None)
        if local.year < _FIRST_YEAR:
            text = shown(value, Kind.DATETIME, None, self._zone)
            write_text(self._sheet, row, column, text, self._formats.text)
        else:
            self._sheet.write_datetime(row, column, local, self._formats.instant)


def write_text(sheet: Any, row: int, column: int, text: str, style: Any) -> None:
    """Write text as text, whatever it looks like."""
    text = _fitting(legible(text))
    if text.startswith("<r>") and text.endswith("</r>"):
        # XlsxWriter copies what looks like its own rich text into the sheet's XML unescaped, so
        # a hostile text could write cells of its own. As real rich text it reads back unchanged.
        text = f'<r><t xml:space="preserve">{escape(text, quote=False)}</t></r>'
    sheet.write_string(row, column, text, style)


def _fitting(text: str) -> str:
    """`text`, or its beginning and a mark if a cell cannot hold it."""
    # A character outside the basic plane is two units; half the limit always fits.
    if len(text) <= LONGEST_TEXT // 2:
        return text
    units = text.encode("utf-16-le")
    if len(units) <= LONGEST_TEXT * 2:
        return text
    kept = units[: (LONGEST_TEXT - len(_CUT)) * 2].decode("utf-16-le", errors="ignore")
    return kept + _CUT


def _fits(value: int) -> bool:
    """Whether Excel's double holds this number exactly, wherever its point is."""
    return len(str(abs(value)).rstrip("0")) <= SIGNIFICANT_DIGITS
