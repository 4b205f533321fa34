"""HTML: one page that needs nothing else, with every row of every table, for people.

It holds no script, and its policy lets a browser fetch and run nothing: whatever stands in a cell
stays a text. Rows are written as they are read.
"""

import io
from dataclasses import dataclass
from typing import BinaryIO, ClassVar

from engine.exporters.cells import CheckedRows
from engine.exporters.document import Document
from engine.exporters.html_page import HtmlPage, HtmlTable


@dataclass(frozen=True, kw_only=True)
class HtmlExporter:
    """Writes facts, small tables, charts, then the tables."""

    suffix: ClassVar[str] = ".html"
    media_type: ClassVar[str] = "text/html; charset=utf-8"
    streams: ClassVar[bool] = True

    def write(self, document: Document, target: BinaryIO) -> int:
        """Write the page; return how many rows of the main table it lists."""
        page = HtmlPage(document)
        text = io.TextIOWrapper(target, "utf-8", newline="\n")
        try:
            text.write(page.head())
            for table in document.summaries:
                _write_table(page.table(table), text)
            text.write(page.charts())
            rows = [_write_table(page.table(table), text) for table in document.tables]
            text.write(page.foot())
        finally:
            text.detach()  # also writes out what is left; the caller closes the target
        return rows[0]


def _write_table(form: HtmlTable, text: io.TextIOWrapper) -> int:
    text.write(form.head())
    rows = 0
    for row, currencies in CheckedRows(form.table):
        text.write(form.row(row, currencies))
        rows += 1
    text.write(form.foot(rows))
    return rows
