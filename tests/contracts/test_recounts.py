"""Recounts: what is read from a file's bytes is what its rows were, whatever stands in them."""

import zipfile
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from engine.exporters.batches import Batches, batches_of
from engine.exporters.document import Column, Document, Kind, Row, Table
from engine.exporters.formats import EXPORTERS
from engine.exporters.recount.figures import Figures, Sum
from engine.exporters.recount.layout import layout_of
from engine.exporters.recount.recount import Unreadable
from engine.exporters.recount.recounts import RECOUNTS
from engine.exporters.xlsx.exporter import XlsxExporter
from engine.exporters.xlsx.table_sheets import Limits
from tests.builders.document import AT, MADE_AT

NUMBER = Column(name="number", title="Number", kind=Kind.INTEGER)
SEEN = Column(name="seen", title="Times seen", kind=Kind.INTEGER, total=True)
NAME = Column(name="name", title="Name, or names")
CODE = Column(name="code", title="Currency")
AMOUNT = Column(name="amount", title="Amount", kind=Kind.MONEY, currency_column="code")
FEE = Column(name="fee", title="Fee", kind=Kind.MONEY, currency="KWD")
DAY = Column(name="day", title="Day", kind=Kind.DATE)
PAID = Column(name="paid", title="Paid", kind=Kind.BOOLEAN)
SHARE = Column(name="share", title="Share", kind=Kind.PERCENT)
COLUMNS = [NUMBER, NAME, CODE, AMOUNT, FEE, SEEN, SHARE, AT, DAY, PAID]
ADDED = [*RECOUNTS.keys() - {"html"}]

WHOLE = st.one_of(
    st.none(),
    st.integers(-(10**6), 10**6),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(0, 18).map(lambda power: 10**power),
)
TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(['<c r="D2"><v>7</v></c>', "</row>", "a\r\nb", '"', "_x000D_", "=1+1", "<tr>"]),
)
ROWS = st.lists(
    st.tuples(
        st.integers(0, 10**9),
        TEXTS,
        st.one_of(st.none(), st.sampled_from(["SAR", "KWD", "JPY", "EURO"])),
        WHOLE,
        WHOLE,
        WHOLE,
        st.one_of(st.none(), st.decimals(-10, 10, places=4)),
        st.one_of(st.none(), st.just(MADE_AT)),
        st.one_of(st.none(), st.dates(date(1900, 1, 1))),
        st.one_of(st.none(), st.booleans()),
    ),
    max_size=12,
)


def truth(rows: Sequence[Any]) -> Figures:
    """What the rows are, added up by hand."""
    sums: Counter[Sum] = Counter()
    for row in rows:
        sums[Sum("amount", str(row[2] or ""))] += int(row[3] or 0)
        sums[Sum("fee", "KWD")] += int(row[4] or 0)
        sums[Sum("seen")] += int(row[5] or 0)
    return Figures(rows=len(rows), sums=of_note(sums))


def of_note(sums: Any) -> dict[Sum, int]:
    return {name: total for name, total in (sums or {}).items() if total}


def recounted(format_name: str, document: Document, folder: Path) -> Sequence[Figures]:
    file = folder / "file"
    with file.open("wb") as target:
        EXPORTERS[format_name].write(document, target)
    layouts = [layout_of(table) for table in document.tables]
    return RECOUNTS[format_name].count(file, layouts)


def a_table(rows: Any, name: str = "Things", totals: Sequence[Row] = ()) -> Table:
    return Table(name=name.lower(), title=name, columns=COLUMNS, rows=rows, totals=totals)


def a_document(*tables: Table, **others: Any) -> Document:
    return Document(title="Of things", made_at=MADE_AT, tables=tables, **others)


def in_batches(rows: Sequence[Row]) -> Batches:
    batches = [*batches_of(a_table(rows))]
    return Batches(lambda: batches)


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("format_name", [*RECOUNTS])
@settings(
    deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=ROWS, said=st.sampled_from([("en", "latin"), ("ar", "latin"), ("ar", "arabic")]))
def test_a_file_holds_what_was_written(
    tmp_path: Path, format_name: str, batched: bool, rows: Sequence[Row], said: Any
) -> None:
    table = a_table(in_batches(rows) if batched else rows)
    (found,) = recounted(format_name, a_document(table, language=said[0], digits=said[1]), tmp_path)
    expected = truth(rows)
    assert found.rows == expected.rows
    if format_name in ADDED:
        assert of_note(found.sums) == expected.sums
    else:
        assert found.sums is None


A_ROW: Row = (1, "Aisha", "SAR", 12345, 250, 3, Decimal("0.5"), MADE_AT, date(2026, 1, 5), True)


@pytest.mark.parametrize("format_name", [*RECOUNTS])
def test_a_row_that_is_longer_than_any_block_is_one_row(tmp_path: Path, format_name: str) -> None:
    rows = [A_ROW, (2, "x\n" * 400_000, "SAR", 1, 1, 1, None, None, None, None), A_ROW]
    if format_name == "xlsx":
        rows[1] = (2, "x" * 32_000, *rows[1][2:])
    (found,) = recounted(format_name, a_document(a_table(rows)), tmp_path)
    assert found.rows == 3
    assert format_name not in ADDED or of_note(found.sums) == truth(rows).sums


