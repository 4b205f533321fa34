"""How workbooks look and what they say of themselves: totals, links, languages, properties."""

import io
import re
from dataclasses import replace
from typing import Any
from zipfile import ZipFile

import openpyxl
import pytest

from engine.exporters.document import Bar, BarChart, Column, Document, Kind, Table
from engine.exporters.xlsx import table_sheets
from engine.exporters.xlsx.exporter import XlsxExporter
from engine.exporters.xlsx.table_sheets import Limits
from tests.builders.document import AMOUNT, COUNT, CURRENCY, NAME, a_document, a_table

FEW, MANY = Limits(), Limits(few_rows=2)
LINKED = replace(NAME, link="https://example.org/{}?a=b")
TOTALS = [("KWD", 5), ("SAR", -150)]


def written(document: Document, limits: Limits = FEW) -> bytes:
    target = io.BytesIO()
    XlsxExporter(limits=limits).write(document, target)
    return target.getvalue()


def book_of(document: Document, limits: Limits = FEW) -> Any:
    return openpyxl.load_workbook(io.BytesIO(written(document, limits)))


def with_totals(rows: int) -> Document:
    table = a_table([CURRENCY, AMOUNT], [("SAR", number) for number in range(rows)])
    return replace(a_document(), tables=[replace(table, totals=TOTALS)])


@pytest.mark.parametrize("limits", [FEW, MANY])
def test_totals_stand_below_the_rows_outside_of_the_filter(limits: Limits) -> None:
    sheet = book_of(with_totals(5), limits)["People"]
    assert [[cell.value for cell in row] for row in sheet["A6:B9"]] == [
        ["SAR", 0.04],
        [None, None],
        ["KWD", 0.005],
        ["SAR", -1.5],
    ]
    assert sheet.auto_filter.ref == "A1:B6"
    assert sheet.dimensions == "A1:B9"
    assert sheet["B8"].font.b
    assert sheet["B8"].number_format == "#,##0.000;[Red]-#,##0.000"
    assert (sheet["A8"].border.top.style, sheet["A9"].border.top.style) == ("thin", None)


def test_totals_that_find_no_room_stand_on_a_further_sheet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(table_sheets, "MOST_ROWS", 8)
    book = book_of(with_totals(5), MANY)
    assert book.sheetnames == ["People", "People (2)"]
    assert [row[0].value for row in book["People (2)"]["A1:B5"]] == [
        "Currency",
        None,
        "KWD",
        "SAR",
        None,
    ]


@pytest.mark.parametrize("limits", [FEW, MANY])
def test_a_hidden_column_is_there_and_not_shown(limits: Limits) -> None:
    columns = [NAME, replace(COUNT, hidden=True)]
    sheet = book_of(a_document(columns, [("Aisha", 1)] * 5), limits)["People"]
    assert (sheet["B1"].value, sheet["B6"].value) == ("Count", 1)
    assert sheet.column_dimensions["B"].hidden
    assert not sheet.column_dimensions["A"].hidden


def test_a_link_leads_to_the_address_of_its_cell() -> None:
    rows = [("a b&c/=1", 1), (None, 2), ("محفظة", 3)]
    sheet = book_of(a_document([LINKED, COUNT], rows))["People"]
    assert sheet["A2"].value == "a b&c/=1"
    assert sheet["A2"].hyperlink.target == "https://example.org/a%20b%26c%2F%3D1?a=b"
    assert sheet["A3"].hyperlink is None
    assert sheet["A4"].hyperlink.target.startswith("https://example.org/%D9%85")


def test_a_number_that_is_a_link_stays_a_number() -> None:
    linked = replace(COUNT, link="https://example.org/{}")
    cell = book_of(a_document([linked], [[1_234]]))["People"]["A2"]
    assert (cell.value, cell.number_format) == (1_234, "#,##0")
    assert cell.hyperlink.target == "https://example.org/1234"


def test_a_sheet_of_many_rows_says_that_it_has_no_more_links() -> None:
    rows = [(f"person {number}", number) for number in range(5)]
    sheet = book_of(a_document([LINKED, COUNT], rows), MANY)["People"]
    (said,) = sheet.data_validations.dataValidation
    assert (str(said.sqref), said.prompt) == ("A1", "Rows after the first 2 have no links.")
    assert [bool(sheet.cell(row, 1).hyperlink) for row in range(2, 7)] == [True] * 2 + [False] * 3


@pytest.mark.parametrize("limits", [FEW, MANY])
def test_an_arabic_document_has_sheets_from_right_to_left(limits: Limits) -> None:
    rows = [("محفظة", 1)] * 5
    chart = BarChart(title="المبيعات", bars=[Bar(label="النور", value=1)])
    document = replace(
        a_document(rows=rows, title="التقرير"),
        language="ar",
        charts=[chart],
        confidentiality="سري",
    )
    book = book_of(document, limits)
    assert book.sheetnames == ["الملخص", "People"]
    assert all(sheet.sheet_view.rightToLeft for sheet in book)
    sheet = book["People"]
    assert (sheet["A1"].alignment.horizontal, sheet["A2"].alignment.horizontal) == ("right",) * 2
    assert sheet["B2"].alignment.readingOrder == 1  # a number is read from the left
    assert sheet.oddFooter.left.text == "&P / &N"  # in order whichever way it is read
    assert (sheet.oddFooter.center.text, sheet.oddFooter.right.text) == ("سري", "&A")


def test_digits_can_be_arabic() -> None:
    document = replace(a_document([COUNT], [[7]]), language="ar", digits="arabic")
    assert book_of(document)["People"]["A2"].number_format == "[$-2000401]#,##0"


def test_the_documents_properties_are_the_workbooks() -> None:
    document = replace(
        a_document(title="Sales & more"),
        confidentiality="Internal",
        keywords=("sales", "daily"),
        properties={"sha256": "a" * 64, "parameters": "p" * 300},
    )
    book = book_of(document)
    assert (book.properties.title, book.properties.category) == ("Sales & more", "Internal")
    assert {each.name: each.value for each in book.custom_doc_props} == {
        "sha256": "a" * 64,
        "parameters": "p" * 255,
        "parameters (2)": "p" * 45,
    }


def test_the_same_document_is_the_same_bytes() -> None:
    document = with_totals(5)
    assert written(document, MANY) == written(document, MANY)


def test_a_note_of_a_table_is_said_on_the_summary() -> None:
    table = Table(name="t", title="Sales", columns=[NAME], rows=[["Aisha"]], note="Only Aisha.")
    book = book_of(replace(a_document(), tables=[table]))
    said = [row[0] for row in book["Summary"].iter_rows(values_only=True) if row[0]]
    assert said == ["People", "Sales", "Only Aisha."]


def test_no_cell_of_a_workbook_is_a_formula() -> None:
    text = Column(name="text", title="=Title", kind=Kind.TEXT)
    document = replace(
        a_document([text], [["=1+1"]] * 5, title="=Document"),
        subtitle="=Subtitle",
        charts=[BarChart(title="=Chart", bars=[Bar(label="=bar", value=1)])],
    )
    with ZipFile(io.BytesIO(written(document, MANY))) as parts:
        sheets = [parts.read(name).decode() for name in parts.namelist() if "sheets/" in name]
    assert not any(re.search("<f[ >]", sheet) for sheet in sheets)
