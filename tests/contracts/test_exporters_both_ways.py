"""Rows one by one and whole batches of them make the same file, with any cell in it."""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from engine.exporters.batches import Batches, batches_of
from engine.exporters.cells import legible
from engine.exporters.document import Column, Document, Kind, Row
from engine.exporters.formats import EXPORTERS
from tests.builders.document import AMOUNT, AT, COUNT, CURRENCY, NAME, SHARE, a_document
from tests.builders.written import TEXT_OF, cells_of, written

FEE = Column(name="fee", title="Fee", kind=Kind.MONEY, currency="KWD")
DAY = Column(name="day", title="Day", kind=Kind.DATE)
SETTLED = Column(name="settled", title="Settled", kind=Kind.BOOLEAN)
COLUMNS = [NAME, COUNT, CURRENCY, AMOUNT, FEE, SHARE, DAY, AT, SETTLED]
NOON = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)
ROWS: Sequence[Row] = [
    ("Aisha", 1, "SAR", 150, -1, Decimal("0.125"), date(2026, 1, 5), NOON, True),
    (None, None, None, None, None, None, None, None, None),
    ("محفظة, \"one\"\r\n", -(2**63), "JPY", -7, 2**63 - 1, Decimal("-0.000000001"),
     date(1, 1, 1), NOON.replace(microsecond=250_000), False),
    ("=cmd()", 2**63 - 1, "KWD", -(2**63), -(2**63), Decimal("9999999999999999999.5"),
     date(9999, 12, 31), datetime(1850, 1, 1, tzinfo=UTC), True),
    ("", 0, "", 5, 0, Decimal("1.0000000005"), date(2024, 2, 29),
     datetime(9999, 12, 30, 23, 59, 59, 999_999, tzinfo=UTC), None),
    ("🏦 \x00 \ud800", 10, "CLF", 12_345, 1_000, Decimal(-3), date(1969, 12, 31),
     datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC), False),
    ("'\uff1dcmd", 10, "CLF", -12_345, 1_000, Decimal("-0.0"), date(1970, 1, 1),
     datetime(1970, 1, 1, tzinfo=UTC), False),
]  # fmt: skip
NASTY = [
    *("=cmd|' /C calc'!A0", "+1", "-5", "@x", "\ttab", "a\tb", "two\nlines", "cr\rlf\r\n", "\r"),
    *('say "hi"', '"', "a,b;c", ",", "🏦 bank", "محفظة الطالب", "x" * 32_767, "nul \x00 end"),
    *("_x000D_", "_x0041_", "<b>&amp;</b>", "<r><t>A</t></r>", " spaced ", "bell \x07", "\ufffe"),
    *("'quoted", "NULL", "\\N", "\\", "true", "00123", "1e5", "SA0380000000608010167519", "\x7f"),
    *("\u2028", "\ufeffmark", "\uff1dcmd()", "-", "=", "#REF!", "{}", "[1]", "\u200f(45.00-)"),
]


def both_ways(document: Document, rows_a_batch: int = 3) -> Iterator[Document]:
    """The document by its rows, by batches, and by batches that begin in the midst of others."""
    table = document.main

    def sliced() -> Iterable[Any]:
        for batch in batches_of(table):
            for start in range(0, batch.num_rows, rows_a_batch):
                yield batch.slice(start, rows_a_batch)

    for rows in (table.rows, Batches(lambda: batches_of(table)), Batches(sliced)):
        yield replace(document, tables=[replace(table, rows=rows)])


def same(name: str, files: Sequence[bytes]) -> None:
    if name in ("csv", "csv-excel", "jsonl", "html"):
        assert len(set(files)) == 1
    elif name == "pdf":
        assert len({TEXT_OF[name](data) for data in files}) == 1
    else:
        cells = [cells_of(name, data) for data in files]
        assert cells[0] == cells[1] == cells[2]


@pytest.fixture(params=[*EXPORTERS])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Riyadh", "Europe/London", "America/St_Johns"])
@pytest.mark.parametrize("language", ["en", "ar"])
def test_cells_of_every_kind_are_the_same_both_ways(name: str, zone: str, language: Any) -> None:
    document = replace(a_document(COLUMNS, ROWS, timezone=zone), language=language)
    same(name, [written(EXPORTERS[name], each) for each in both_ways(document)])