@pytest.mark.parametrize("format_name", [*RECOUNTS])
def test_rows_over_many_blocks_are_all_counted(tmp_path: Path, format_name: str) -> None:
    rows = [
        (number, f"N{number}", "JPY", number, 7, 1, None, MADE_AT, None, None)
        for number in range(30_000)
    ]
    (found,) = recounted(format_name, a_document(a_table(in_batches(rows))), tmp_path)
    assert found.rows == len(rows)
    assert format_name not in ADDED or of_note(found.sums) == truth(rows).sums


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("format_name", [*RECOUNTS])
def test_rows_of_empty_cells_are_rows(tmp_path: Path, format_name: str, batched: bool) -> None:
    rows: list[Row] = [[None] * len(COLUMNS), A_ROW, [None] * len(COLUMNS)]
    if batched:
        rows *= 1_000
    (found,) = recounted(
        format_name, a_document(a_table(in_batches(rows) if batched else rows)), tmp_path
    )
    assert found.rows == len(rows)


@pytest.mark.parametrize("format_name", [*RECOUNTS])
def test_totals_below_the_rows_are_no_rows(tmp_path: Path, format_name: str) -> None:
    totals = [(None, None, "SAR", 24690, None, 6, None, None, None, None)]
    rows = [A_ROW, A_ROW]
    (found,) = recounted(format_name, a_document(a_table(rows, totals=totals)), tmp_path)
    assert found.rows == 2
    assert format_name not in ADDED or of_note(found.sums) == truth(rows).sums


@pytest.mark.parametrize("off", [0, 1])
def test_totals_of_a_sheet_are_what_its_rows_add_up_to(tmp_path: Path, off: int) -> None:
    sold = replace(AMOUNT, total=True)
    rows = [("SAR", 500), ("KWD", 7), ("SAR", 10)]
    totals = [("KWD", 7 + off), ("SAR", 510)]
    table = Table(name="t", title="T", columns=[CODE, sold], rows=rows, totals=totals)
    if off:
        with pytest.raises(Unreadable, match="the total amount KWD is not what they add up to"):
            recounted("xlsx", a_document(table), tmp_path)
        return
    (found,) = recounted("xlsx", a_document(table), tmp_path)
    assert found.rows == 3


@pytest.mark.parametrize("format_name", ["xlsx", "html"])
def test_each_table_of_a_file_is_counted_by_itself(tmp_path: Path, format_name: str) -> None:
    names = Table(name="names", title="Names", columns=[NAME], rows=[("a",), ("b",)])
    summary = Table(name="few", title="Few", columns=[NAME, SEEN], rows=[("a", 1)])
    document = a_document(
        a_table([A_ROW] * 3), a_table([A_ROW] * 5, "Others"), names, summaries=[summary]
    )
    found = recounted(format_name, document, tmp_path)
    assert [each.rows for each in found] == [3, 5, 2]


def test_a_summary_that_looks_like_the_table_is_none(tmp_path: Path) -> None:
    few = Table(name="few", title="Few", columns=[NAME, SEEN], rows=[("a", 1), ("b", 2)])
    summary = replace(few, name="summary", rows=[("a", 9)])
    (found,) = recounted("xlsx", a_document(few, summaries=[summary]), tmp_path)
    assert (found.rows, found.sums) == (2, {Sum("seen"): 3})


def test_tables_of_the_same_title_are_told_apart(tmp_path: Path) -> None:
    same = [a_table([A_ROW] * rows) for rows in (3, 0, 5)]
    tables = [replace(table, name=f"t{place}") for place, table in enumerate(same)]
    found = recounted("xlsx", a_document(*tables), tmp_path)
    assert [each.rows for each in found] == [3, 0, 5]


@pytest.mark.parametrize("few", [3, 1_000])
def test_a_table_that_goes_on_over_several_sheets_is_one(tmp_path: Path, few: int) -> None:
    file = tmp_path / "file.xlsx"
    document = a_document(a_table([A_ROW] * 25), a_table([A_ROW] * 5, "Others"))
    with file.open("wb") as target:
        XlsxExporter(limits=Limits(rows_per_sheet=10, few_rows=few)).write(document, target)
    found = RECOUNTS["xlsx"].count(file, [layout_of(table) for table in document.tables])
    assert [each.rows for each in found] == [25, 5]
    assert of_note(found[0].sums) == truth([A_ROW] * 25).sums


