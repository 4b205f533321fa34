"""XLSX: a summary sheet and a sheet for each table, written row by row in constant memory."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, ClassVar
from zoneinfo import ZoneInfo

from engine.exporters.cells import CheckedRows, fact_text, legible, shown
from engine.exporters.document import BarChart, Column, Document, Fact, Kind, Table
from engine.exporters.xlsx_cells import CellWriter, Formats

MOST_ROWS = 1_048_576  # of a sheet, header included
_SAMPLED_ROWS = 200  # widths follow these; measuring every row would cost more than writing it
_NARROWEST, _WIDEST = 8, 50
_NUMBERS = (Kind.INTEGER, Kind.MONEY, Kind.PERCENT)


@dataclass(frozen=True, kw_only=True)
class XlsxExporter:
    """Writes every table; one with more rows than a sheet holds goes on in further sheets."""

    suffix: ClassVar[str] = ".xlsx"
    media_type: ClassVar[str] = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    streams: ClassVar[bool] = True

    rows_per_sheet: int = MOST_ROWS - 1

    def write(self, document: Document, target: BinaryIO) -> int:
        """Write the workbook; return the rows of the main table, over all its sheets."""
        with _workbook(target) as workbook:
            workbook.set_properties(
                {
                    "title": legible(document.title),
                    "subject": legible(document.subtitle),
                    "keywords": legible(", ".join(document.keywords)),
                    "author": "engine",
                    "created": document.made_at.astimezone(UTC).replace(tzinfo=None),
                }
            )
            sheets = _Sheets(workbook, document, self.rows_per_sheet)
            sheets.write_summary()
            written = [sheets.write_table(table) for table in document.tables]
        return written[0]


class _Sheets:
    """The sheets of one workbook, in the order they are written."""

    def __init__(self, workbook: Any, document: Document, rows_per_sheet: int) -> None:
        self._workbook = workbook
        self._document = document
        self._rows_per_sheet = rows_per_sheet
        self._formats = Formats(workbook)
        self._zone = ZoneInfo(document.timezone)
        self._names: set[str] = set()

    def write_table(self, table: Table) -> int:
        """Write a table to as many sheets as it needs and return how many rows it has."""
        total = on_sheet = 0
        sheet, cells = self._begin(table)
        writers = [cells.of(column.kind) for column in table.columns]
        widths = _Widths(table, self._document)
        for row, currencies in CheckedRows(table):
            if on_sheet == self._rows_per_sheet:
                self._finish(sheet, table, on_sheet, widths)
                sheet, cells = self._begin(table)
                writers = [cells.of(column.kind) for column in table.columns]
                on_sheet = 0
            total, on_sheet = total + 1, on_sheet + 1
            for place, cell in enumerate(row):
                if cell is not None:
                    writers[place](on_sheet, place, cell, currencies[place])
            if total <= _SAMPLED_ROWS:
                widths.see(row, currencies)
        self._finish(sheet, table, on_sheet, widths)
        return total

    def write_summary(self) -> None:
        """Write title, notices, facts, small tables and charts; nothing if there are none."""
        document = self._document
        if not (document.notices or document.facts or document.summaries or document.charts):
            return
        sheet = self._sheet("Summary")
        page = _SummaryPage(sheet, CellWriter(sheet, self._formats, self._zone), self._formats)
        page.line(document.title, bold=True, font_size=16, font_color="#1F3A5F")
        if document.subtitle:
            page.line(document.subtitle, font_color="#555555")
        page.skip()
        for notice in document.notices:
            color = "#B00020" if notice.grave else "#1F3A5F"
            page.pair(notice.code, notice.text, color)
        page.skip(1 if document.notices else 0)
        for fact in document.facts:
            page.fact(fact, document)
        for table in document.summaries:
            page.table(table, document)
        for chart in document.charts:
            page.chart(chart, self._workbook)
        page.finish()

    def _begin(self, table: Table) -> tuple[Any, CellWriter]:
        """A new sheet with the header of `table`."""
        sheet = self._sheet(table.title)
        cells = CellWriter(sheet, self._formats, self._zone)
        _write_header(0, table.columns, self._document, cells, self._formats)
        sheet.freeze_panes(1, 0)
        sheet.repeat_rows(0)
        return sheet, cells

    def _finish(self, sheet: Any, table: Table, rows: int, widths: "_Widths") -> None:
        last = len(table.columns) - 1
        sheet.autofilter(0, 0, rows, last)
        # Wallets and entries are often all digits; Excel would mark every one of them.
        sheet.ignore_errors({"number_stored_as_text": _area(rows, last)})
        for place, width in enumerate(widths.found):
            sheet.set_column(place, place, width)

    def _sheet(self, title: str) -> Any:
        name = _free_name(title, self._names)
        self._names.add(name.casefold())
        sheet = self._workbook.add_worksheet(name)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.set_footer("&L&A&RPage &P of &N")
        return sheet


class _SummaryPage:
    """Writes down a sheet, one line after the other (constant memory allows no other order)."""

    def __init__(self, sheet: Any, cells: CellWriter, formats: Formats) -> None:
        self._sheet = sheet
        self._cells = cells
        self._formats = formats
        self._row = 0
        self._widths: dict[int, int] = {}

    def line(self, text: str, **style: object) -> None:
        self._cells.label(self._row, 0, text, self._formats.of(**style))
        self.skip()

    def pair(self, label: str, text: str, color: str) -> None:
        style = self._formats.of(font_color=color)
        self._cells.label(self._row, 0, label, self._formats.of(bold=True, font_color=color))
        self._cells.label(self._row, 1, text, style)
        self._widen(0, label)
        self.skip()

    def fact(self, fact: Fact, document: Document) -> None:
        self._cells.label(self._row, 0, fact.label, self._formats.of(bold=True))
        self._cells.label(self._row, 1, fact_text(fact, document), self._formats.text)
        self._widen(0, fact.label)
        self.skip()

    def table(self, table: Table, document: Document) -> None:
        self._heading(table.title)
        if table.note:
            self.line(table.note, italic=True, font_color="#555555")
        _write_header(self._row, table.columns, document, self._cells, self._formats)
        widths = _Widths(table, document)
        self.skip()
        for row, currencies in CheckedRows(table):
            for place, cell in enumerate(row):
                if cell is not None:
                    write = self._cells.of(table.columns[place].kind)
                    write(self._row, place, cell, currencies[place])
            widths.see(row, currencies)
            self.skip()
        for place, width in enumerate(widths.found):
            self._widths[place] = max(self._widths.get(place, 0), width)

    def chart(self, chart: BarChart, workbook: Any) -> None:
        """The numbers, and Excel's own chart of them beside."""
        self._heading(chart.title)
        first = self._row
        for bar in chart.bars:
            self._cells.label(self._row, 0, bar.label, self._formats.text)
            self._cells.of(Kind.INTEGER)(self._row, 1, bar.value, None)
            self._widen(0, bar.label)
            self.skip()
        if not chart.bars:
            return
        drawn = workbook.add_chart({"type": "bar"})
        name, last = self._sheet.get_name(), self._row - 1
        drawn.add_series(
            {
                "name": legible(chart.title),
                "categories": [name, first, 0, last, 0],
                "values": [name, first, 1, last, 1],
                "data_labels": {"value": True},
                "fill": {"color": "#1F3A5F"},
            }
        )
        drawn.set_title({"name": legible(chart.title), "name_font": {"size": 11}})
        drawn.set_legend({"none": True})
        drawn.set_y_axis({"reverse": True})
        drawn.set_size({"width": 560, "height": 120 + 26 * len(chart.bars)})
        self._sheet.insert_chart(first, 3, drawn, {"description": legible(chart.title)})
        self.skip(max(0, 8 - len(chart.bars)))

    def finish(self) -> None:
        for place, width in self._widths.items():
            self._sheet.set_column(place, place, width)
        self._sheet.hide_gridlines(2)

    def skip(self, lines: int = 1) -> None:
        self._row += lines

    def _heading(self, title: str) -> None:
        self.skip()
        self.line(title, bold=True, font_size=12, font_color="#1F3A5F")

    def _widen(self, place: int, text: str) -> None:
        width = min(max(len(text) + 2, _NARROWEST), _WIDEST)
        self._widths[place] = max(self._widths.get(place, 0), width)


