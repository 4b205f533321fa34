"""Files that exporters wrote, read back by other people's readers."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pypdf
from openpyxl.utils.escape import unescape

from engine.exporters.document import Document
from engine.exporters.exporter import Exporter
from engine.exporters.formats import EXPORTERS


def written(exporter: Exporter, document: Document) -> bytes:
    """The bytes of the file; the target stays open, for whoever opened it closes it."""
    target = io.BytesIO()
    exporter.write(document, target)
    assert not target.closed
    return target.getvalue()


def text_of(name: str, document: Document) -> str:
    """What a reader of the file finds, white space aside."""
    return TEXT_OF[name](written(EXPORTERS[name], document))


def cells_of(name: str, data: bytes) -> list[list[Any]]:
    """The cells of the main table's rows, as a reader of that format knows them."""
    return CELLS_OF[name](data)


def sheet_of(data: bytes) -> Any:
    """The first sheet of a workbook."""
    return openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]


class _Page(HTMLParser):
    """The rows of all tables, and every text."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.texts: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self._inside = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._inside = False

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self._inside:
            self.rows[-1][-1] += data


def _page(data: bytes) -> _Page:
    page = _Page()
    page.feed(data.decode())
    return page


def _csv(data: bytes) -> list[list[Any]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))[1:]


def _xlsx_text(data: bytes) -> str:
    book = openpyxl.load_workbook(io.BytesIO(data))
    return "\n".join(
        unescape(str(cell))
        for sheet in book
        for row in sheet.iter_rows(values_only=True)
        for cell in row
    )


def _pdf_text(data: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages)


def _parquet_text(data: bytes) -> str:
    table = pq.read_table(io.BytesIO(data))
    return "\n".join([*table.column_names, *(str(cell) for row in _parquet(data) for cell in row)])


def _parquet(data: bytes) -> list[list[Any]]:
    return [list(row.values()) for row in pq.read_table(io.BytesIO(data)).to_pylist()]


def _jsonl_text(data: bytes) -> str:
    objects = [json.loads(line) for line in data.decode().split("\n") if line]
    said = (f"{name} {value}" for each in objects for name, value in each.items())
    return "\n".join(said)


def _rows_of(sheet: Any) -> list[list[Any]]:
    return [list(row) for row in sheet.iter_rows(min_row=2, values_only=True)]


TEXT_OF: Mapping[str, Callable[[bytes], str]] = {
    "csv": lambda data: data.decode(),
    "csv-excel": lambda data: data.decode("utf-8-sig"),
    "xlsx": _xlsx_text,
    "pdf": _pdf_text,
    "html": lambda data: "\n".join(_page(data).texts),
    "jsonl": _jsonl_text,
    "parquet": _parquet_text,
}
CELLS_OF: Mapping[str, Callable[[bytes], list[list[Any]]]] = {
    "csv": _csv,
    "csv-excel": _csv,
    "xlsx": lambda data: _rows_of(sheet_of(data)),
    "html": lambda data: [list(row) for row in _page(data).rows[1:]],
    "jsonl": lambda data: [
        list(json.loads(line).values()) for line in data.decode().split("\n") if line
    ],
    "parquet": _parquet,
}
