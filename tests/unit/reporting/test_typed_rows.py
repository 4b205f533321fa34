"""Whole columns are read as their values are, one by one; what is wrong is said where it is."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.exporters.document import Kind
from engine.reporting.typed_arrays import read_array
from engine.reporting.typed_cells import Asked, Wrong
from engine.reporting.typed_rows import TypedRows, WrongValue
from tests.builders.extracted import AColumn

SAR = "SAR"
NAIVE = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30))  # noqa: DTZ001
TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["true", "FALSE", "0", "1", "2026-02-30", "1e2", "NaN", "-0.005", "12.50"]),
    st.decimals(allow_nan=False, allow_infinity=False, places=3, max_value=10**9).map(str),
    NAIVE.map(lambda each: each.isoformat()),
    NAIVE.map(lambda each: each.isoformat(" ") + "Z"),
    NAIVE.map(lambda each: each.date().isoformat()),
)
FLOATS = [0.1, 1 / 3, 1e-10, 0.0000000005, 1.9274035629478953e25, 1e300]
RAW: Sequence[tuple[Any, st.SearchStrategy[Any]]] = [
    (pa.string(), TEXTS),
    (pa.int64(), st.integers(-(2**63), 2**63 - 1) | st.integers(-2, 3)),
    (pa.int32(), st.integers(-(2**31), 2**31 - 1)),
    (
        pa.float64(),
        st.floats(width=64)
        | st.sampled_from([0.1, 1 / 3, 1e-10, 0.0000000005, 1.9274035629478953e25, 1e300]),
    ),
    (pa.bool_(), st.booleans()),
    (pa.date32(), st.dates()),
    (pa.timestamp("us"), NAIVE),
    (pa.timestamp("us", "UTC"), NAIVE.map(lambda each: each.replace(tzinfo=UTC))),
]
DUE = {
    Kind.TEXT: pa.string(),
    Kind.INTEGER: pa.int64(),
    Kind.MONEY: pa.int64(),
    Kind.PERCENT: pa.decimal128(28, 9),
    Kind.BOOLEAN: pa.bool_(),
    Kind.DATE: pa.date32(),
    Kind.DATETIME: pa.timestamp("us", "UTC"),
}


@st.composite
def columns(draw: st.DrawFn) -> tuple[Any, Asked]:
    """A column as a database may give it, and what it is to be read as."""
    kind, values = draw(st.sampled_from(RAW))
    asked = Asked(
        kind=draw(st.sampled_from([*Kind])),
        unit=draw(st.sampled_from(["minor", "major"])),
        currency=draw(st.sampled_from(["SAR", "KWD", "JPY"])),
        zone=draw(st.sampled_from(["UTC", "Asia/Riyadh", "America/New_York"])),
        untyped=draw(st.booleans()),
    )
    array = pa.array(draw(st.lists(values | st.none(), min_size=1, max_size=5)), kind)
    if kind == pa.string() and not asked.untyped and draw(st.booleans()):
        decimals = st.decimals(allow_nan=False, allow_infinity=False, max_value=10**15)
        decimals = st.integers(-(10**40), 10**40).map(Decimal) | decimals
        numbers = decimals.map(lambda each: f"{each:f}")
        array = pa.array(draw(st.lists(numbers, min_size=1, max_size=5)))
        asked = Asked(kind=asked.kind, unit=asked.unit, currency=asked.currency, exact=True)
    return array, asked


@given(columns())
def test_a_column_is_read_as_its_values_are(column: tuple[Any, Asked]) -> None:
    array, asked = column
    try:
        whole = read_array(array, asked)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        whole = None
    if whole is not None:
        cells = [asked.read(each) for each in array.to_pylist()]
        assert whole.equals(pa.array(cells, DUE[asked.kind]))


def typed(column: AColumn, values: Any, *, kind: str = "text", zone: str = "Asia/Riyadh") -> Any:
    rows = TypedRows("rows", [column], {column.name: kind}, zone)
    array = values if isinstance(values, pa.Array) else pa.array(values)
    batch = pa.RecordBatch.from_arrays([array], names=[column.name])
    return [cell for each in rows.batches([batch, batch]) for cell in each.column(0).to_pylist()]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Kind.MONEY, "an exact decimal is due"),
        (Kind.INTEGER, "a whole number of 64 bits is due"),
        (Kind.DATE, "a date is due"),
        (Kind.DATETIME, "an instant is due"),
        (Kind.BOOLEAN, "true or false is due"),
    ],
)
def test_a_floating_number_is_none_of_these(kind: Kind, text: str) -> None:
    money = {"currency": SAR, "unit": "major"} if kind is Kind.MONEY else {}
    column = AColumn(name="v", kind=kind, **money)  # type: ignore[arg-type]
    with pytest.raises(WrongValue, match=rf"row 2, column 'v': float 2\.5 is no {kind}; {text}"):
        typed(column, [None, 2.5])


def test_the_row_is_counted_over_all_batches() -> None:
    rows = TypedRows("rows", [AColumn(name="v", kind=Kind.DATE)], {"v": "text"}, "UTC")
    good, bad = ([{"v": "2026-01-01"}] * 3, [{"v": "2026-01-01"}, {"v": "never"}])
    batches = [pa.RecordBatch.from_pylist(each) for each in (good, good, bad)]
    with pytest.raises(WrongValue, match="row 8, column 'v': str 'never' is no date"):
        list(rows.batches(batches))


@pytest.mark.parametrize("unit", ["minor", "major"])
@pytest.mark.parametrize("code", ["kwd", " KWD", "KWD ", "jpy", "RIYAL", "S1R", "KWD\n", "كويت"])
def test_what_is_written_as_no_code_is_refused_where_it_stands(unit: Any, code: str) -> None:
    columns = [
        AColumn(name="v", kind=Kind.MONEY, currency_column="c", unit=unit),
        AColumn(name="c"),
    ]
    batch = pa.record_batch({"v": [None, 5, 5], "c": [code, SAR, code]})
    read = TypedRows("rows", columns, {"v": "int8", "c": "text"}, "UTC")
    with pytest.raises(WrongValue, match=r"'rows', row 3, column 'c': .* no currency; .*upper"):
        list(read.batches([batch]))


def test_each_currency_has_its_own_places() -> None:
    columns = [
        AColumn(name="v", kind=Kind.MONEY, currency_column="c", unit="major"),
        AColumn(name="c"),
    ]
    rows = TypedRows("rows", columns, {"v": "numeric", "c": "text"}, "UTC")
    batch = pa.RecordBatch.from_pydict(
        {"v": ["1.5", "1.5", "2", None], "c": ["SAR", "KWD", "JPY", None]}
    )
    (found,) = rows.batches([batch])
    assert found.column(0).to_pylist() == [150, 1500, 2, None]
    lost = pa.RecordBatch.from_pydict({"v": ["1.5", "1.5"], "c": ["SAR", "JPY"]})
    with pytest.raises(WrongValue, match=r"row 2, column 'v'.*more decimals than JPY holds"):
        list(rows.batches([lost]))


def test_a_local_time_is_the_zones_and_midnight_a_date() -> None:
    nine = datetime(2026, 11, 1, 9, 0)  # noqa: DTZ001 - without a zone, as databases have it
    at = AColumn(name="v", kind=Kind.DATETIME)
    assert typed(at, [nine])[0] == datetime(2026, 11, 1, 6, 0, tzinfo=UTC)
    assert typed(at, [date(2026, 11, 1)])[0] == datetime(2026, 10, 31, 21, 0, tzinfo=UTC)
    day = AColumn(name="v", kind=Kind.DATE)
    midnight = pa.array([datetime(2026, 10, 31, 21, tzinfo=UTC)], pa.timestamp("us", "UTC"))
    assert typed(day, midnight)[0] == date(2026, 11, 1)
    with pytest.raises(WrongValue, match="a date is due"):
        typed(day, [nine])


def test_a_time_that_a_zone_shows_twice_is_the_first() -> None:
    texts = ["2026-11-01 01:30:00", "2026-11-01T05:30:00Z"]
    column = AColumn(name="v", kind=Kind.DATETIME)
    found = typed(column, texts, zone="America/New_York")
    assert found[0] == found[1]


@pytest.mark.parametrize("kind", [Kind.DATE, Kind.DATETIME])
def test_infinity_is_no_day(kind: Kind) -> None:
    array = (
        pa.array([2**31 - 1], pa.int32()).cast(pa.date32())
        if kind is Kind.DATE
        else pa.array([2**63 - 1], pa.int64()).cast(pa.timestamp("us", "UTC"))
    )
    with pytest.raises(WrongValue, match="beyond all years"):
        typed(AColumn(name="v", kind=kind), array)


def test_a_secret_in_a_wrong_value_is_hidden() -> None:
    column = AColumn(name="v", kind=Kind.DATE)
    with pytest.raises(WrongValue) as told:
        typed(column, ["password=hunter22"])
    assert "hunter22" not in str(told.value)


def test_numbers_are_texts_by_their_digits() -> None:
    column = AColumn(name="v")
    assert typed(column, [0.1])[0] == "0.1"
    assert typed(column, [1e-7])[0] == "0.0000001"
    assert typed(column, [Decimal("12.50")])[0] == "12.50"
    assert typed(column, [True])[0] == "true"
    with pytest.raises(WrongValue, match="have the query make a text of it"):
        typed(column, [timedelta(hours=1)])


def test_what_a_column_may_not_hold_is_wrong_by_itself() -> None:
    with pytest.raises(Wrong, match="its currency is not told"):
        Asked(kind=Kind.MONEY).read(1)


@pytest.mark.parametrize("kind", [Kind.INTEGER, Kind.MONEY])
@pytest.mark.parametrize("number", [-(2**63), 2**63 - 1])
def test_every_whole_number_of_64_bits_is_one(kind: Kind, number: int) -> None:
    column = AColumn(name="v", kind=kind, currency=SAR if kind is Kind.MONEY else None)
    assert typed(column, pa.array([number, 0], pa.int64()))[0] == number
    assert typed(column, pa.array([str(number)]), kind="numeric")[0] == number
    with pytest.raises(WrongValue):
        typed(column, pa.array([str(number * 2)]), kind="numeric")
