"""CSV: the main table as UTF-8 without a byte order mark, RFC 4180, amounts and instants exact.

The header holds the columns' names for machines. Amounts are plain decimals (-1234.50), instants
ISO 8601 with the offset of the document's zone, an empty cell is empty.

A spreadsheet runs a text that begins like a formula (`=cmd()`), even one inside quotes. Text
cells that could be taken for one get a leading apostrophe; numbers and instants never do, because
their type is known. A reader that is no spreadsheet and wants the text untouched can have
`CsvExporter(guard_formulas=False)`.
"""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, BinaryIO, ClassVar
from zoneinfo import ZoneInfo

from engine.exporters.cells import CheckedRows, legible, money_text
from engine.exporters.document import Document, Kind

# The full-width forms are folded to the plain ones by some spreadsheets in East Asian locales.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")

Write = Callable[[Any, str | None], str]


@dataclass(frozen=True, kw_only=True)
class CsvExporter:
    """Writes the main table, or the one named `table`."""

    suffix: ClassVar[str] = ".csv"
    media_type: ClassVar[str] = "text/csv; charset=utf-8"
    streams: ClassVar[bool] = True

    table: str | None = None
    guard_formulas: bool = True

    def write(self, document: Document, target: BinaryIO) -> int:
        """Write a header and a line for each row; return how many rows there are."""
        table = document.main
        if self.table is not None:
            table = next(table for table in document.tables if table.name == self.table)
        writers = [
            _writer(column.kind, ZoneInfo(document.timezone), self.guard_formulas)
            for column in table.columns
        ]
        text = io.TextIOWrapper(target, "utf-8", newline="", write_through=False)
        rows = 0
        try:
            lines = csv.writer(text, lineterminator="\r\n")
            lines.writerow([column.name for column in table.columns])
            for row, currencies in CheckedRows(table):
                lines.writerow(
                    [
                        "" if cell is None else write(cell, currency)
                        for cell, write, currency in zip(row, writers, currencies, strict=True)
                    ]
                )
                rows += 1
        finally:
            text.detach()  # also writes out what is left; the caller closes the target
        return rows


def _writer(kind: Kind, zone: tzinfo, guard: bool) -> Write:
    """How a cell of this kind becomes text."""
    if kind is Kind.MONEY:
        return lambda cell, currency: money_text(cell, currency or "")
    if kind is Kind.DATETIME:
        return lambda cell, currency: cell.astimezone(zone).isoformat()
    if kind is Kind.TEXT:
        return _guarded if guard else lambda cell, currency: legible(cell)
    return lambda cell, currency: f"{cell:f}" if kind is Kind.PERCENT else str(cell)


def _guarded(cell: str, currency: str | None) -> str:
    return legible(f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell)
