"""Rows of a sheet as XML, whole batches at a time: the same cells as `cells` writes one by one.

Each column becomes texts at once, and Arrow joins them and the markup between them to the bytes of
the sheet. What is rare (a number of too many digits, a date before Excel's calendar, a text of odd
letters) is looked at cell by cell.
"""

from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.exporters.arrays import (
    Numbers,
    Texts,
    array_of,
    bytes_of,
    ends_of,
    mask_of,
    numbers,
    one,
    texts_of,
    which_are,
)
from engine.exporters.cells import shown
from engine.exporters.column_texts import (
    boolean_texts,
    by_places,
    integer_texts,
    joined,
    money_texts,
    percent_texts,
)
from engine.exporters.document import Column, Kind, Table
from engine.exporters.xlsx.cells import SIGNIFICANT_DIGITS, fits
from engine.exporters.xlsx.column_escapes import escaped_texts, has_outer_spaces
from engine.exporters.xlsx.long_texts import LongTexts
from engine.exporters.xlsx.serials import Serials, day_serials
from engine.exporters.xlsx.styles import Styles
from engine.exporters.xlsx.texts import LONGEST_TEXT
from engine.money import format_minor

Piece: TypeAlias = Any  # a str that all rows share, or Texts
_PRESERVED = ' xml:space="preserve"'


class RowXml:
    """Makes the rows of one table's sheets."""

    def __init__(self, table: Table, styles: Styles, zone: tzinfo, long_texts: LongTexts) -> None:
        from xlsxwriter.utility import xl_col_to_name

        self._columns = [
            (column, str(xl_col_to_name(place))) for place, column in enumerate(table.columns)
        ]
        self._styles = styles
        self._zone = zone
        self._serials = Serials(zone)
        self._long_texts = long_texts
        self._names: dict[Any, str] = {}

    def of(self, batch: Any, sheet: str, first: int) -> Any:
        """The rows of a batch, of which the first is row number `first` of the sheet."""
        row_numbers = array_of(np.arange(first, first + batch.num_rows)).cast(pa.string())
        pieces: list[Piece] = ['<row r="', row_numbers, '">']
        empty = _empty_rows([batch.column(column.name) for column, _ in self._columns])
        if empty is not None:
            # A row without cells would count as none where rows are counted.
            blank = joined('<c r="A', row_numbers, f'" s="{self._name(self._styles.text)}"/>')
            pieces.append(pc.if_else(mask_of(empty), blank, one("")))
        for place, (column, letters) in enumerate(self._columns):
            cells = batch.column(column.name)
            if cells.null_count == len(cells):
                continue
            if column.kind is Kind.TEXT:
                cells = self._held(cells, sheet, first - 1, place)
            _append(pieces, self._cells(column, cells, batch, letters, row_numbers))
        _append(pieces, ["</row>"])
        return bytes_of(joined(*pieces, null=""))

    def _cells(
        self, column: Column, cells: Any, batch: Any, letters: str, rows: Texts
    ) -> Sequence[Piece]:
        styles = self._styles
        if column.kind is Kind.TEXT:
            return self._texts(letters, rows, self._name(styles.text), cells)
        if column.kind is Kind.MONEY:
            currency = column.currency or batch.column(column.currency_column)
            style = by_places(currency, lambda places: one(self._name(styles.amount(places))))
            made = _number(letters, rows, style, money_texts(cells, currency))
            odd = _too_long(cells)
            say = lambda which: _amounts(cells, currency, which)  # noqa: E731
            return self._either(letters, rows, made, odd, styles.exact_text, say)
        if column.kind is Kind.INTEGER:
            made = _number(letters, rows, self._name(styles.integer), integer_texts(cells))
            odd = _too_long(cells)
            say = lambda which: [str(cell) for cell in cells.filter(which).to_pylist()]  # noqa: E731
            return self._either(letters, rows, made, odd, styles.exact_text, say)
        if column.kind is Kind.PERCENT:
            return _number(letters, rows, self._name(styles.percent), percent_texts(cells))
        if column.kind is Kind.BOOLEAN:
            style = self._name(styles.boolean) + '" t="b'
            return _number(letters, rows, style, boolean_texts(cells, "1", "0"))
        if column.kind is Kind.DATE:
            serials, odd = day_serials(cells)
            made = _number(letters, rows, self._name(styles.day), serials)
        else:
            serials, odd = self._serials.of(cells)
            made = _number(letters, rows, self._name(styles.instant), serials)
        say = lambda which: self._shown(column.kind, cells, which)  # noqa: E731
        return self._either(letters, rows, made, odd, styles.text, say)

    def _texts(self, letters: str, rows: Texts, style: str, texts: Texts) -> Sequence[Piece]:
        space = _PRESERVED if has_outer_spaces(texts) else ""
        start = f'" s="{style}" t="inlineStr"><is><t{space}>'
        texts = escaped_texts(texts)
        return _whole([f'<c r="{letters}', rows, start, texts, "</t></is></c>"], texts)

    def _either(
        self,
        letters: str,
        rows: Texts,
        made: Sequence[Piece],
        odd: Numbers | None,
        style: Any,
        say: Callable[[Any], Sequence[str]],
    ) -> Sequence[Piece]:
        """Cells of numbers, but for the `odd` ones, which are texts."""
        if odd is None:
            return made
        which = mask_of(odd)
        texts = texts_of(say(which))
        others = joined(*self._texts(letters, rows.filter(which), self._name(style), texts))
        return [pc.replace_with_mask(joined(*made), which, others)]

    def _held(self, texts: Texts, sheet: str, row: int, place: int) -> Texts:
        """What of the texts the cells can hold; `row` is the first one's, from 0 on."""
        long = np.flatnonzero(np.diff(ends_of(texts)) > LONGEST_TEXT)
        if not len(long):
            return texts
        held = texts.to_pylist()
        for at in long.tolist():
            held[at] = self._long_texts.fitting(sheet, row + at, place, held[at])
        return texts_of(held)

    def _shown(self, kind: Kind, cells: Any, which: Any) -> Sequence[str]:
        return [shown(cell, kind, None, self._zone) for cell in cells.filter(which).to_pylist()]

    def _name(self, style: Any) -> str:
        """How cells name a style."""
        if style not in self._names:
            self._names[style] = str(self._styles.number_of(style))
        return self._names[style]


