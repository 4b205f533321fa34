"""HTML: one page that needs nothing else, with every row of every table, for people.

It holds no script, and its policy lets a browser fetch and run nothing: whatever stands in a cell
stays a text. Rows are written as they are read, in the colours of the theme that PDFs have.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, ClassVar

from engine.exporters.document import Document
from engine.exporters.html_page import HtmlPage, HtmlTable


@dataclass(frozen=True, kw_only=True)
class HtmlExporter:
    """Writes facts, small tables, charts, then the tables; `templates` may have a theme."""

    suffix: ClassVar[str] = ".html"
    media_type: ClassVar[str] = "text/html; charset=utf-8"
    streams: ClassVar[bool] = True

    templates: Path | None = None

    def write(self, document: Document, target: BinaryIO) -> int:
        """Write the page; return how many rows of the main table it lists."""
        page = HtmlPage(document, self.templates)
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


def _write_table(table: HtmlTable, text: io.TextIOWrapper) -> int:
    text.write(table.head())
    rows = 0
    for line in table.rows():
        text.write(line)
        rows += 1
    text.write(table.foot(rows))
    return rows
