"""Texts that are longer than a cell: the cell has the beginning, and says where the rest is."""

from collections.abc import Callable
from typing import Any

from engine.exporters.cells import encodable
from engine.exporters.words import Words
from engine.exporters.xlsx.styles import Styles
from engine.exporters.xlsx.texts import LONGEST_TEXT, cut, units, write_text


class LongTexts:
    """A sheet of rests, made when the first is needed: in which cell they begin, part by part."""

    def __init__(self, make_sheet: Callable[[str], Any], styles: Styles, words: Words) -> None:
        self._make_sheet = make_sheet
        self._styles = styles
        self._words = words
        self._sheet: Any = None
        self._row = 0

    def fitting(self, sheet: str, row: int, column: int, text: str) -> str:
        """`text`, or what of it the cell at this row and column (from 0 on) can hold."""
        text = encodable(text)
        if not cut(text, LONGEST_TEXT)[1]:
            return text
        if self._sheet is None:
            self._begin()
        where = self._sheet.get_name()
        mark = self._words.goes_on.format(sheet=where, row=self._row + 1)
        kept, rest = cut(text, LONGEST_TEXT - units(mark))
        self._write(sheet, row, column, rest)
        return kept + mark

    def _begin(self) -> None:
        words, header = self._words, self._styles.header
        self._sheet = self._make_sheet(words.long_texts)
        for place, title in enumerate((words.sheet, words.cell, words.part, words.text)):
            write_text(self._sheet, 0, place, title, header)
        self._sheet.freeze_panes(1, 0)
        self._sheet.set_column(0, 0, 24)
        self._sheet.set_column(3, 3, 100)
        self._row = 1

    def _write(self, sheet: str, row: int, column: int, rest: str) -> None:
        from xlsxwriter.utility import xl_rowcol_to_cell

        part, text = 1, self._styles.text
        while rest:
            held, rest = cut(rest, LONGEST_TEXT)
            write_text(self._sheet, self._row, 0, sheet, text)
            write_text(self._sheet, self._row, 1, str(xl_rowcol_to_cell(row, column)), text)
            self._sheet.write_number(self._row, 2, part, self._styles.integer)
            write_text(self._sheet, self._row, 3, held, text)
            self._row, part = self._row + 1, part + 1
