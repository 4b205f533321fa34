"""What every exporter promises."""

import io
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import openpyxl
import pypdf
import pytest

from engine.exporters.cells import WrongCell, WrongRow
from engine.exporters.document import Column, Document, Kind, Row, Stream
from engine.exporters.exporter import Exporter
from engine.exporters.formats import EXPORTERS
from tests.builders.document import (
    AMOUNT,
    AT,
    COUNT,
    CURRENCY,
    NAME,
    SHARE,
    CountedRow,
    a_document,
    counted_rows,
)


@pytest.fixture(params=[*EXPORTERS])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def exporter(name: str) -> Exporter:
    return EXPORTERS[name]


def written(exporter: Exporter, document: Document) -> bytes:
    target = io.BytesIO()
    exporter.write(document, target)
    assert not target.closed
    return target.getvalue()


def csv_text(data: bytes) -> str:
    return data.decode()


def xlsx_text(data: bytes) -> str:
    book = openpyxl.load_workbook(io.BytesIO(data))
    return "\n".join(
        str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row
    )


def pdf_text(data: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages)


TEXT_OF: Mapping[str, Callable[[bytes], str]] = {
    "csv": csv_text,
    "xlsx": xlsx_text,
    "pdf": pdf_text,
}


def text_of(name: str, document: Document) -> str:
    """What a reader of the file finds, white space aside."""
    return TEXT_OF[name](written(EXPORTERS[name], document))


def test_every_format_can_be_read_back_here() -> None:
    assert set(TEXT_OF) == set(EXPORTERS)


def test_it_has_a_suffix_and_a_media_type_of_its_own(name: str, exporter: Exporter) -> None:
    assert exporter.suffix == f".{name}"
    assert "/" in exporter.media_type


def test_it_writes_a_document_even_without_rows(name: str, exporter: Exporter) -> None:
    target = io.BytesIO()
    assert exporter.write(a_document(rows=[]), target) == 0
    assert "name" in TEXT_OF[name](target.getvalue()).lower()


def test_it_counts_the_rows_it_wrote(exporter: Exporter) -> None:
    rows: list[Row] = [("Aisha", 1), ("Badr", 2), ("Chadi", 3)]
    assert exporter.write(a_document(rows=rows), io.BytesIO()) == 3


def test_a_streaming_exporter_never_holds_more_than_a_few_rows(exporter: Exporter) -> None:
    how_many = 2_000 if exporter.streams else 20
    assert exporter.write(a_document(rows=counted_rows(how_many)), io.BytesIO()) == how_many
    if exporter.streams:
        assert CountedRow.most_alive <= 5


def test_a_document_can_be_written_twice(exporter: Exporter) -> None:
    document = a_document(rows=Stream(lambda: iter([("Aisha", 1)])))
    assert [exporter.write(document, io.BytesIO()) for _ in range(2)] == [1, 1]


def test_nasty_texts_survive_as_texts(name: str) -> None:
    arabic, markup, rich = "محفظة الطالب", "<b>&amp;</b>", "<r><t>A</t></r>"
    shown = text_of(
        name,
        a_document(
            [NAME],
            [
                [arabic],
                [markup],
                [rich],
                ["nul \x00 bell \x07 lone \ud800 end"],
                ["_x0041_ is no A"],
                ["long " + "x" * 40_000],
                ['quoted "word", comma'],
                # The fonts here lack it, and pypdf stumbles over what then stands in its place.
                ["a bank" if name == "pdf" else "🏦 bank"],
                [None],
            ],
            title=f"{arabic} & <i>",
        ),
    )
    for text in (markup, rich, "_x0041_ is no A", "nul � bell � lone � end"):
        assert text in shown
    assert "long" in shown
    assert "x" * 40 in shown
    if name != "pdf":  # a PDF holds glyphs: joined letters read back in their own ways
        assert arabic in shown
        assert "🏦 bank" in shown


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r="])
def test_a_text_that_looks_like_a_formula_stays_a_text(name: str, start: str) -> None:
    data = written(EXPORTERS[name], a_document([NAME], [[f"{start}cmd()"]]))
    if name == "xlsx":
        cell = openpyxl.load_workbook(io.BytesIO(data))["People"]["A2"]
        assert cell.data_type in ("s", "inlineStr")
        assert str(cell.value).endswith("cmd()")
    elif name == "csv":
        assert f"'{start}cmd()" in data.decode()
    else:
        assert "cmd()" in pdf_text(data)