class _Widths:
    """How wide the columns of a table should be, by its header and first rows."""

    def __init__(self, table: Table, document: Document) -> None:
        self._columns = table.columns
        self._zone = ZoneInfo(document.timezone)
        # Four more than the title: the button of the filter covers the end of it.
        self._longest = [len(_header(column, document)) + 4 for column in table.columns]

    def see(self, row: Any, currencies: Any) -> None:
        for place, cell in enumerate(row):
            if cell is not None:
                text = shown(cell, self._columns[place].kind, currencies[place], self._zone)
                self._longest[place] = max(self._longest[place], len(text) + 2)

    @property
    def found(self) -> list[int]:
        return [
            column.width or min(max(longest, _NARROWEST), _WIDEST)
            for column, longest in zip(self._columns, self._longest, strict=True)
        ]


def _write_header(
    row: int, columns: Any, document: Document, cells: CellWriter, formats: Formats
) -> None:
    for place, column in enumerate(columns):
        style = formats.number_header if column.kind in _NUMBERS else formats.header
        cells.label(row, place, _header(column, document), style)


def _header(column: Column, document: Document) -> str:
    """A cell says neither zone nor currency, so the header does."""
    said = document.timezone if column.kind is Kind.DATETIME else column.currency
    return f"{column.title} ({said})" if said else column.title