def test_workbooks_of_other_writers_are_read(tmp_path: Path) -> None:
    file = tmp_path / "file.xlsx"
    book = Workbook()
    sheet = book.active
    sheet.append(["Something else"])
    sheet.append([column.title for column in COLUMNS])
    for _ in range(3):  # texts shared, numbers as floats are written
        sheet.append([1, "Aisha", "SAR", 123.45, 0.25, 3, 0.5, "2026-01-05", None, True])
    sheet.append(
        [2, "Badr", "KWD", "1,234,567,890,123,456.789", None, 1e16, None, None, None, None]
    )
    book.save(file)
    (found,) = RECOUNTS["xlsx"].count(file, [layout_of(a_table([]))])
    assert found.rows == 4
    assert of_note(found.sums) == {
        Sum("amount", "SAR"): 37_035,
        Sum("amount", "KWD"): 1_234_567_890_123_456_789,
        Sum("fee", "KWD"): 750,
        Sum("seen"): 10**16 + 9,
    }


@pytest.mark.parametrize("unnamed", [False, True])
def test_cells_are_read_however_their_tags_look(tmp_path: Path, unnamed: bool) -> None:
    file = tmp_path / "file.xlsx"
    layout = layout_of(Table(name="t", title="T", columns=[CODE, AMOUNT], rows=()))
    header = '<row><c t="inlineStr"><is><t>Currency</t></is></c><c t="str"><v>Amount</v></c></row>'
    data = (
        f'{header}<row ht="15"><c t="inlineStr"><is><t xml:space="preserve">SAR</t></is></c>'
        '<c s="1" t="n"><v>1.5</v></c></row><row/>'
        '<row><c t="inlineStr"><is><r><t>SA</t></r><r><t>R</t></r></is></c><c><v>-2</v></c></row>'
        "<row><c s='3'/><c s='3'/></row><row><c/><c/></row><row><c/><c><v>0</v></c></row>"
    )
    if not unnamed:
        parts = data.split("<c")
        data = parts[0] + "".join(
            f'<c r="{"AB"[place % 2]}{place // 2 + 1}"{part}'
            for place, part in enumerate(parts[1:])
        )
    a_workbook(file, f"<worksheet><sheetData>{data}</sheetData></worksheet>")
    (found,) = RECOUNTS["xlsx"].count(file, [layout])
    assert found.rows == 6
    assert of_note(found.sums) == {Sum("amount", "SAR"): -50}


def a_workbook(file: Path, sheet: str) -> None:
    """The smallest one with that sheet."""
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(
            "xl/workbook.xml",
            f'<w:workbook xmlns:w="x" xmlns:r="{relations}"><w:sheets>'
            '<w:sheet name="T" r:id="a"/></w:sheets></w:workbook>',
        )
        packed.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships><Relationship Id="a" Type="{relations}/worksheet" '
            'Target="worksheets/one.xml"/></Relationships>',
        )
        packed.writestr("xl/worksheets/one.xml", sheet)


def written(format_name: str, folder: Path) -> tuple[Path, Document]:
    """A file of a hundred rows that do not repeat themselves."""
    rows = [
        (n, f"N{n * n}", "SAR", n * 7919, n * 31, n % 7, None, None, None, n % 3 == 0)
        for n in range(100)
    ]
    document = a_document(a_table(rows))
    file = folder / "file"
    with file.open("wb") as target:
        EXPORTERS[format_name].write(document, target)
    return file, document


@pytest.mark.parametrize("format_name", [*RECOUNTS])
def test_a_file_that_is_cut_off_is_never_as_it_was(tmp_path: Path, format_name: str) -> None:
    file, document = written(format_name, tmp_path)
    data = file.read_bytes()
    layouts = [layout_of(table) for table in document.tables]
    (whole,) = RECOUNTS[format_name].count(file, layouts)
    for length in range(0, len(data) - 60, max(1, len(data) // 37)):
        file.write_bytes(data[:length])
        try:
            found = RECOUNTS[format_name].count(file, layouts)
        except Unreadable:
            continue
        assert found[0].rows < whole.rows or found[0].sums != whole.sums


@pytest.mark.parametrize("format_name", ["xlsx", "parquet"])
def test_no_byte_of_a_packed_table_can_change_unseen(tmp_path: Path, format_name: str) -> None:
    file, document = written(format_name, tmp_path)
    data = file.read_bytes()
    layouts = [layout_of(table) for table in document.tables]
    whole = RECOUNTS[format_name].count(file, layouts)
    for place in range(0, len(data), max(1, len(data) // 101)):
        file.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with suppress(Unreadable):
            assert RECOUNTS[format_name].count(file, layouts) == whole


@pytest.mark.parametrize("format_name", [*RECOUNTS])
@pytest.mark.parametrize("data", [b"", b"\0" * 100, b"PK\3\4", b"{", b"number,name\r\n1,2,3\r\n"])
def test_what_is_no_such_file_is_said_to_be_none(
    tmp_path: Path, format_name: str, data: bytes
) -> None:
    file = tmp_path / "file"
    file.write_bytes(data)
    if format_name == "jsonl" and not data:
        return  # a table without rows
    with pytest.raises(Unreadable, match=r"cannot be read again: .+"):
        RECOUNTS[format_name].count(file, [layout_of(a_table([]))])
