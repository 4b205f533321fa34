"""Who else writes a query's rows to a file, each as its manual shows it.

python -m benchmarks.writers.peers PEER URL ROWS FILE
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.writers.columns import NAMES, query_of


def pandas_csv(url: str, query: str, file: str) -> None:
    """`read_sql` and `to_csv`."""
    _frame(url, query).to_csv(file, index=False)


def pandas_excel(url: str, query: str, file: str) -> None:
    """`read_sql` and `to_excel`, by XlsxWriter."""
    frame = _frame(url, query)
    # Excel has no zones, and pandas refuses to leave them out.
    for name in frame.select_dtypes("datetimetz"):
        frame[name] = frame[name].dt.tz_localize(None)
    frame.to_excel(file, index=False, engine="xlsxwriter")


def openpyxl_write_only(url: str, query: str, file: str) -> None:
    """Row by row into a write-only workbook."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Payments")
    sheet.append(NAMES.split(", "))
    with _cursor(url, query) as rows:
        for row in rows:
            sheet.append(_plain(row))
    book.save(file)


def xlsxwriter_constant_memory(url: str, query: str, file: str) -> None:
    """Row by row, typed, with formats for amounts, dates and instants."""
    from xlsxwriter import Workbook

    with Workbook(file, {"constant_memory": True, "strings_to_formulas": False}) as book:
        formats = {
            "money": "#,##0.00",
            "share": "0.0%",
            "day": "yyyy-mm-dd",
            "at": "yyyy-mm-dd hh:mm:ss",
        }
        made = {name: book.add_format({"num_format": code}) for name, code in formats.items()}
        sheet = book.add_worksheet("Payments")
        sheet.write_row(0, 0, NAMES.split(", "))
        with _cursor(url, query) as rows:
            for number, row in enumerate(rows, start=1):
                sheet.write_number(number, 0, row[0])
                for place in (1, 2, 3):
                    sheet.write_string(number, place, row[place] or "")
                for place in (4, 5):
                    sheet.write_number(number, place, row[place] / 100, made["money"])
                sheet.write_number(number, 6, float(row[6]), made["share"])
                day, at = _dates(row)
                sheet.write_datetime(number, 7, day, made["day"])
                sheet.write_datetime(number, 8, at, made["at"])
                sheet.write_boolean(number, 9, bool(row[9]))


def polars_excel(url: str, query: str, file: str) -> None:
    """A frame over ADBC and `write_excel`."""
    frame = _polars(url, query)
    import polars as pl

    zoned = [name for name, kind in frame.schema.items() if getattr(kind, "time_zone", None)]
    frame.with_columns(pl.col(zoned).dt.replace_time_zone(None)).write_excel(file)


def polars_csv(url: str, query: str, file: str) -> None:
    """A frame over ADBC and `write_csv`."""
    _polars(url, query).write_csv(file)


def pyarrow_csv(url: str, query: str, file: str) -> None:
    """ADBC's batches into Arrow's own writer of CSV."""
    from pyarrow import csv

    with _reader(url, query) as reader, csv.CSVWriter(file, reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)


def pyarrow_parquet(url: str, query: str, file: str) -> None:
    """ADBC's batches into Parquet."""
    from pyarrow import parquet

    with (
        _reader(url, query) as reader,
        parquet.ParquetWriter(file, reader.schema, compression="zstd") as writer,
    ):
        for batch in reader:
            writer.write_batch(batch)


PEERS: Mapping[str, Callable[[str, str, str], None]] = {
    "pandas to_csv": pandas_csv,
    "polars write_csv": polars_csv,
    "pyarrow csv": pyarrow_csv,
    "pyarrow parquet": pyarrow_parquet,
    "pandas to_excel": pandas_excel,
    "openpyxl write-only": openpyxl_write_only,
    "XlsxWriter constant-memory": xlsxwriter_constant_memory,
    "polars write_excel": polars_excel,
}
SUFFIXES: Mapping[str, str] = {
    name: ".parquet" if "parquet" in name else ".csv" if "csv" in name else ".xlsx"
    for name in PEERS
}


def _frame(url: str, query: str) -> Any:
    import pandas as pd

    if url.startswith("sqlite"):
        import sqlite3

        with closing(sqlite3.connect(_file(url))) as connection:
            return pd.read_sql(query, connection)
    from sqlalchemy import create_engine

    with create_engine(url.replace("postgresql:", "postgresql+psycopg:")).connect() as connection:
        return pd.read_sql(query, connection)


def _polars(url: str, query: str) -> Any:
    import polars as pl

    return pl.read_database_uri(query, url, engine="adbc")


@contextmanager
def _reader(url: str, query: str) -> Iterator[Any]:
    """ADBC's stream of batches."""
    import adbc_driver_postgresql.dbapi
    import adbc_driver_sqlite.dbapi

    if url.startswith("sqlite"):
        connect, where = adbc_driver_sqlite.dbapi.connect, _file(url)
    else:
        connect, where = adbc_driver_postgresql.dbapi.connect, url
        # The driver knows no NUMERIC, and Arrow's writers do not know what it makes of one.
        query = query.replace(" share,", " share::float8 AS share,")
    with connect(where) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        yield cursor.fetch_record_batch()


@contextmanager
def _cursor(url: str, query: str) -> Iterator[Any]:
    """Rows one by one: SQLite's cursor, or a server's."""
    if url.startswith("sqlite"):
        import sqlite3

        with closing(sqlite3.connect(_file(url))) as connection:
            yield connection.execute(query)
        return
    import psycopg

    with psycopg.connect(url) as server, server.cursor("payments") as cursor:
        cursor.itersize = 5_000
        cursor.execute(query.encode())
        yield cursor


def _dates(row: Any) -> tuple[Any, Any]:
    from datetime import date, datetime

    day, at = row[7], row[8]
    if isinstance(day, str):
        day, at = date.fromisoformat(day), datetime.fromisoformat(at)
    return day, at.replace(tzinfo=None)


def _plain(row: Any) -> list[Any]:
    day, at = _dates(row)
    return [*row[:4], row[4] / 100, row[5] / 100, float(row[6]), day, at, bool(row[9])]


def _file(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


if __name__ == "__main__":
    name, url, rows, file = sys.argv[1:]
    PEERS[name](url, query_of(int(rows)), str(Path(file)))
