"""Cells as text: exact amounts, instants in a zone, and no character that a format refuses."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, tzinfo
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from engine.errors import Invalid
from engine.exporters.document import Cell, Column, Document, Fact, Kind, Row, Table
from engine.money import format_minor

PERCENT_DIGITS, PERCENT_PLACES = 28, 9  # of a fraction, in every format

# What XML 1.0 cannot hold, not even escaped; lone surrogates cannot become UTF-8 either.
_ILLEGIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LONE = re.compile("[\ud800-\udfff]")
_PERCENT_STEP = Decimal(1).scaleb(-PERCENT_PLACES)
_PYTHON_TYPE = {
    Kind.TEXT: str,
    Kind.INTEGER: int,
    Kind.MONEY: int,
    Kind.PERCENT: Decimal,
    Kind.DATE: date,
    Kind.DATETIME: datetime,
    Kind.BOOLEAN: bool,
}
# What Python takes for one as well.
_MISTAKEN: Mapping[type, tuple[type, ...]] = {int: (bool,), date: (datetime,)}
_EXPECTED = {
    datetime: "an aware datetime",
    Decimal: "a finite Decimal of at most 19 digits before its point",
}


class WrongCell(Invalid):
    """A row holds something its column does not; nothing is cast, least of all a float."""

    message = (
        "table {table!r}, row {row}, column {column!r}: {value!r} is no {kind} cell; "
        "such a cell is {expected}, or None"
    )


class WrongRow(Invalid):
    """A row has more or fewer cells than its table has columns."""

    message = "table {table!r}, row {row}: {cells} cells for {columns} columns"


def legible(text: str) -> str:
    """`text` with every character that a file could not hold shown as U+FFFD."""
    return _ILLEGIBLE.sub("\ufffd", text)


def encodable(text: str) -> str:
    """`text` as UTF-8 can hold it, every other character as it is."""
    return text if text.isascii() else _LONE.sub("\ufffd", text)


def heading(column: Column, document: Document) -> str:
    """The title of a column for people: a cell says neither zone nor currency, so this does."""
    said = document.timezone if column.kind is Kind.DATETIME else column.currency
    return f"{column.title} ({said})" if said else column.title


def money_text(minor: int, currency: str) -> str:
    """An amount as digits and a point, for machines: -123450 SAR is "-1234.50"."""
    return format_minor(minor, currency).replace(",", "")


def percent_text(fraction: Decimal) -> str:
    """A fraction as a percentage: 0.125 is "12.5%"."""
    return f"{(rounded(fraction) * 100).normalize():f}%"


def percent_plain(fraction: Decimal) -> str:
    """A fraction as digits and a point, for machines: "0.125"."""
    return f"{rounded(fraction).normalize():f}"


def rounded(fraction: Decimal) -> Decimal:
    """A fraction with as many decimals as a file holds, half a step to the even one."""
    # No file says that nothing is negative.
    return fraction.quantize(_PERCENT_STEP, ROUND_HALF_EVEN) or Decimal(0)


class CheckedRows:
    """The rows of a table with their currencies, refusing cells of the wrong type."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._types = [_PYTHON_TYPE[column.kind] for column in table.columns]
        self._currencies = _currency_finder(table.columns)

    def __iter__(self) -> Iterator[tuple[Row, Sequence[str | None]]]:
        """Each row with the currency of each of its cells (None where it is no money)."""
        for number, row in enumerate(self.table.rows, start=1):
            self._check(number, row)
            yield row, self._currencies(row)

    def _check(self, number: int, row: Row) -> None:
        if len(row) != len(self._types):
            raise WrongRow(
                table=self.table.name, row=number, cells=len(row), columns=len(self._types)
            )
        for place, (cell, expected) in enumerate(zip(row, self._types, strict=True)):
            if cell is None or (_is_a(cell, expected) and _is_sound(cell)):
                continue
            column = self.table.columns[place]
            raise WrongCell(
                table=self.table.name,
                row=number,
                column=column.name,
                value=cell,
                kind=column.kind,
                expected=_EXPECTED.get(expected, expected.__name__),
            )


class TextRows:
    """The rows of a table as people read them, in the document's zone."""

    def __init__(self, table: Table, zone: tzinfo) -> None:
        self._rows = CheckedRows(table)
        self._kinds = [column.kind for column in table.columns]
        self._zone = zone

    def __iter__(self) -> Iterator[list[str]]:
        """Each row as texts; an empty cell is an empty text."""
        for row, currencies in self._rows:
            yield [
                "" if cell is None else shown(cell, kind, currency, self._zone)
                for cell, kind, currency in zip(row, self._kinds, currencies, strict=True)
            ]


def shown(cell: Any, kind: Kind, currency: str | None, zone: tzinfo) -> str:
    """One cell as people read it."""
    if kind is Kind.TEXT:
        return legible(cell)
    if kind is Kind.MONEY:
        return format_minor(cell, currency or "")
    if kind is Kind.DATETIME:
        # Not strftime: it writes the year 850 in three digits.
        return str(cell.astimezone(zone).replace(tzinfo=None).isoformat(" ", "seconds"))
    if kind is Kind.DATE:
        return str(cell.isoformat())
    if kind is Kind.PERCENT:
        return percent_text(cell)
    if kind is Kind.BOOLEAN:
        return "yes" if cell else "no"
    return f"{cell:,}"


def fact_text(fact: Fact, document: Document) -> str:
    """A fact as people read it; an instant says its zone, an amount its currency."""
    if isinstance(fact.value, datetime):
        at = fact.value.astimezone(ZoneInfo(document.timezone))
        return f"{at:%Y-%m-%d %H:%M:%S} {document.timezone}"
    if isinstance(fact.value, int):
        if fact.currency:
            return f"{format_minor(fact.value, fact.currency)} {fact.currency}"
        return f"{fact.value:,}"
    return legible(fact.value)


def _is_a(cell: Cell, expected: type) -> bool:
    # `is` first: it is what nearly every cell is, and a bool is an int to isinstance.
    return type(cell) is expected or (
        isinstance(cell, expected) and not isinstance(cell, _MISTAKEN.get(expected, ()))
    )


def _is_sound(cell: Cell) -> bool:
    """Whether an instant is one wherever it is read, and a fraction a number that fits."""
    if isinstance(cell, datetime):
        return cell.utcoffset() is not None
    if isinstance(cell, Decimal):
        return cell.is_finite() and cell.adjusted() < PERCENT_DIGITS - PERCENT_PLACES
    return True


def _currency_finder(columns: Sequence[Column]) -> Callable[[Row], Sequence[str | None]]:
    """How to find the currency of each cell of a row; one answer for all rows if it can be."""
    places = {column.name: place for place, column in enumerate(columns)}
    fixed = [column.currency for column in columns]
    from_row = [
        (place, places[column.currency_column])
        for place, column in enumerate(columns)
        if column.currency_column is not None
    ]
    if not from_row:
        return lambda row: fixed

    def find(row: Row) -> Sequence[str | None]:
        currencies = fixed.copy()
        for place, source in from_row:
            currencies[place] = str(row[source] or "")
        return currencies

    return find
