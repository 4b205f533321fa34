"""XlsxWriter's rows and ours: the same table comes out as the same cells either way."""

import io
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from openpyxl.utils.escape import unescape

from engine.exporters.batches import Batches, batches_of
from engine.exporters.document import Column, Document, Kind, Row, Table
from engine.exporters.xlsx.exporter import XlsxExporter
from engine.exporters.xlsx.table_sheets import Limits
from tests.builders.document import MADE_AT, a_table

COLUMNS = (
    Column(name="text", title="Text"),
    Column(name="count", title="Count", kind=Kind.INTEGER),
    Column(name="currency", title="Currency"),
    Column(name="amount", title="Amount", kind=Kind.MONEY, currency_column="currency"),
    Column(name="fee", title="Fee", kind=Kind.MONEY, currency="KWD"),
    Column(name="share", title="Share", kind=Kind.PERCENT),
    Column(name="day", title="Day", kind=Kind.DATE),
    Column(name="at", title="At", kind=Kind.DATETIME),
    Column(name="open", title="Open", kind=Kind.BOOLEAN),
    Column(name="secret", title="Secret", hidden=True),
)
NASTY = (
    "=cmd|' /C calc'!A0",
    "+1",
    "-5",
    "@x",
    "\t=1",
    "\r=1",
    "two\nlines and a\ttab",
    " spaces ",
    "\u00a0no break",
    "emoji \U0001f3e6 and \u0645\u062d\u0641\u0638\u0629",
    "nul \x00 bell \x07 unit \x1f delete \x7f",
    "none \ufffe \uffff",
    "_x000D_",
    "_x0041_x0042_x0043_",
    "_X000D_ _x00G0_ _x_",
    "<b>&amp;</b> ]]>",
    "<r><t>A</t></r>",
    "<r><t>_x0041_x0042_</t></r>",
    "",
    "SA0380000000608010167519",
    "00012345678901234567890",
    "TRUE",
    "1E5",
    "2026-11-24",
    "#N/A",
    "x" * 32_767,
    "y" * 32_768,
    "\U0001f3e6" * 16_384,
    "https://example.org/",
)
NUMBERS = (0, 1, -1, 10**15 - 1, 10**15, 10**15 + 1, -(10**17), 123_456_789_012_345_678, -(2**63))
DAYS = (
    date(2026, 11, 24),
    date(1900, 1, 1),
    date(1900, 2, 28),
    date(1900, 3, 1),
    date(1899, 12, 31),
    date(1850, 6, 1),
    date(9999, 12, 31),
)
INSTANTS = (
    datetime(2026, 11, 24, 6, 30, 15, tzinfo=UTC),
    datetime(2026, 3, 29, 0, 59, 59, 250_000, tzinfo=UTC),  # the clocks go forward in Europe
    datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
    datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
    datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    datetime(1900, 1, 31, tzinfo=UTC),
    datetime(1880, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 30, 23, 59, 59, tzinfo=UTC),
)


def rows() -> Iterator[Row]:
    for number in range(60):
        yield (
            NASTY[number] if number < len(NASTY) else f"plain {number}",
            NUMBERS[number % len(NUMBERS)],
            ("SAR", "KWD", "JPY", None, "XYZ")[number % 5],
            NUMBERS[(number * 7) % len(NUMBERS)],
            number * 1_001,
            Decimal(number - 30) / 8,
            DAYS[number % len(DAYS)],
            INSTANTS[number % len(INSTANTS)] - timedelta(hours=number // 8),
            number % 3 == 0,
            f"hidden {number}",
        )
    yield (None,) * len(COLUMNS)
    yield ("after nothing", *(None,) * (len(COLUMNS) - 1))


def a_document(table: Table, **facts: Any) -> Document:
    return Document(
        title="Cells", made_at=MADE_AT, tables=[table], **{"timezone": "Europe/Berlin", **facts}
    )


def both(document: Document, few: int, rows_per_sheet: int = 1_000) -> tuple[Any, Any]:
    """The workbook as XlsxWriter writes it, and as we do beyond the first few rows."""
    books = []
    for rows_at_once in (10**9, few):
        target = io.BytesIO()
        limits = Limits(rows_per_sheet=rows_per_sheet, few_rows=rows_at_once)
        assert XlsxExporter(limits=limits).write(document, target) == 62
        books.append(openpyxl.load_workbook(io.BytesIO(target.getvalue())))
    return books[0], books[1]


def cells(sheet: Any) -> Sequence[Sequence[Any]]:
    return [
        [
            (
                cell.coordinate,
                unescape(cell.value) if isinstance(cell.value, str) else cell.value,
                cell.data_type,
                cell.number_format,
                cell.alignment.horizontal,
                cell.font.b,
                cell.fill.fgColor.rgb,
            )
            for cell in row
        ]
        for row in sheet.iter_rows()
    ]


@pytest.fixture(params=["batches", "rows"])
def table(request: pytest.FixtureRequest) -> Table:
    table = a_table(COLUMNS, [*rows()])
    if request.param == "rows":
        return table
    batches = [*batches_of(table)]
    # Slices, whose buffers begin elsewhere than their rows.
    parts = [each.slice(at, 17) for each in batches for at in range(0, each.num_rows, 17)]
    return a_table(COLUMNS, Batches(lambda: parts))


@pytest.mark.parametrize("few", [0, 5, 17, 40])
def test_each_cell_is_the_same(table: Table, few: int) -> None:
    slow, fast = both(a_document(table), few)
    assert fast.sheetnames == slow.sheetnames == ["People", "Long texts"]
    for one, other in zip(slow, fast, strict=True):
        assert cells(other) == cells(one)
        assert other.dimensions == one.dimensions
        assert other.auto_filter.ref == one.auto_filter.ref
        assert other.freeze_panes == one.freeze_panes
        for letter in "BDE":  # texts are measured in the first rows only
            assert other.column_dimensions[letter].width == one.column_dimensions[letter].width
    assert fast["People"].column_dimensions["J"].hidden


def test_each_cell_is_the_same_over_further_sheets_and_from_right_to_left(table: Table) -> None:
    document = a_document(table, language="ar", digits="arabic", timezone="Asia/Riyadh")
    slow, fast = both(document, 7, rows_per_sheet=25)
    assert (
        fast.sheetnames == slow.sheetnames == ["People", "People (2)", "نصوص طويلة", "People (3)"]
    )
    for one, other in zip(slow, fast, strict=True):
        assert cells(other) == cells(one)
        assert other.sheet_view.rightToLeft


def test_what_is_read_back_is_what_was_written(table: Table) -> None:
    _, fast = both(a_document(table), 0)
    sheet = fast["People"]
    read = [unescape(sheet.cell(2 + at, 1).value or "") for at in range(len(NASTY))]
    for text, found in zip(NASTY, read, strict=True):
        if len(text.encode("utf-16-le")) <= 2 * 32_767:
            assert found == text
    assert {sheet.cell(2 + at, 1).data_type for at in range(len(NASTY)) if NASTY[at]} == {"s"}
    assert sheet["H2"].value == datetime(2026, 11, 24, 7, 30, 15)  # noqa: DTZ001 - a cell has no zone
    assert sheet["D2"].number_format == "#,##0.00;[Red]-#,##0.00"
    assert sheet["D3"].value == "123,456,789,012,345.678"
    assert sheet["D8"].number_format == "#,##0.000;[Red]-#,##0.000"
    assert sheet["D9"].number_format == "#,##0;[Red]-#,##0"
    assert [cell.value for cell in sheet[62]] == [None] * len(COLUMNS)
