"""The sums of a table's sheets: amounts by the currency that stands in their row."""

import re
from collections import defaultdict

import numpy as np

from engine.errors import EngineError
from engine.exporters.document import Column, Kind
from engine.exporters.recount.figures import Figures, Sum
from engine.exporters.recount.layout import Layout
from engine.exporters.recount.recount import Unreadable
from engine.exporters.recount.xlsx_cells import codes, numbers
from engine.exporters.recount.xlsx_rows import Cells, Ints, Rows
from engine.exporters.recount.xlsx_texts import Texts
from engine.money import minor_digits, to_minor

_HALF = 10**9
_TENS = np.array([10**power for power in range(19)], np.int64)
# What people's amounts have between their digits, in either language; a cell that cannot hold
# a number exactly has it as they read it.
_PLAIN = str.maketrans({",": None, "\u066c": None, "\u066b": ".", "\u2212": "-"})
_UNSEEN = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")  # of writing directions
_WHOLE = "JPY"  # an amount of it has no decimals, as a whole number has none


class SheetSums:
    """Adds up stretches of rows of one table."""

    def __init__(self, layout: Layout, texts: Texts) -> None:
        self._layout = layout
        self._texts = texts
        self._added = [*layout.added()]
        named = {column.currency_column for _, column in self._added if column.currency_column}
        self._currency_places = {name: layout.place(name) for name in named}
        self._codes: list[str] = [""]
        self._numbers = {"": 0}
        self._skip = 0
        self._rows = 0
        self._sums: defaultdict[Sum, int] = defaultdict(int)

    @property
    def figures(self) -> Figures:
        """What was added up so far."""
        return Figures(rows=self._rows, sums=dict(self._sums))

    def begin(self, first: int) -> None:
        """A sheet begins, whose first row of the table has that number, from 0 on."""
        self._skip = first

    def add(self, stretch: bytes) -> None:
        """Take whole rows into account."""
        rows = Rows(stretch)
        skipped = min(self._skip, rows.count)
        self._skip -= skipped
        self._rows += rows.count - skipped
        currencies = {
            name: self._currencies(rows, place) for name, place in self._currency_places.items()
        }
        for place, column in self._added:
            cells = _filled(rows, rows.column(place), skipped)
            if column.currency_column is None:
                kinds = np.broadcast_to(np.int64(self._number(column.currency or "")), 1)
            else:
                kinds = currencies[column.currency_column][cells.rows]
            self._add(rows, cells, column, kinds)

    def _currencies(self, rows: Rows, place: int) -> Ints:
        """The currency of each row, as its place in the list of those seen so far."""
        found = np.zeros(rows.count, np.int64)
        cells = _filled(rows, rows.column(place), 0)
        words, odd = codes(rows, cells)
        for word in np.unique(words[~odd]):
            which = cells.rows[~odd & (words == word)]
            found[which] = self._number(int(word).to_bytes(3, "little").decode("latin-1"))
        left = cells.at(odd)
        for row, start, end in zip(left.rows, left.starts, left.ends, strict=True):
            text = self._texts.of(*rows.cell(int(start), int(end)))
            found[row] = self._number(text)
        return found

    def _number(self, code: str) -> int:
        if code not in self._numbers:
            self._numbers[code] = len(self._codes)
            self._codes.append(code)
        return self._numbers[code]

    def _add(self, rows: Rows, cells: Cells, column: Column, kinds: Ints) -> None:
        """Add up cells of a column; `kinds` are their currencies, or the one of all."""
        read = numbers(rows, cells)
        is_money = column.kind is Kind.MONEY
        digits = np.array([minor_digits(code if is_money else _WHOLE) for code in self._codes])
        lacking = digits[kinds] - read.decimals
        whole = read.plain & (lacking >= 0)
        if not whole.all():
            for each in np.flatnonzero(~whole):
                kind = self._codes[kinds[each % len(kinds)]]
                start, end = int(cells.starts[each]), int(cells.ends[each])
                text = self._texts.of(*rows.cell(start, end))
                name = Sum(column.name, kind if is_money else None)
                self._sums[name] += self._exact(text, column, kind)
            lacking = np.where(whole, lacking, 0)
        value = np.where(whole, read.value, 0) * _TENS[lacking]
        for kind in np.flatnonzero(np.bincount(kinds)):
            part = value if len(kinds) != len(value) else value[kinds == kind]
            name = Sum(column.name, self._codes[kind] if is_money else None)
            self._sums[name] += _exact_sum(part)

    def _exact(self, text: str, column: Column, currency: str) -> int:
        plain = "".join(_UNSEEN.sub("", text).translate(_PLAIN).split())
        if not plain:
            return 0
        try:
            return to_minor(plain, currency if column.kind is Kind.MONEY else _WHOLE)
        except EngineError as error:
            problem = f"column {column.name!r}: {error}"
            raise Unreadable(format="XLSX", problem=problem) from error


def _filled(rows: Rows, cells: Cells, first: int) -> Cells:
    """The cells that hold something, from a row on."""
    empty = rows.letters[cells.ends - 2] == ord("/")
    return cells.at(~empty & (cells.rows >= first))


def _exact_sum(values: Ints) -> int:
    """The sum, where one of 64 bits could wrap around."""
    high, low = np.divmod(values, _HALF)
    return int(high.sum()) * _HALF + int(low.sum())
