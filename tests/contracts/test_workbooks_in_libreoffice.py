"""LibreOffice opens every workbook and gives back the same cells, whoever wrote its rows."""

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.exporters.batches import Batches, batches_of
from engine.exporters.document import Bar, BarChart, Column, Document, Fact, Kind, Notice
from engine.exporters.xlsx.cells import fits
from engine.exporters.xlsx.exporter import XlsxExporter
from engine.exporters.xlsx.table_sheets import Limits
from engine.money import format_minor
from tests.builders.document import MADE_AT, a_table
from tests.builders.libreoffice import Sheets, sheets_of
from tests.contracts.test_workbook_cells import COLUMNS, rows

ROWS = [*rows()]
TOTALS = [("Total", 7, code, 10**15 + 1, 5, *[None] * 5) for code in ("KWD", "SAR")]
FEW, MANY = Limits(few_rows=10**6), Limits(few_rows=3)
ZONE = "Asia/Riyadh"
_ARABIC = str.maketrans({"\u066a": "%", "\u066b": ".", "\u066c": ","})


def a_workbook(limits: Limits, **facts: Any) -> bytes:
    table = a_table(COLUMNS, ROWS)
    batches = [*batches_of(table)]
    table = replace(table, rows=Batches(lambda: batches), totals=TOTALS)
    document = Document(
        title="محفظة & Co",
        made_at=MADE_AT,
        timezone=ZONE,
        tables=[table],
        confidentiality="Internal & secret",
        properties={"sha256": "a" * 64, "params": "p" * 600},
        notices=[Notice(code="CUT", text="=the file ends midway")],
        facts=[Fact(label="Balance", value=-150, currency="SAR")],
        charts=[BarChart(title="=Chart", bars=[Bar(label="=one", value=1)])],
        **facts,
    )
    target = io.BytesIO()
    assert XlsxExporter(limits=limits).write(document, target) == len(ROWS)
    return target.getvalue()


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sheets]:
    workbooks = {
        "few": a_workbook(FEW),
        "many": a_workbook(MANY),
        "arabic": a_workbook(MANY, language="ar", digits="arabic"),
        "split": a_workbook(Limits(few_rows=3, rows_per_sheet=20)),
    }
    return dict(sheets_of(workbooks, tmp_path_factory.mktemp("libreoffice")))


def value_of(text: str, kind: Kind) -> object:
    """What LibreOffice found in a cell, as a number where it found one."""
    if kind is not Kind.TEXT:
        text = text.translate(_ARABIC)
    if kind is Kind.PERCENT and text:
        return Decimal(text.rstrip("%")) / 100
    if kind in (Kind.INTEGER, Kind.MONEY) and text and "," not in text:
        return Decimal(text)
    return text


def expected(row: Sequence[Any]) -> list[object]:
    currency = row[2] or ""
    return [
        "" if cell is None else _expected(cell, column, column.currency or currency)
        for cell, column in zip(row, COLUMNS, strict=True)
    ]


def _expected(cell: Any, column: Column, currency: str) -> object:
    if column.kind is Kind.MONEY:
        text = format_minor(cell, currency)
        return Decimal(text.replace(",", "")) if fits(cell) else text
    if column.kind is Kind.INTEGER:
        return Decimal(cell)
    if column.kind is Kind.BOOLEAN:
        return str(cell).upper()
    if isinstance(cell, datetime):
        return str(cell.astimezone(ZoneInfo(ZONE)).replace(tzinfo=None, microsecond=0))
    return cell.isoformat() if isinstance(cell, date) else cell


def compare(found: Sequence[Sequence[str]], rows: Sequence[Sequence[Any]]) -> None:
    assert len(found) == len(rows)
    for texts, row in zip(found, rows, strict=True):
        values = [value_of(text, c.kind) for text, c in zip(texts, COLUMNS, strict=True)]
        wanted = expected(row)
        if len(str(row[0] or "").encode("utf-16-le")) > 2 * 32_767:
            values[0] = wanted[0] = "too long for a cell"
        assert values == wanted


@pytest.mark.parametrize("name", ["few", "many", "arabic"])
def test_every_cell_and_every_total_is_the_same(opened: dict[str, Sheets], name: str) -> None:
    header, *found = opened[name]["People"]
    assert header[:5] == ["Text", "Count", "Currency", "Amount", "Fee (KWD)"]
    compare(found[: len(ROWS)], ROWS)
    assert found[len(ROWS)] == [""] * len(COLUMNS)
    compare(found[len(ROWS) + 1 :], TOTALS)


def test_rows_go_on_in_further_sheets(opened: dict[str, Sheets]) -> None:
    sheets = [opened["split"][name] for name in ("People", "People (2)", "People (3)")]
    last = opened["split"]["People (4)"]
    assert len({tuple(sheet[0]) for sheet in [*sheets, last]}) == 1
    compare([row for sheet in sheets for row in sheet[1:]] + [*last[1:3]], ROWS)
    compare(last[4:], TOTALS)


def test_the_summary_says_texts_and_no_formulas(opened: dict[str, Sheets]) -> None:
    said = [[cell for cell in row if cell] for row in opened["many"]["Summary"]]
    assert [line for line in said if line] == [
        ["محفظة & Co"],
        ["CUT", "=the file ends midway"],
        ["Balance", "-1.50 SAR"],
        ["=Chart"],
        ["=one", "1"],
    ]
    assert "الملخص" in opened["arabic"]
