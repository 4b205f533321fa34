"""The data of a document as a file inside its PDF: CSV for machines, a file a table."""

import io
from collections.abc import Sequence
from dataclasses import replace

from engine.exporters.csv import CsvExporter
from engine.exporters.document import Document
from engine.exporters.held import Held
from engine.exporters.pdf.designed import Attached


def data_of(document: Document, tables: Held) -> Sequence[Attached]:
    """The rows that the pages show, not read again."""
    files = []
    for held in tables.tables:
        table = replace(held.rows.table, rows=[row for row, _ in held.texts])
        content = io.BytesIO()
        CsvExporter().write(replace(document, tables=[table]), content)
        files.append(
            Attached(
                name=f"{table.name}.csv",
                content=content.getvalue(),
                description=table.title,
                made_at=document.made_at,
            )
        )
    return files
