"""XLSX: a summary sheet and a sheet for each table, written row by row in constant memory."""

from dataclasses import dataclass
from datetime import UTC
from typing import Any, BinaryIO, ClassVar
from zoneinfo import ZoneInfo

from engine.exporters.cells import CheckedRows, legible
from engine.exporters.document import Document, Table
from engine.exporters.xlsx_cells import CellWriter, Formats
from engine.exporters.xlsx_layout import Widths, area, free_name, write_header
from engine.exporters.xlsx_summary import SummaryPage, has_summary
from engine.exporters.xlsx_workbook import open_workbook

MOST_ROWS = 1_048_576  # of a sheet, header included


@dataclass(frozen=True, kw_only=True)
class XlsxExporter:
    """Writes every table; one with more rows than a sheet holds goes on in further sheets."""

    suffix: ClassVar[str] = ".xlsx"
    media_type: ClassVar[str] = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    streams: ClassVar[bool] = True

    rows_per_sheet: int = MOST_ROWS - 1

    def write(self, document: Document, target: BinaryIO) -> int:
        """Write the workbook; return the rows of the main table, over all its sheets."""
        with open_workbook(target) as workbook:
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
        widths = Widths(table, self._document)
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
            widths.see(row, currencies)
        self._finish(sheet, table, on_sheet, widths)
        return total

    def write_summary(self) -> None:
        """Write title, notices, facts, small tables and charts; nothing if there are none."""
        if has_summary(self._document):
            sheet = self._sheet("Summary")
            cells = CellWriter(sheet, self._formats, self._zone)
            SummaryPage(sheet, cells, self._formats).write(self._document, self._workbook)

    def _begin(self, table: Table) -> tuple[Any, CellWriter]:
        """A new sheet with the header of `table`."""
        sheet = self._sheet(table.title)
        cells = CellWriter(sheet, self._formats, self._zone)
        write_header(0, table.columns, self._document, cells, self._formats)
        sheet.freeze_panes(1, 0)
        sheet.repeat_rows(0)
        return sheet, cells

    def _finish(self, sheet: Any, table: Table, rows: int, widths: Widths) -> None:
        last = len(table.columns) - 1
        sheet.autofilter(0, 0, rows, last)
        # Wallets and entries are often all digits; Excel would mark every one of them.
        sheet.ignore_errors({"number_stored_as_text": area(rows, last)})
        for place, width in enumerate(widths.found):
            sheet.set_column(place, place, width)

    def _sheet(self, title: str) -> Any:
        name = free_name(title, self._names)
        self._names.add(name.casefold())
        sheet = self._workbook.add_worksheet(name)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.set_footer("&L&A&RPage &P of &N")
        return sheet
