"""Parquet: types, what the file says about itself, groups of rows, and no end after a failure."""

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.exporters.batches import Batches, batches_of
from engine.exporters.document import Column, Document, Kind, Row, Stream
from engine.exporters.parquet import ParquetExporter
from tests.builders.document import AMOUNT, AT, COUNT, CURRENCY, NAME, SHARE, a_document

FEE = Column(name="fee", title="Fee", kind=Kind.MONEY, currency="KWD")
DAY = Column(name="day", title="Day", kind=Kind.DATE)
SETTLED = Column(name="settled", title="Settled", kind=Kind.BOOLEAN)
NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def file_of(document: Document, **options: Any) -> pq.ParquetFile:
    target = io.BytesIO()
    ParquetExporter(**options).write(document, target)
    return pq.ParquetFile(target)


def test_columns_have_types_and_say_what_they_are() -> None:
    columns = [NAME, COUNT, CURRENCY, AMOUNT, FEE, SHARE, DAY, AT, SETTLED]
    row = ("Aisha", 1, "CLF", 12_345, -5, Decimal("0.125"), date(2026, 1, 5), NOON, True)
    file = file_of(a_document(columns, [row]))
    schema = file.schema_arrow
    assert dict(zip(schema.names, schema.types, strict=True)) == {
        "name": pa.string(),
        "count": pa.int64(),
        "currency": pa.string(),
        "amount": pa.decimal128(23, 4),
        "fee": pa.decimal128(19, 3),
        "share": pa.decimal128(28, 9),
        "day": pa.date32(),
        "at": pa.timestamp("us", "Asia/Riyadh"),
        "settled": pa.bool_(),
    }
    (read,) = file.read().to_pylist()
    assert (read["amount"], read["fee"], read["share"]) == (
        Decimal("1.2345"),
        Decimal("-0.005"),
        Decimal("0.125"),
    )
    assert read["at"] == NOON
    about = schema.field("fee").metadata
    assert (about[b"title"], about[b"kind"], about[b"currency"]) == (b"Fee", b"money", b"KWD")
    assert schema.field("amount").metadata[b"currency_column"] == b"currency"


def test_the_file_says_what_it_is() -> None:
    document = replace(a_document(title="محفظة \ud800"), properties={"run": "R-1", "title": "no"})
    about = file_of(document).schema_arrow.metadata
    assert about[b"title"].decode() == "محفظة \ufffd"
    assert (about[b"run"], about[b"timezone"]) == (b"R-1", b"Asia/Riyadh")
    assert about[b"made_at"] == b"2026-01-05T03:00:00+00:00"


def test_groups_of_rows_are_bounded_by_rows_and_bytes_whatever_the_batches_are() -> None:
    document = a_document([COUNT], [[number] for number in range(1_000)])
    table = document.main
    (batch,) = batches_of(table)
    for batches in ([batch], [batch.slice(at, 7) for at in range(0, 1_000, 7)]):
        rows = Batches(lambda batches=batches: batches)  # type: ignore[misc]
        parted = replace(document, tables=[replace(table, rows=rows)])
        about = file_of(parted, rows_per_group=300).metadata
        sizes = [about.row_group(at).num_rows for at in range(about.num_row_groups)]
        assert sum(sizes) == 1_000
        assert max(sizes) <= 300
        small = file_of(parted, bytes_per_group=800).metadata
        assert small.num_row_groups > 1 if len(batches) > 1 else small.num_row_groups == 1


def test_pages_are_compressed_and_have_checksums() -> None:
    file = file_of(a_document([NAME], [["Aisha"]]))
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"


def test_a_failure_leaves_no_file_that_looks_whole() -> None:
    def rows() -> Iterator[Row]:
        yield from ([number] for number in range(9_999))
        raise ConnectionError("the source went away")

    target = io.BytesIO()
    with pytest.raises(ConnectionError):
        ParquetExporter(rows_per_group=1_000).write(a_document([COUNT], Stream(rows)), target)
    assert not target.closed
    assert target.tell() > 4
    with pytest.raises(pa.ArrowInvalid):
        pq.ParquetFile(io.BytesIO(target.getvalue()))


def test_a_full_disk_is_said_once() -> None:
    class Full(io.BytesIO):
        def write(self, data: Any) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        ParquetExporter().write(a_document([COUNT], [[1]]), Full())
