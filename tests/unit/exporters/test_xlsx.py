"""Workbooks: sheets that hold what Excel allows, and cells of the right type."""

import io
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from engine.exporters.document import Column, Document, Fact, Kind, Notice, Row, Stream
from engine.exporters.xlsx.exporter import XlsxExporter
from engine.exporters.xlsx.table_sheets import Limits
from tests.builders.document import AMOUNT, COUNT, CURRENCY, NAME, a_document, a_table


def book_of(document: Document, exporter: XlsxExporter | None = None) -> Any:
    target = io.BytesIO()
    (exporter or XlsxExporter()).write(document, target)
    return openpyxl.load_workbook(io.BytesIO(target.getvalue()))


def numbered(how_many: int) -> Stream:
    return Stream(lambda: ((f"person {n}", n) for n in range(how_many)))


def test_rows_beyond_a_sheet_go_on_in_further_sheets_with_their_header() -> None:
    target = io.BytesIO()
    exporter = XlsxExporter(limits=Limits(rows_per_sheet=4))
    assert exporter.write(a_document(rows=numbered(9)), target) == 9
    book = openpyxl.load_workbook(io.BytesIO(target.getvalue()))
    assert book.sheetnames == ["People", "People (2)", "People (3)"]
    assert [sheet.max_row for sheet in book] == [5, 5, 2]
    assert [sheet["A1"].value for sheet in book] == ["Name"] * 3
    assert [sheet["B2"].value for sheet in book] == [0, 4, 8]
    assert [sheet.auto_filter.ref for sheet in book] == ["A1:B5", "A1:B5", "A1:B2"]


def test_rows_that_fill_a_sheet_exactly_need_no_further_one() -> None:
    book = book_of(a_document(rows=numbered(4)), XlsxExporter(limits=Limits(rows_per_sheet=4)))
    assert book.sheetnames == ["People"]


def test_each_currency_has_a_number_format_of_its_decimals() -> None:
    rows = [("SAR", -123450), ("KWD", 1), ("JPY", 1234)]
    sheet = book_of(a_document([CURRENCY, AMOUNT], rows))["People"]
    assert [(sheet.cell(row, 2).value, sheet.cell(row, 2).number_format) for row in (2, 3, 4)] == [
        (-1234.5, "#,##0.00;[Red]-#,##0.00"),
        (0.001, "#,##0.000;[Red]-#,##0.000"),
        (1234, "#,##0;[Red]-#,##0"),
    ]


def test_numbers_of_more_digits_than_excel_keeps_are_texts() -> None:
    rows = [("SAR", 10**15 - 1), ("SAR", 10**15 + 1), ("SAR", 10**17)]
    sheet = book_of(a_document([CURRENCY, AMOUNT], rows))["People"]
    assert [sheet.cell(row, 2).value for row in (2, 3, 4)] == [
        9_999_999_999_999.99,
        "10,000,000,000,000.01",
        10**15,
    ]
    assert sheet["B3"].alignment.horizontal == "right"
    sheet = book_of(a_document([COUNT], [[2**62]]))["People"]
    assert sheet["A2"].value == str(2**62)


def test_a_currency_of_the_whole_column_stands_in_its_header() -> None:
    paid = Column(name="paid", title="Paid", kind=Kind.MONEY, currency="KWD")
    sheet = book_of(a_document([paid], [[1500]]))["People"]
    assert sheet["A1"].value == "Paid (KWD)"
    assert sheet["A2"].value == 1.5


def test_a_text_too_long_for_a_cell_goes_on_in_a_sheet_of_its_own() -> None:
    for text in ("x" * 70_000, "🏦" * 20_000):
        book = book_of(a_document([NAME], [["short"], [text]]))
        value, parts = book["People"]["A3"].value, book["Long texts"]
        assert len(value.encode("utf-16-le")) // 2 in (32_766, 32_767)
        kept, mark = value.split("… [")
        assert mark == "goes on in sheet Long texts, row 2]"
        rest = [*parts.iter_rows(min_row=2, values_only=True)]
        assert [row[:3] for row in rest] == [
            ("People", "A3", number) for number in range(1, len(rest) + 1)
        ]
        assert kept + "".join(row[3] for row in rest) == text


@pytest.mark.parametrize(
    ("titles", "names"),
    [
        (["a/b:c*d?e[f]g\\h"], ["a b c d e f g h"]),
        (["'quoted'"], ["quoted"]),
        (["History"], ["History sheet"]),
        ([""], ["Sheet"]),
        (["x" * 40, "X" * 40], ["x" * 31, f"{'X' * 27} (2)"]),
        (["محافظ", "محافظ"], ["محافظ", "محافظ (2)"]),
    ],
)
def test_sheets_get_names_that_excel_allows(titles: list[str], names: list[str]) -> None:
    tables = [replace(a_table([NAME], [], name=f"t{n}"), title=t) for n, t in enumerate(titles)]
    assert book_of(replace(a_document(), tables=tables)).sheetnames == names


def test_the_summary_says_notices_before_facts() -> None:
    document = replace(
        a_document(),
        subtitle="All of them",
        notices=[Notice(code="CUT", text="the file ends midway")],
        facts=[Fact(label="Balance", value=-150, currency="SAR"), Fact(label="Rows", value=1234)],
    )
    sheet = book_of(document)["Summary"]
    said = [[cell for cell in row if cell] for row in sheet.iter_rows(values_only=True)]
    assert [line for line in said if line] == [
        ["People"],
        ["All of them"],
        ["CUT", "the file ends midway"],
        ["Balance", "-1.50 SAR"],
        ["Rows", "1,234"],
    ]


@pytest.mark.parametrize("written", [1, 5_000])
def test_a_failed_writing_leaves_no_aside_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def rows() -> Iterator[Row]:
        for number in range(written):
            yield ("Aisha", number)
        assert list(tmp_path.iterdir())
        raise ConnectionError

    with pytest.raises(ConnectionError):
        XlsxExporter().write(a_document(rows=Stream(rows)), io.BytesIO())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rows", [1, 5_000])
def test_a_full_disk_is_reported_as_itself(rows: int) -> None:
    class FullDisk(io.BytesIO):
        def write(self, data: Any) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        XlsxExporter().write(a_document(rows=numbered(rows)), FullDisk())


def test_a_column_is_wide_enough_for_its_largest_number_however_late_it_comes() -> None:
    rows = [("SAR", 1)] * 300 + [("SAR", -123_456_789_012)]
    sheet = book_of(a_document([CURRENCY, AMOUNT], rows))["People"]
    assert sheet.column_dimensions["B"].width >= len("-1,234,567,890.12") + 1