@pytest.mark.parametrize(
    ("minor", "currency", "plain", "shown"),
    [
        (150, "SAR", "1.50", "1.50"),
        (-5, "KWD", "-0.005", "-0.005"),
        (1_234, "JPY", "1234", "1,234"),
        (0, "SAR", "0.00", "0.00"),
        (123_456_789_012_345, "SAR", "1234567890123.45", "1,234,567,890,123.45"),
        (-99_999_999_999_999_999, "SAR", "-999999999999999.99", "-999,999,999,999,999.99"),
        (2**63 + 1, "KWD", "9223372036854775.809", "9,223,372,036,854,775.809"),
    ],
)
def test_money_is_exact(name: str, minor: int, currency: str, plain: str, shown: str) -> None:
    document = a_document([CURRENCY, AMOUNT], [(currency, minor)])
    data = written(EXPORTERS[name], document)
    if name == "csv":
        assert data.decode().splitlines()[1] == f"{currency},{plain}"
    elif name == "pdf":
        assert shown in pdf_text(data)
    else:
        cell = openpyxl.load_workbook(io.BytesIO(data))["People"]["B2"]
        if len(str(abs(minor))) > 15:
            assert cell.value == shown
        else:
            assert Decimal(repr(cell.value)) == Decimal(plain)


def test_instants_are_shown_in_the_zone_of_the_document(name: str) -> None:
    east = timezone(timedelta(hours=9))
    at = datetime(2026, 1, 5, 6, 30, 15, tzinfo=east)  # 00:30:15 in Riyadh
    shown = text_of(name, a_document([AT], [[at]]))
    expected = "2026-01-05T00:30:15+03:00" if name == "csv" else "2026-01-05 00:30:15"
    assert expected in shown
    if name != "csv":
        assert "Asia/" in shown
        assert "Riyadh" in shown


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        (COUNT, 1.0),
        (COUNT, True),
        (COUNT, "1"),
        (Column(name="paid", title="Paid", kind=Kind.MONEY, currency="SAR"), 1.5),
        (Column(name="paid", title="Paid", kind=Kind.MONEY, currency="SAR"), Decimal("1.5")),
        (NAME, 7),
        (SHARE, 0.5),
        (AT, datetime(2026, 1, 5)),  # noqa: DTZ001 - naive on purpose
    ],
)
def test_a_cell_of_the_wrong_type_is_refused_by_its_place(
    exporter: Exporter, column: Column, cell: Any
) -> None:
    with pytest.raises(WrongCell, match=r"table 'people', row 2, column") as raised:
        exporter.write(a_document([column], [[None], [cell]]), io.BytesIO())
    assert raised.value.facts["column"] == column.name


def test_a_row_of_the_wrong_length_is_refused(exporter: Exporter) -> None:
    with pytest.raises(WrongRow, match="row 1: 1 cells for 2 columns"):
        exporter.write(a_document(rows=[("Aisha",)]), io.BytesIO())


def test_rows_that_fail_midway_fail_the_writing(exporter: Exporter) -> None:
    def rows() -> Any:
        yield ("Aisha", 1)
        raise ConnectionError("the source went away")

    with pytest.raises(ConnectionError):
        exporter.write(a_document(rows=Stream(rows)), io.BytesIO())


def test_percentages_are_exact(name: str) -> None:
    shown = text_of(name, a_document([SHARE], [[Decimal("0.125")]]))
    assert ("12.5%" if name == "pdf" else "0.125") in shown


def test_instants_before_excels_calendar_are_still_shown(name: str) -> None:
    shown = text_of(name, a_document([AT], [[datetime(1850, 1, 1, tzinfo=UTC)]], timezone="UTC"))
    assert "1850-01-01" in shown
