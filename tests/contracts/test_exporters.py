"""What every exporter promises."""

import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from engine.exporters.cells import WrongCell, WrongRow
from engine.exporters.document import Column, Kind, Row, Stream
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
    a_table,
    counted_rows,
)
from tests.builders.written import TEXT_OF, cells_of, sheet_of, text_of, written

PAID = Column(name="paid", title="Paid", kind=Kind.MONEY, currency="SAR")
DAY = Column(name="day", title="Day", kind=Kind.DATE)
SETTLED = Column(name="settled", title="Settled", kind=Kind.BOOLEAN)
EXACT = ("csv", "jsonl", "parquet", "xlsx")  # which have every text as it is
GATHERED = {"parquet": 2_000, "xlsx": 2_000}  # rows at once


@pytest.fixture(params=[*EXPORTERS])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def exporter(name: str) -> Exporter:
    return EXPORTERS[name]


def test_every_format_can_be_read_back_here() -> None:
    assert set(TEXT_OF) == set(EXPORTERS)


def test_it_has_a_suffix_and_a_media_type_of_its_own(name: str, exporter: Exporter) -> None:
    assert exporter.suffix == f".{'.'.join(reversed(name.split('-')))}"
    assert "/" in exporter.media_type
    assert [each.suffix for each in EXPORTERS.values()].count(exporter.suffix) == 1


def test_it_writes_a_document_even_without_rows(name: str, exporter: Exporter) -> None:
    target = io.BytesIO()
    assert exporter.write(a_document(rows=[]), target) == 0
    if name != "jsonl":  # which says its columns in each row
        assert "name" in TEXT_OF[name](target.getvalue()).lower()


def test_it_counts_the_rows_it_wrote(exporter: Exporter) -> None:
    rows: list[Row] = [("Aisha", 1), ("Badr", 2), ("Chadi", 3)]
    assert exporter.write(a_document(rows=rows), io.BytesIO()) == 3


def test_a_streaming_exporter_never_holds_more_than_a_few_rows(
    name: str, exporter: Exporter
) -> None:
    how_many = 5_000 if exporter.streams else 20
    assert exporter.write(a_document(rows=counted_rows(how_many)), io.BytesIO()) == how_many
    if exporter.streams:
        assert CountedRow.most_alive <= GATHERED.get(name, 0) + 5


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
    nul = "nul \x00 bell \x07 lone � end" if name in EXACT else "nul � bell � lone � end"
    for text in (markup, rich, "_x0041_ is no A", nul):
        assert text in shown
    assert "long" in shown
    assert "x" * 40 in shown
    if name != "pdf":  # a PDF holds glyphs: joined letters read back in their own ways
        assert arabic in shown
        assert "🏦 bank" in shown


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r="])
def test_a_text_that_looks_like_a_formula_stays_a_text(name: str, start: str) -> None:
    text = f"{start}cmd()"
    data = written(EXPORTERS[name], a_document([NAME], [[text]]))
    if name == "xlsx":
        cell = sheet_of(data)["A2"]
        assert cell.data_type in ("s", "inlineStr")
        assert str(cell.value).endswith("cmd()")
    elif name == "pdf":
        assert "cmd()" in TEXT_OF[name](data)
    else:
        guard = "'" if name == "csv-excel" else ""
        assert cells_of(name, data) == [[guard + text]]


@pytest.mark.parametrize(
    ("minor", "currency", "plain", "shown"),
    [
        (150, "SAR", "1.50", "1.50"),
        (-5, "KWD", "-0.005", "-0.005"),
        (1_234, "JPY", "1234", "1,234"),
        (0, "SAR", "0.00", "0.00"),
        (123_456_789_012_345, "SAR", "1234567890123.45", "1,234,567,890,123.45"),
        (-99_999_999_999_999_999, "SAR", "-999999999999999.99", "-999,999,999,999,999.99"),
        (-(2**63), "KWD", "-9223372036854775.808", "-9,223,372,036,854,775.808"),
        (2**63 + 1, "KWD", "9223372036854775.809", "9,223,372,036,854,775.809"),
    ],
)
def test_money_is_exact(name: str, minor: int, currency: str, plain: str, shown: str) -> None:
    document = a_document([CURRENCY, AMOUNT], [(currency, minor)])
    if name == "parquet" and minor > 2**63:
        with pytest.raises(WrongCell, match=r"row 1, column 'amount'.*64 bits in this format"):
            written(EXPORTERS[name], document)
        return
    data = written(EXPORTERS[name], document)
    if name == "pdf":
        assert shown in TEXT_OF[name](data)
        return
    ((code, cell),) = cells_of(name, data)
    assert code == currency
    if name == "jsonl":
        assert cell == {"minor": minor, "currency": currency}
    elif name == "parquet":
        assert cell == Decimal(plain)
    elif name == "html":
        assert cell == shown
    elif name == "xlsx":
        is_exact = len(str(abs(minor))) <= 15
        assert Decimal(repr(cell)) == Decimal(plain) if is_exact else cell == shown
    else:
        assert cell == plain


def test_instants_are_shown_in_the_zone_of_the_document(name: str) -> None:
    east = timezone(timedelta(hours=9))
    at = datetime(2026, 1, 5, 6, 30, 15, tzinfo=east)  # 00:30:15 in Riyadh
    shown = text_of(name, a_document([AT], [[at]]))
    if name == "jsonl":  # the one format that says nothing else of zones
        assert "2026-01-04T21:30:15Z" in shown
    elif name == "csv":
        assert "2026-01-05T00:30:15+03:00" in shown
    else:
        assert "2026-01-05 00:30:15" in shown
    if name in ("csv-excel", "xlsx", "pdf", "html"):
        assert "Asia/" in shown
        assert "Riyadh" in shown


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        (COUNT, 1.0),
        (COUNT, True),
        (COUNT, "1"),
        (PAID, 1.5),
        (PAID, Decimal("1.5")),
        (NAME, 7),
        (SHARE, 0.5),
        (SHARE, Decimal("NaN")),
        (SHARE, Decimal(10) ** 19),
        (DAY, "2026-01-05"),
        (DAY, datetime(2026, 1, 5, tzinfo=UTC)),
        (AT, date(2026, 1, 5)),
        (SETTLED, 1),
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
    assert ("12.5%" if name in ("pdf", "html", "csv-excel") else "0.125") in shown


def test_instants_before_excels_calendar_are_still_shown(name: str) -> None:
    shown = text_of(name, a_document([AT], [[datetime(1850, 1, 1, tzinfo=UTC)]], timezone="UTC"))
    assert "1850-01-01" in shown


def test_several_tables_are_there_where_the_format_has_room(name: str, exporter: Exporter) -> None:
    document = a_document([NAME], [["Aisha"]])
    other = a_table([COUNT], [[7_654], [3]], name="others")
    document = replace(document, tables=[*document.tables, other])
    assert exporter.write(document, io.BytesIO()) == 1
    assert ("7,654" in (said := text_of(name, document)) or "7654" in said) is (
        name in ("xlsx", "pdf", "html")
    )