def _free_name(title: str, taken: set[str]) -> str:
    """A name that Excel allows for a sheet and that no other has: "Breaks", then "Breaks (2)"."""
    base = re.sub(r"[\[\]:*?/\\]", " ", legible(title)).strip().strip("'").strip() or "Sheet"
    if base.casefold() == "history":  # reserved by Excel
        base = "History sheet"
    number, name = 1, base[:31]
    while name.casefold() in taken:
        number += 1
        name = f"{base[: 31 - len(f' ({number})')]} ({number})"
    return name


def _area(rows: int, last_column: int) -> str:
    from xlsxwriter.utility import xl_range

    return str(xl_range(0, 0, rows, last_column))


class _Target:
    """The target, until it fails: then it takes everything and does nothing.

    XlsxWriter leaves its ZIP open when a write fails, and that one would try again to complete
    itself whenever it is collected, long after the target is closed.
    """

    def __init__(self, target: BinaryIO) -> None:
        self._target: BinaryIO = target

    def write(self, data: bytes) -> int:
        try:
            return self._target.write(data)
        except OSError:
            self._target = BytesIO()
            raise

    def seek(self, place: int, whence: int = 0) -> int:
        return self._target.seek(place, whence)

    def tell(self) -> int:
        return self._target.tell()

    def flush(self) -> None:
        self._target.flush()


@contextmanager
def _workbook(target: BinaryIO) -> Iterator[Any]:
    """A workbook that ends up in `target`; if its making fails, its aside files are gone."""
    from xlsxwriter import Workbook
    from xlsxwriter.exceptions import FileCreateError

    with TemporaryDirectory(prefix="engine-xlsx-") as aside:
        workbook = Workbook(
            _Target(target),
            {
                "constant_memory": True,
                "tmpdir": str(Path(aside)),
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "default_date_format": "yyyy-mm-dd hh:mm:ss",
            },
        )
        workbook.use_zip64()
        try:
            yield workbook
        except BaseException:
            for sheet in workbook.worksheets():
                sheet.row_data_fh.close()
            raise
        try:
            workbook.close()
        except FileCreateError as error:
            # XlsxWriter hides why the file could not be written; a full disk should say so.
            raise error.args[0] from error
