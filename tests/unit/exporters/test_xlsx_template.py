"""Branded workbooks: a template keeps its looks, and gets the document's rows and words."""

import builtins
import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.styles import Font, PatternFill
from openpyxl.workbook.defined_name import DefinedName
from PIL import Image

from engine.exporters.document import Document, Fact, Row
from engine.exporters.recount.layout import layout_of
from engine.exporters.recount.xlsx import XlsxRecount
from engine.exporters.xlsx.exporter import XlsxExporter
from engine.exporters.xlsx.template import NoPlace, NoTemplate
from engine.exporters.xlsx.template_rows import TooLongText, TooManyRows
from tests.builders.document import AMOUNT, AT, CURRENCY, MADE_AT, NAME, SHARE, a_document

COLUMNS = [NAME, CURRENCY, AMOUNT, SHARE, AT]
ROWS: list[Row] = [
    ("=1+1", "SAR", -123_450, None, MADE_AT),
    ("nul \x00", "KWD", 10**15 + 1, None, None),
]
TOTALS: list[Row] = [("Total", "SAR", -123_450, None, None)]


def a_template(folder: Path, cells: Mapping[str, object] | None = None) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Brand"
    for name, value in (cells or {"A1": "{{title}} of {{ Wallet }}", "A4": "{{people}}"}).items():
        sheet[name] = value
    sheet["A4"].font = Font(bold=True, color="00AA0000")
    sheet["F4"].fill = PatternFill("solid", fgColor="00FFEECC")  # a band beyond the table
    sheet["C5"].fill = PatternFill("solid", fgColor="00FFEECC")
    logo = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(logo, "PNG")
    sheet.add_image(openpyxl.drawing.image.Image(logo), "F1")
    book.save(folder / "brand.xlsx")
    return folder


def a_filled(folder: Path, document: Document) -> Any:
    target = io.BytesIO()
    rows = XlsxExporter(templates=folder).write(document, target)
    assert rows == len([*document.main.rows])
    return openpyxl.load_workbook(io.BytesIO(target.getvalue()))


def branded(rows: list[Row] | None = None, **facts: Any) -> Document:
    document = a_document(COLUMNS, ROWS if rows is None else rows, title="=Sales")
    table = replace(document.main, totals=TOTALS)
    return replace(
        document,
        tables=[table],
        template="brand.xlsx",
        facts=[Fact(label="Wallet", value="W-1")],
        properties={"sha256": "abc"},
        **facts,
    )


def test_rows_and_words_go_where_the_template_says(tmp_path: Path) -> None:
    sheet = a_filled(a_template(tmp_path), branded())["Brand"]
    assert (sheet["A1"].value, sheet["A1"].data_type) == ("=Sales of W-1", "s")
    header = [cell.value for cell in sheet["A4:E4"][0]]
    assert header == ["Name", "Currency", "Amount", "Share", "At (Asia/Riyadh)"]
    assert [cell.data_type for cell in sheet["A5:E5"][0]] == ["s", "s", "n", "n", "d"]
    assert (sheet["A5"].value, sheet["A6"].value) == ("=1+1", "nul _x0000_")
    assert (sheet["C5"].value, sheet["C6"].value) == (-1234.5, "1,000,000,000,000.001")
    assert sheet["C5"].number_format == "#,##0.00;[Red]-#,##0.00"
    assert sheet["E5"].value == MADE_AT.replace(hour=6, tzinfo=None)
    assert [cell.value for cell in sheet["A7:E7"][0]] == [None] * 5
    assert (sheet["A8"].value, sheet["C8"].value, sheet["C8"].font.b) == ("Total", -1234.5, True)


def test_the_template_keeps_its_looks(tmp_path: Path) -> None:
    book = a_filled(a_template(tmp_path), branded(language="ar"))
    sheet = book["Brand"]
    assert sheet["B4"].font.color.rgb == sheet["A4"].font.color.rgb == "00AA0000"
    assert {sheet[f"C{row}"].fill.fgColor.rgb for row in (5, 6, 8)} == {"00FFEECC"}
    assert len(sheet._images) == 1
    assert sheet.sheet_view.rightToLeft
    assert book.custom_doc_props["sha256"].value == "abc"


def test_a_named_cell_is_a_place_as_well(tmp_path: Path) -> None:
    a_template(tmp_path, {"A1": "anything"})
    book = openpyxl.load_workbook(tmp_path / "brand.xlsx")
    book.defined_names["people"] = DefinedName("people", attr_text="Brand!$A$3:$E$3")
    book.save(tmp_path / "brand.xlsx")
    assert a_filled(tmp_path, branded())["Brand"]["A4"].value == "=1+1"


def test_what_was_filled_is_counted_again(tmp_path: Path) -> None:
    path, document = tmp_path / "filled.xlsx", branded()
    with path.open("wb") as target:
        XlsxExporter(templates=a_template(tmp_path)).write(document, target)
    (figures,) = XlsxRecount().count(path, [layout_of(document.main)])
    assert figures.rows == len(ROWS)
    assert figures.sums is not None
    assert {found.currency: minor for found, minor in figures.sums.items()} == {
        "SAR": -123_450,
        "KWD": 10**15 + 1,
    }


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ({"A1": "{{persons}}"}, "no cell says so"),
        ({"A1": "{{people}}", "A3": "{{ people }}"}, "2 cells say so"),
        ({"B1": "{{people}}"}, "its header would not begin in column A"),
        ({"A1": "{{people}}", "A9": "Best regards"}, "A9 of sheet Brand holds something"),
    ],
)
def test_a_template_without_room_for_the_rows_is_refused(
    tmp_path: Path, cells: Mapping[str, object], problem: str
) -> None:
    with pytest.raises(NoPlace, match=problem) as raised:
        a_filled(a_template(tmp_path, cells), branded())
    assert "write {{people}} into the cell of column A" in str(raised.value)


def test_a_table_of_many_rows_is_refused(tmp_path: Path) -> None:
    many: list[Row] = [("x", "SAR", 1, None, None)] * 10_001
    document = replace(branded(many), tables=[a_document([NAME], [["x"]] * 10_001).main])
    with pytest.raises(TooManyRows, match="more than 10,000 rows, too many for the template"):
        a_filled(a_template(tmp_path), document)


def test_a_text_longer_than_a_cell_is_refused_by_its_place(tmp_path: Path) -> None:
    rows: list[Row] = [*ROWS, ("x" * 32_768, "SAR", 1, None, None)]
    with pytest.raises(TooLongText, match="'people', row 3, column 'name'"):
        a_filled(a_template(tmp_path), branded(rows))


def test_a_template_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NoTemplate, match=r"'brand.xlsx' in .*No such file"):
        a_filled(tmp_path, branded())
    (tmp_path / "brand.xlsx").write_text("no workbook")
    with pytest.raises(NoTemplate, match="not a zip file"):
        a_filled(tmp_path, branded())
    with pytest.raises(NoTemplate, match="outside of the folder"):
        a_filled(tmp_path, replace(branded(), template="../brand.xlsx"))


def test_what_the_templates_need_is_said_where_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "openpyxl":
            raise ImportError(name)
        return imported(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(NoTemplate, match="xlsx-templates"):
        XlsxExporter(templates=tmp_path).write(branded(), io.BytesIO())


def test_other_formats_templates_are_none_of_a_workbook(tmp_path: Path) -> None:
    document = replace(branded(), template="page.html")
    assert "People" in a_filled(tmp_path, document).sheetnames
