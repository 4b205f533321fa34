"""CSV: one table as UTF-8 by RFC 4180, amounts and instants exact, quotes only where needed.

`MACHINE` is for programs: the columns' names, plain decimals (-1234.50, 0.125), ISO 8601 with the
offset of the document's zone, true and false, and every text as it is. As PostgreSQL has it, an
empty cell is nothing and an empty text is `""`; in the lines of a single column both are `""`,
because a reader would pass over an empty line.

A spreadsheet runs a text that begins like a formula (`=cmd()`), even one inside quotes. `GUARDED`
and `EXCEL` put an apostrophe before texts that could be taken for one. Numbers and instants never
get one, because their type is known. What no spreadsheet can hold becomes U+FFFD.

`EXCEL` is for people: a byte order mark, without which Excel takes Arabic for Latin; titles with
zone and currency; the times of the zone's clocks to the second, and percentages, so that Excel
knows them for what they are. Excel splits lines where the region of its machine says, which for
Arabic ones is a semicolon, so an Arabic document has those. Excel still takes a text of digits
for a number: where leading zeros or more than 15 digits matter, people need XLSX.
"""

from dataclasses import dataclass
from typing import BinaryIO, ClassVar
from zoneinfo import ZoneInfo

from engine.exporters.batches import Batches, bounded
from engine.exporters.cells import CheckedRows
from engine.exporters.csv_profile import EXCEL, MACHINE, CsvLines, CsvProfile
from engine.exporters.document import Document, Table
from engine.exporters.memory import lean_memory

_BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True, kw_only=True)
class CsvExporter:
    """Writes the main table, or the one named `table`."""

    suffix: ClassVar[str] = ".csv"
    media_type: ClassVar[str] = "text/csv; charset=utf-8"
    streams: ClassVar[bool] = True

    table: str | None = None
    profile: CsvProfile = MACHINE

    def write(self, document: Document, target: BinaryIO) -> int:
        """Write a header and a line for each row; return how many rows there are."""
        table = document.named(self.table)
        separator, zone = self.profile.separator(document), ZoneInfo(document.timezone)
        lines = CsvLines(self.profile, table.columns, separator, zone)
        titles = [self.profile.heading(column, document) for column in table.columns]
        mark = _BYTE_ORDER_MARK if self.profile.people else ""
        target.write(f"{mark}{lines.of_texts(titles)}".encode())
        if not isinstance(table.rows, Batches):
            return _write_rows(lines, table, target)
        from engine.exporters.csv_batches import CsvBatches

        form = CsvBatches(self.profile, table.columns, separator, zone)
        rows = 0
        with lean_memory():
            for batch in bounded(table.rows.make()):
                target.write(form.lines(batch))
                rows += batch.num_rows
        return rows


@dataclass(frozen=True, kw_only=True)
class ExcelCsvExporter(CsvExporter):
    """The same for people, who open it in a spreadsheet."""

    suffix: ClassVar[str] = ".excel.csv"

    profile: CsvProfile = EXCEL


def _write_rows(lines: CsvLines, table: Table, target: BinaryIO) -> int:
    rows = 0
    for row, currencies in CheckedRows(table):
        target.write(lines.of_row(row, currencies).encode())
        rows += 1
    return rows
