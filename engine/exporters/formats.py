"""The formats a document can be written in."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from engine.errors import Invalid
from engine.exporters.csv import CsvExporter, ExcelCsvExporter
from engine.exporters.exporter import Exporter
from engine.exporters.html import HtmlExporter
from engine.exporters.jsonl import JsonLinesExporter
from engine.exporters.pages import Pages
from engine.exporters.parquet import ParquetExporter
from engine.exporters.pdf.exporter import PdfExporter
from engine.exporters.xlsx.exporter import XlsxExporter

EXPORTERS: Mapping[str, Exporter] = {
    "csv": CsvExporter(),
    "csv-excel": ExcelCsvExporter(),
    "xlsx": XlsxExporter(),
    "pdf": PdfExporter(),
    "html": HtmlExporter(),
    "jsonl": JsonLinesExporter(),
    "parquet": ParquetExporter(),
}


class UnknownFormat(Invalid):
    """A report asks for a format that nobody writes."""

    message = "no format is named {name!r}; there are: {known}"


def exporters_with(templates: Path) -> Mapping[str, Exporter]:
    """The same exporters, with pages and branded workbooks made from a folder of templates."""
    return {
        **EXPORTERS,
        "xlsx": XlsxExporter(templates=templates),
        "pdf": PdfExporter(pages=Pages(templates)),
        "html": HtmlExporter(templates=templates),
    }


def printed(
    exporters: Mapping[str, Exporter],
    *,
    archival: bool = False,
    password: str | None = None,
    turned: Callable[[int], object] | None = None,
) -> Mapping[str, Exporter]:
    """The same exporters, with PDFs as they are asked for; `turned` hears of each drawn page."""
    pdf = exporters.get("pdf")
    if not isinstance(pdf, PdfExporter):
        return exporters
    asked = replace(pdf, archival=archival, password=password, turned=turned)
    return {**exporters, "pdf": asked}