def test_nasty_texts_are_the_same_both_ways_and_stay_what_they_are(name: str) -> None:
    texts = NASTY if name != "pdf" else [text[:40] for text in NASTY if text != "\ufeffmark"]
    document = a_document([COUNT, NAME], list(enumerate(texts)))
    files = [written(EXPORTERS[name], each) for each in both_ways(document)]
    same(name, files)
    if name == "pdf":
        return
    for (_, cell), text in zip(cells_of(name, files[0]), texts, strict=True):
        if name in ("csv", "jsonl", "parquet"):
            assert cell == text
        elif name == "csv-excel":
            assert cell in (legible(text), f"'{legible(text)}")
        elif name == "html":
            assert cell == legible(text)


@pytest.mark.parametrize("place", range(len(COLUMNS)))
def test_a_single_column_is_the_same_both_ways(name: str, place: int) -> None:
    column = COLUMNS[place] if COLUMNS[place] is not AMOUNT else FEE
    rows = [[row[place]] for row in ROWS]
    document = a_document([column], rows)
    same(name, [written(EXPORTERS[name], each) for each in both_ways(document)])


def test_no_row_at_all_makes_the_same_file_both_ways(name: str) -> None:
    same(name, [written(EXPORTERS[name], each) for each in both_ways(a_document(COLUMNS, []))])


@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York", "Australia/Lord_Howe"])
def test_the_hours_at_which_clocks_change_are_the_same_both_ways(zone: str) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [[start + timedelta(minutes=15 * step)] for step in range(35_000)]
    document = a_document([AT], rows, timezone=zone)
    by_rows, by_batches, _ = both_ways(document)
    data = written(EXPORTERS["csv"], by_batches)
    assert data == written(EXPORTERS["csv"], by_rows)
    said = [row[0] for row in cells_of("csv", data)]
    assert said == [row[0].astimezone(ZoneInfo(zone)).isoformat() for row in rows]


@pytest.mark.parametrize("name", ["csv", "csv-excel", "jsonl", "html", "parquet"])
def test_batches_are_not_read_ahead_of_what_is_written(name: str) -> None:
    """At most a group of rows is held, however many there are."""
    (batch,) = batches_of(a_document([COUNT], [[1]] * 2_000).main)
    target, ahead, read = io.BytesIO(), 0, 0

    def counted() -> Iterator[Any]:
        nonlocal ahead, read
        for number in range(150):
            ahead = max(ahead, read if target.tell() <= 32 else 0)
            read = number * batch.num_rows
            yield batch

    exporter = EXPORTERS[name]
    document = a_document([COUNT])
    document = replace(document, tables=[replace(document.main, rows=Batches(counted))])
    assert exporter.write(document, target) == 300_000
    assert ahead <= (65_536 if name == "parquet" else 20_000)


@pytest.mark.parametrize("name", ["csv", "jsonl", "parquet"])
def test_a_database_reads_the_file_back(name: str, tmp_path: Any) -> None:
    exporter = EXPORTERS[name]
    file = tmp_path / f"file{exporter.suffix}"
    file.write_bytes(written(exporter, a_document([COUNT, NAME], list(enumerate(NASTY)))))
    reading = {
        "csv": f"read_csv('{file}', all_varchar = true, header = true, delim = ',', quote = '\"', "
        "escape = '\"', new_line = '\\r\\n', max_line_size = 1000000)",
        "jsonl": f"read_json('{file}', format = 'newline_delimited')",
        "parquet": f"read_parquet('{file}')",
    }[name]
    rows = duckdb.execute(f"SELECT name FROM {reading} ORDER BY CAST(count AS INTEGER)").fetchall()  # noqa: S608
    assert [row[0] for row in rows] == NASTY


def test_a_database_adds_up_what_was_written(tmp_path: Any) -> None:
    rows = [("SAR", 150 * number, number) for number in range(-500, 1_000)]
    document = a_document([CURRENCY, AMOUNT, FEE], rows)
    for name in ("csv", "jsonl", "parquet"):
        file = tmp_path / f"sums{EXPORTERS[name].suffix}"
        file.write_bytes(written(EXPORTERS[name], document))
        amount, fee = ("amount.minor", "fee.minor") if name == "jsonl" else ("amount", "fee")
        (sums,) = duckdb.execute(f"SELECT sum({amount}), sum({fee}) FROM '{file}'").fetchall()  # noqa: S608
        due = [sum(row[1] for row in rows), sum(row[2] for row in rows)]
        scales = (1, 1) if name == "jsonl" else (100, 1000)
        assert [round(Decimal(str(x)) * s, 3) for x, s in zip(sums, scales, strict=True)] == due
