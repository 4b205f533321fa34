"""The formats that can be read again."""

from collections.abc import Mapping

from engine.exporters.recount.csv import CsvRecount
from engine.exporters.recount.html import HtmlRecount
from engine.exporters.recount.jsonl import JsonLinesRecount
from engine.exporters.recount.parquet import ParquetRecount
from engine.exporters.recount.recount import Recount
from engine.exporters.recount.xlsx import XlsxRecount

RECOUNTS: Mapping[str, Recount] = {
    "csv": CsvRecount(),
    "csv-excel": CsvRecount(),
    "xlsx": XlsxRecount(),
    "html": HtmlRecount(),
    "jsonl": JsonLinesRecount(),
    "parquet": ParquetRecount(),
}