def _number(letters: str, rows: Texts, style: Piece, texts: Texts) -> Sequence[Piece]:
    if isinstance(style, pa.StringScalar):
        style = style.as_py()
    if isinstance(style, str):
        start: Sequence[Piece] = [f'" s="{style}"><v>']
    else:
        start = ['" s="', style, '"><v>']
    return _whole([f'<c r="{letters}', rows, *start, texts, "</v></c>"], texts)


def _whole(pieces: Sequence[Piece], texts: Texts) -> Sequence[Piece]:
    """The pieces of a column's cells; as one of whole cells where some are empty."""
    return [joined(*pieces)] if texts.null_count else pieces


def _append(pieces: list[Piece], more: Sequence[Piece]) -> None:
    """Add pieces; what all rows share is joined beforehand."""
    for piece in more:
        if isinstance(piece, str) and isinstance(pieces[-1], str):
            pieces[-1] += piece
        else:
            pieces.append(piece)


def _empty_rows(columns: Sequence[Any]) -> Numbers | None:
    """Which rows have no cell at all; None if there is none, as most often."""
    if not all(column.null_count for column in columns):
        return None
    empty = ~np.logical_or.reduce([which_are(column.is_valid()) for column in columns])
    return empty if empty.any() else None


def _too_long(cells: Any) -> Numbers | None:
    """Which whole numbers have more digits than a double holds; None if none has."""
    values = numbers(cells)
    # The least number has no opposite in 64 bits, but its size is right without a sign.
    large = np.flatnonzero(np.abs(values).view(np.uint64) >= np.uint64(10**SIGNIFICANT_DIGITS))
    odd = [at for at in large.tolist() if not fits(int(values[at]))]
    if not odd:
        return None
    mask = np.zeros(len(values), bool)
    mask[odd] = True
    return mask


def _amounts(cells: Any, currency: str | Any, which: Any) -> Sequence[str]:
    amounts = cells.filter(which).to_pylist()
    if isinstance(currency, str):
        return [format_minor(amount, currency) for amount in amounts]
    codes = currency.filter(which).to_pylist()
    return [format_minor(amount, code or "") for amount, code in zip(amounts, codes, strict=True)]
