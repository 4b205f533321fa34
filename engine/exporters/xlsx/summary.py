"""The summary sheet: title, notices, facts, notes, small tables and charts."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from engine.exporters.cells import CheckedRows, fact_text, legible
from engine.exporters.document import BarChart, Document, Fact, Kind, Notice, Row, Table
from engine.exporters.total_word import total_word
from engine.exporters.words import words_of
from engine.exporters.xlsx.cells import CellWriter
from engine.exporters.xlsx.layout import NARROWEST, WIDEST, Widths, write_header
from engine.exporters.xlsx.long_texts import LongTexts
from engine.exporters.xlsx.styles import Styles
from engine.exporters.xlsx.texts import write_label

_TITLE_HEIGHT, _HEADING_HEIGHT = 24, 18  # points
_ROW_PIXELS = 20


def has_summary(document: Document) -> bool:
    """Whether there is anything to say beside the tables."""
    notes = any(table.note for table in document.tables)
    told = document.notices or document.facts or document.summaries or document.charts
    return bool(told or notes)


class SummaryPage:
    """Writes down a sheet, one line after the other (constant memory allows no other order)."""

    def __init__(
        self, sheet: Any, styles: Styles, document: Document, long_texts: LongTexts
    ) -> None:
        self._sheet = sheet
        self._styles = styles
        self._document = document
        zone = ZoneInfo(document.timezone)
        self._cells = CellWriter(sheet, styles, zone, long_texts)
        self._totals = CellWriter(sheet, styles.totals, zone, long_texts)
        self._row = 0
        self._widths: dict[int, int] = {}

    def write(self, workbook: Any) -> None:
        """Write all that is said beside the tables, what matters most first."""
        document = self._document
        self._sheet.set_row(self._row, _TITLE_HEIGHT)
        self._line(document.title, bold=True, font_size=16, font_color="#1F3A5F")
        if document.subtitle:
            self._line(document.subtitle, font_color="#555555")
        self._skip()
        for notice in document.notices:
            self._notice(notice)
        self._skip(1 if document.notices else 0)
        for fact in document.facts:
            self._fact(fact)
        for table in document.tables:
            if table.note:
                self._heading(table.title)
                self._note(table)
        for table in document.summaries:
            self._table(table)
        for chart in document.charts:
            self._chart(chart, workbook)
        self._finish()

    def _line(self, text: str, **style: object) -> None:
        self._label(0, text, self._styles.label(**style))
        self._skip()

    def _label(self, place: int, text: str, style: Any) -> None:
        write_label(self._sheet, self._row, place, text, style)

    def _notice(self, notice: Notice) -> None:
        color = "#B00020" if notice.grave else "#1F3A5F"
        self._label(0, notice.code, self._styles.label(bold=True, font_color=color))
        self._label(1, notice.text, self._styles.label(font_color=color))
        self._widen(0, notice.code)
        self._skip()

    def _fact(self, fact: Fact) -> None:
        self._label(0, fact.label, self._styles.label(bold=True))
        self._label(1, fact_text(fact, self._document), self._styles.text)
        self._widen(0, fact.label)
        self._skip()

    def _note(self, table: Table) -> None:
        self._line(table.note, italic=True, font_color="#555555")

    def _table(self, table: Table) -> None:
        self._heading(table.title)
        if table.note:
            self._note(table)
        write_header(self._sheet, self._row, table.columns, self._document, self._styles)
        widths = Widths(table, self._document)
        self._skip()
        self._rows(table, table.rows, self._cells, widths)
        word = words_of(self._document.language).total
        for row in table.totals:
            found = total_word(table.columns, row, word)
            self._rows(table, [row], self._totals, widths, found)
        for place, width in enumerate(widths.found):
            self._widths[place] = max(self._widths.get(place, 0), width)

    def _rows(
        self,
        table: Table,
        rows: Iterable[Row],
        cells: CellWriter,
        widths: Widths,
        word: tuple[int, str] | None = None,
    ) -> None:
        for row, currencies in CheckedRows(replace(table, rows=rows)):
            for place, cell in enumerate(row):
                if cell is not None:
                    write = cells.of(table.columns[place].kind)
                    write(self._row, place, cell, currencies[place])
            if word:
                write_label(self._sheet, self._row, *word, self._styles.totals.text)
            widths.see(row, currencies)
            self._skip()

    def _chart(self, chart: BarChart, workbook: Any) -> None:
        """The numbers, and Excel's own chart of them beside."""
        self._heading(chart.title)
        first = self._row
        for bar in chart.bars:
            self._label(0, bar.label, self._styles.text)
            kind = Kind.INTEGER if chart.currency is None else Kind.MONEY
            self._cells.of(kind)(self._row, 1, bar.value, chart.currency)
            self._widen(0, bar.label)
            self._skip()
        if not chart.bars:
            return
        drawn = workbook.add_chart({"type": "line" if chart.line else "bar"})
        name, last = self._sheet.get_name(), self._row - 1
        # XlsxWriter takes a name that begins with "=" for a formula.
        title = legible(chart.title).lstrip("=")
        drawn.add_series(
            {
                "name": title,
                "categories": [name, first, 0, last, 0],
                "values": [name, first, 1, last, 1],
                "data_labels": {"value": not chart.line},
                **(
                    {"line": {"color": "#1F3A5F"}} if chart.line else {"fill": {"color": "#1F3A5F"}}
                ),
            }
        )
        drawn.set_title({"name": title, "name_font": {"size": 11}})
        drawn.set_legend({"none": True})
        if not chart.line:
            drawn.set_y_axis({"reverse": True})
        height = 280 if chart.line else 120 + 26 * len(chart.bars)
        drawn.set_size({"width": 560, "height": height})
        self._sheet.insert_chart(first, 3, drawn, {"description": title})
        self._skip(max(0, height // _ROW_PIXELS + 1 - len(chart.bars)))

    def _finish(self) -> None:
        for place, width in self._widths.items():
            self._sheet.set_column(place, place, width)
        self._sheet.hide_gridlines(2)

    def _skip(self, lines: int = 1) -> None:
        self._row += lines

    def _heading(self, title: str) -> None:
        self._skip()
        self._sheet.set_row(self._row, _HEADING_HEIGHT)
        self._line(title, bold=True, font_size=12, font_color="#1F3A5F")

    def _widen(self, place: int, text: str) -> None:
        width = min(max(len(text) + 2, NARROWEST), WIDEST)
        self._widths[place] = max(self._widths.get(place, 0), width)
