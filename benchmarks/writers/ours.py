"""The engine's way: an extract of the query, written by an exporter, and proven.

python -m benchmarks.writers.ours FORMAT URL ROWS FILE
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from benchmarks.canteen.measured import HOME
from benchmarks.writers.columns import COLUMNS, TIMEZONE, query_of
from engine.exporters.document import Kind


@dataclass(frozen=True)
class _Read:
    """A column as the extract asks for it."""

    name: str
    kind: Kind
    currency: str | None
    currency_column: str | None
    unit: Literal["minor", "major"] = "minor"
    total: bool = False
    personal: bool = False


@contextmanager
def payments(url: str, rows: int) -> Iterator[Any]:
    """The rows as the engine reads them, of one moment."""
    from engine.clock import SystemClock
    from engine.reporting.extract import DatasetQuery, open_extract
    from engine.sources.catalog import Sources

    columns = [_Read(c.name, c.kind, c.currency, c.currency_column) for c in COLUMNS]
    query = DatasetQuery(
        name="payments",
        source="bench",
        query=query_of(rows),
        columns=columns,
        time_limit=timedelta(minutes=10),
    )
    sources = Sources({"bench": url}, HOME)
    with (
        TemporaryDirectory() as scratch,
        open_extract([query], sources, scratch=Path(scratch), clock=SystemClock()) as extract,
    ):
        yield extract


def write(asked: str, url: str, rows: int, file: Path) -> None:
    """Read, write, and fail unless all rows are there."""
    format_name, _, proof = asked.partition("+")
    with payments(url, rows) as extract:
        if format_name == "reading":
            written = sum(batch.num_rows for batch in extract.stream("payments").make())
        elif proof:
            document = _document(extract.rows("payments"))
            written = _export(format_name, document, file)
            _prove(format_name, extract, document, file)
        else:
            written = _export(format_name, _document(extract.stream("payments")), file)
    if written != rows:
        sys.exit(f"{written} rows of {rows}")


def _document(rows: Any) -> Any:
    from engine.clock import SystemClock
    from engine.exporters.document import Document, Table

    return Document(
        title="Payments",
        made_at=SystemClock().now(),
        timezone=TIMEZONE,
        tables=[Table(name="payments", title="Payments", columns=COLUMNS, rows=rows)],
    )


def _export(format_name: str, document: Any, file: Path) -> int:
    from engine.exporters.formats import EXPORTERS

    with file.open("wb") as target:
        return EXPORTERS[format_name].write(document, target)


def _prove(format_name: str, extract: Any, document: Any, file: Path) -> None:
    from engine.exporters.recount.layout import layout_of
    from engine.exporters.recount.recounts import RECOUNTS
    from engine.reporting.proof import differences

    layout = layout_of(document.main)
    (found,) = RECOUNTS[format_name].count(file, [layout])
    read, asked = extract.read("payments"), extract.totals("payments")
    wrong = [
        *differences(layout, "in the file", found, "read", read),
        *differences(layout, "as read", read, "in the source", asked),
    ]
    if wrong:
        sys.exit("; ".join(wrong))


if __name__ == "__main__":
    asked, url, rows, file = sys.argv[1:]
    write(asked, url, int(rows), Path(file))
