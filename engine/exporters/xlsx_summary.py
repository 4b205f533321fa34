"""The summary sheet: title, notices, facts, small tables and charts."""

from typing import Any

from engine.exporters.cells import CheckedRows, fact_text, legible
from engine.exporters.document import BarChart, Document, Fact, Kind, Notice, Table
from engine.exporters.xlsx_cells import CellWriter, Formats
from engine.exporters.xlsx_layout import NARROWEST, WIDEST, Widths, write_header


def has_summary(document: Document) -> bool:
    """Whether there is anything to say beside the tables."""
    return bool(document.notices or document.facts or document.summaries or document.charts)


class SummaryPage:
    """Writes down a sheet, one line after the other (constant memory allows no other order)."""

    def __init__(self, sheet: Any, cells: CellWriter, formats: Formats) -> None:
        self._sheet = sheet
        self._cells = cells
        self._formats = formats
        self._row = 0
        self._widths: dict[int, int] = {}

    def write(self, document: Document, workbook: Any) -> None:
        """Write all that is said beside the tables, what matters most first."""
        self._line(document.title, bold=True, font_size=16, font_color="#1F3A5F")
        if document.subtitle:
            self._line(document.subtitle, font_color="#555555")
        self._skip()
        for notice in document.notices:
            self._notice(notice)
        self._skip(1 if document.notices else 0)
        for fact in document.facts:
            self._fact(fact, document)
        for table in document.summaries:
            self._table(table, document)
        for chart in document.charts:
            self._chart(chart, workbook)
        self._finish()

    def _line(self, text: str, **style: object) -> None:
        self._cells.label(self._row, 0, text, self._formats.of(**style))
        self._skip()

    def _notice(self, notice: Notice) -> None:
        color = "#B00020" if notice.grave else "#1F3A5F"
        self._cells.label(self._row, 0, notice.code, self._formats.of(bold=True, font_color=color))
        self._cells.label(self._row, 1, notice.text, self._formats.of(font_color=color))
        self._widen(0, notice.code)
        self._skip()

    def _fact(self, fact: Fact, document: Document) -> None:
        self._cells.label(self._row, 0, fact.label, self._formats.of(bold=True))
        self._cells.label(self._row, 1, fact_text(fact, document), self._formats.text)
        self._widen(0, fact.label)
        self._skip()

    def _table(self, table: Table, document: Document) -> None:
        self._heading(table.title)
        if table.note:
            self._line(table.note, italic=True, font_color="#555555")
        write_header(self._row, table.columns, document, self._cells, self._formats)
        widths = Widths(table, document)
        self._skip()
        for row, currencies in CheckedRows(table):
            for place, cell in enumerate(row):
                if cell is not None:
                    write = self._cells.of(table.columns[place].kind)
                    write(self._row, place, cell, currencies[place])
            widths.see(row, currencies)
            self._skip()
        for place, width in enumerate(widths.found):
            self._widths[place] = max(self._widths.get(place, 0), width)

    def _chart(self, chart: BarChart, workbook: Any) -> None:
        """The numbers, and Excel's own chart of them beside."""
        self._heading(chart.title)
        first = self._row
        for bar in chart.bars:
            self._cells.label(self._row, 0, bar.label, self._formats.text)
            self._cells.of(Kind.INTEGER)(self._row, 1, bar.value, None)
            self._widen(0, bar.label)
            self._skip()
        if not chart.bars:
            return
        drawn = workbook.add_chart({"type": "bar"})
        name, last = self._sheet.get_name(), self._row - 1
        # XlsxWriter takes a name that begins with "=" for a formula.
        title = legible(chart.title).lstrip("=")
        drawn.add_series(
            {
                "name": title,
                "categories": [name, first, 0, last, 0],
                "values": [name, first, 1, last, 1],
                "data_labels": {"value": True},
                "fill": {"color": "#1F3A5F"},
            }
        )
        drawn.set_title({"name": title, "name_font": {"size": 11}})
        drawn.set_legend({"none": True})
        drawn.set_y_axis({"reverse": True})
        drawn.set_size({"width": 560, "height": 120 + 26 * len(chart.bars)})
        self._sheet.insert_chart(first, 3, drawn, {"description": title})
        self._skip(max(0, 8 - len(chart.bars)))

    def _finish(self) -> None:
        for place, width in self._widths.items():
            self._sheet.set_column(place, place, width)
        self._sheet.hide_gridlines(2)

    def _skip(self, lines: int = 1) -> None:
        self._row += lines

    def _heading(self, title: str) -> None:
        self._skip()
        self._line(title, bold=True, font_size=12, font_color="#1F3A5F")

    def _widen(self, place: int, text: str) -> None:
        width = min(max(len(text) + 2, NARROWEST), WIDEST)
        self._widths[place] = max(self._widths.get(place, 0), width)
