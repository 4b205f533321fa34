"""An extract: what a report's query gives, typed, once, at one moment, whatever the database."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.exporters.document import Kind
from engine.exporters.recount.figures import Sum
from engine.reporting.dataset_query import DatasetTooLong, SourceHasNoTables
from engine.reporting.extract import Extract
from engine.reporting.typed_rows import WrongValue
from engine.sources.faults import InvalidQuery
from engine.sources.parameters import Parameter
from tests.builders.extracted import AColumn, a_query, an_extract, rows_of
from tests.builders.source import SourceDatabase

NINE = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
ALL = [
    AColumn(name="id", kind=Kind.INTEGER, total=True),
    AColumn(name="amount", kind=Kind.MONEY, currency_column="currency"),
    AColumn(name="currency"),
    AColumn(name="at", kind=Kind.DATETIME),
]
ENTRIES = "SELECT id, amount, currency, at FROM entries"


@pytest.fixture
def source(source_database: SourceDatabase) -> SourceDatabase:
    """Entries in three currencies."""
    columns = {"id": "whole", "amount": "whole", "currency": "text", "at": "instant"}
    source_database.make("entries", columns)
    source_database.fill(
        "entries",
        [
            (1, 10**17, "SAR", NINE),
            (2, 10**17 + 1, "SAR", NINE + timedelta(microseconds=1)),
            (3, -5, "KWD", NINE + timedelta(hours=1)),
            (4, None, "KWD", None),
            (5, 7, "JPY", NINE),
        ],
    )
    return source_database


def of_one(
    source: SourceDatabase, tmp_path: Path, kind: str, value: object, column: AColumn
) -> Any:
    """One value, in a column of the database of that kind, as it is read."""
    source.make("one", {"v": kind})
    source.fill("one", [(value,)])
    ((found,),) = rows_of(source.url, tmp_path, "SELECT v FROM one", replace(column, name="v"))
    return found


def test_rows_are_typed_as_their_columns_say(source: SourceDatabase, tmp_path: Path) -> None:
    assert rows_of(source.url, tmp_path, f"{ENTRIES} ORDER BY id DESC", *ALL) == [
        (5, 7, "JPY", NINE),
        (4, None, "KWD", None),
        (3, -5, "KWD", NINE + timedelta(hours=1)),
        (2, 10**17 + 1, "SAR", NINE + timedelta(microseconds=1)),
        (1, 10**17, "SAR", NINE),
    ]


def test_rows_may_be_read_as_often_as_one_likes_and_in_part(
    source: SourceDatabase, tmp_path: Path
) -> None:
    told: list[tuple[str, int]] = []
    with an_extract(source.url, tmp_path, a_query(f"{ENTRIES} ORDER BY id", *ALL)) as extract:
        extract._progress = lambda name, rows: told.append((name, rows))
        rows = extract.rows("rows")
        assert list(rows) == list(rows)
        assert told == [("rows", 0), ("rows", 5)]
        some = extract.rows("rows", ["currency", "id"])
        assert next(iter(some)) == ("SAR", 1)
        assert [*extract.stream("rows", ["id"])] == [(1,), (2,), (3,), (4,), (5,)]
    assert not list((tmp_path / "scratch").iterdir())


def test_what_was_read_is_what_the_source_counts(source: SourceDatabase, tmp_path: Path) -> None:
    with an_extract(source.url, tmp_path, a_query(ENTRIES, *ALL)) as extract:
        totals, read = extract.totals("rows"), extract.read("rows")
        assert extract.count("rows") == 5
    assert totals.rows == read.rows == 5
    assert totals.sums == {
        Sum("amount", "SAR"): 2 * 10**17 + 1,
        Sum("amount", "KWD"): -5,
        Sum("amount", "JPY"): 7,
        Sum("id", None): 15,
    }
    assert read.sums == totals.sums


def test_sums_past_64_bits_are_exact(source: SourceDatabase, tmp_path: Path) -> None:
    most = 2**63 - 1
    source.make("large", {"v": "whole", "c": "text"})
    source.fill(
        "large", [(most, "SAR"), (most, "SAR"), (-most, "KWD"), (-most, "KWD"), (-1, "KWD")]
    )
    amount = AColumn(name="v", kind=Kind.MONEY, currency_column="c")
    query = a_query("SELECT v, c FROM large", amount, AColumn(name="c"))
    with an_extract(source.url, tmp_path, query) as extract:
        assert list(extract.rows("rows"))
        assert extract.totals("rows").sums == extract.read("rows").sums
        assert extract.totals("rows").sums == {
            Sum("v", "SAR"): 2 * most,
            Sum("v", "KWD"): -2 * most - 1,
        }
    yen = AColumn(name="v", kind=Kind.MONEY, unit="major", currency="JPY")
    query = a_query("SELECT v FROM large WHERE v > 0", yen)
    with an_extract(source.url, tmp_path, query) as extract:
        assert list(extract.rows("rows")) == [(most,), (most,)]
        assert extract.totals("rows").sums == {Sum("v", "JPY"): 2 * most}


def test_of_no_rows_there_are_no_sums(source: SourceDatabase, tmp_path: Path) -> None:
    query = f"{ENTRIES} WHERE id > 100"
    with an_extract(source.url, tmp_path, a_query(query, *ALL)) as extract:
        assert list(extract.rows("rows")) == []
        assert (extract.totals("rows").rows, extract.read("rows").rows) == (0, 0)
        assert not any((extract.totals("rows").sums or {}).values())


def test_everything_is_of_one_moment(source: SourceDatabase, tmp_path: Path) -> None:
    more = a_query("SELECT id FROM entries", AColumn(name="id", kind=Kind.INTEGER), name="more")
    with an_extract(source.url, tmp_path, a_query(ENTRIES, *ALL), more) as extract:
        assert extract.count("rows") == 5
        source.run("INSERT INTO entries VALUES (6, 1, 'SAR', NULL)")
        assert extract.totals("rows").rows == 5
        assert extract.count("more") == 5
        assert extract.taken_at == {"canteen": datetime(2026, 11, 2, tzinfo=UTC)}


def test_parameters_are_bound_in_rows_totals_and_previews(
    source: SourceDatabase, tmp_path: Path
) -> None:
    query = a_query(
        f"{ENTRIES} WHERE currency = :currency AND at >= :since",
        *ALL,
        params={"currency": Parameter("text", "KWD"), "since": Parameter("datetime", NINE)},
    )
    with an_extract(source.url, tmp_path, query) as extract:
        assert list(extract.rows("rows")) == [(3, -5, "KWD", NINE + timedelta(hours=1))]
        assert extract.totals("rows").sums == {Sum("amount", "KWD"): -5, Sum("id", None): 3}
        assert extract.preview("rows").count == 1


def test_a_preview_has_the_first_rows_the_count_and_the_plan(
    source: SourceDatabase, tmp_path: Path
) -> None:
    with an_extract(source.url, tmp_path, a_query(f"{ENTRIES} ORDER BY id", *ALL)) as extract:
        preview = extract.preview("rows", 2)
    assert [row[0] for row in preview.rows] == [1, 2]
    assert preview.count == 5
    assert preview.plan
    if not source.url.startswith("sqlite"):
        assert preview.expected


def test_decimals_of_whole_units_become_minor_ones(source: SourceDatabase, tmp_path: Path) -> None:
    source.make("paid", {"v": "number" if "sqlite" not in source.url else "text", "c": "text"})
    rows = [("12.50", "SAR"), ("-0.001", "KWD"), ("7", "JPY"), ("90071992547409.93", "SAR")]
    source.fill("paid", rows)
    amount = AColumn(name="v", kind=Kind.MONEY, unit="major", currency_column="c")
    query = a_query("SELECT v, c FROM paid", amount, AColumn(name="c"))
    with an_extract(source.url, tmp_path, query) as extract:
        found = sorted(extract.rows("rows"), key=str)
        assert found == [(-1, "KWD"), (1250, "SAR"), (7, "JPY"), (9007199254740993, "SAR")]
        assert extract.totals("rows").sums == {
            Sum("v", "SAR"): 9007199254742243,
            Sum("v", "KWD"): -1,
            Sum("v", "JPY"): 7,
        }
        assert extract.read("rows") == extract.totals("rows")


WRONG: list[tuple[str, object, AColumn, str]] = [
    ("number", Decimal("0.5"), AColumn(name="v", kind=Kind.MONEY, currency="SAR"), "whole number"),
    ("number", Decimal("1.5"), AColumn(name="v", kind=Kind.INTEGER), "whole number of 64 bits"),
    ("text", "12", AColumn(name="v", kind=Kind.INTEGER), "whole number of 64 bits"),
    ("text", "x", AColumn(name="v", kind=Kind.DATE), "a date is due"),
    ("text", "2026-02-30", AColumn(name="v", kind=Kind.DATE), "a date is due"),
    ("text", "soon", AColumn(name="v", kind=Kind.DATETIME), "an instant is due"),
    ("text", "perhaps", AColumn(name="v", kind=Kind.BOOLEAN), "true or false is due"),
    ("whole", 2, AColumn(name="v", kind=Kind.BOOLEAN), "true or false is due"),
    ("text", "a fifth", AColumn(name="v", kind=Kind.PERCENT), "a fraction is due"),
]


@pytest.mark.parametrize(("kind", "value", "column", "due"), WRONG)
def test_a_wrong_value_is_said_with_its_row_and_column(
    source: SourceDatabase, tmp_path: Path, kind: str, value: object, column: AColumn, due: str
) -> None:
    source.make("one", {"n": "whole", "v": kind})
    source.fill("one", [(1, None), (2, None), (3, value), (4, None)])
    with pytest.raises(WrongValue, match=rf"dataset 'rows', row 3, column 'v': .*{due}"):
        rows_of(source.url, tmp_path, "SELECT n, v FROM one ORDER BY n", column)


@pytest.mark.parametrize("value", ["12.345", "1e2", "12.5x", ""])
def test_no_amount_is_rounded_or_guessed(
    source: SourceDatabase, tmp_path: Path, value: str
) -> None:
    column = AColumn(name="v", kind=Kind.MONEY, unit="major", currency="SAR")
    kind = "number" if value == "12.345" and "sqlite" not in source.url else "text"
    with pytest.raises(WrongValue, match="an exact decimal is due"):
        of_one(source, tmp_path, kind, value, column)


def test_what_is_personal_is_not_in_an_error(source: SourceDatabase, tmp_path: Path) -> None:
    column = AColumn(name="v", kind=Kind.DATE, personal=True)
    with pytest.raises(WrongValue, match=r"column 'v': \*\*\* is no date") as told:
        of_one(source, tmp_path, "text", "Sara Al-Harbi", column)
    assert "Sara" not in str(told.value)


@pytest.mark.parametrize(
    ("kind", "value", "column", "expected"),
    [
        ("text", "2026-11-01", AColumn(name="v", kind=Kind.DATE), date(2026, 11, 1)),
        ("text", "2026-11-01 12:00:00", AColumn(name="v", kind=Kind.DATETIME), NINE),
        ("text", "2026-11-01T09:00:00Z", AColumn(name="v", kind=Kind.DATETIME), NINE),
        ("text", "2026-11-01T10:00:00.5+01:00", AColumn(name="v", kind=Kind.DATETIME), None),
        ("whole", 1793523600, AColumn(name="v", kind=Kind.DATETIME), NINE),
        ("whole", 1793523600000, AColumn(name="v", kind=Kind.DATETIME), NINE),
        ("instant", NINE, AColumn(name="v", kind=Kind.DATETIME), NINE),
        ("whole", 1, AColumn(name="v", kind=Kind.BOOLEAN), True),
        ("text", "FALSE", AColumn(name="v", kind=Kind.BOOLEAN), False),
        ("number", Decimal("0.125"), AColumn(name="v", kind=Kind.PERCENT), Decimal("0.125")),
        ("whole", 1, AColumn(name="v", kind=Kind.PERCENT), Decimal(1)),
        ("whole", 12, AColumn(name="v"), "12"),
        ("text", "مرحبا =1+1 \n \t 😀", AColumn(name="v"), "مرحبا =1+1 \n \t 😀"),
        ("number", Decimal(100), AColumn(name="v", kind=Kind.MONEY, currency="SAR"), 100),
    ],
)
def test_values_come_in_the_ways_that_databases_have(
    source: SourceDatabase, tmp_path: Path, kind: str, value: object, column: AColumn, expected: Any
) -> None:
    expected = NINE.replace(microsecond=500_000) if expected is None else expected
    assert of_one(source, tmp_path, kind, value, column) == expected


def test_a_floating_fraction_is_its_shortest_decimal(
    source: SourceDatabase, tmp_path: Path
) -> None:
    query = "SELECT 0.1e0 AS v UNION ALL SELECT 1e0 / 3 AS v ORDER BY v"
    column = AColumn(name="v", kind=Kind.PERCENT)
    assert rows_of(source.url, tmp_path, query, column) == [
        (Decimal("0.1"),),
        (Decimal("0.333333333"),),
    ]


def test_bytes_are_no_text(source: SourceDatabase, tmp_path: Path) -> None:
    blob = {"sqlite": "x'6162'", "postgr": "'\\x6162'::bytea"}.get(source.url[:6], "BINARY 'ab'")
    query = f"SELECT {blob} AS v"
    with pytest.raises(WrongValue, match=r"row 1, column 'v': bytes b'ab' is no text"):
        rows_of(source.url, tmp_path, query, AColumn(name="v"))


def test_a_column_that_the_query_does_not_give_is_said(
    source: SourceDatabase, tmp_path: Path
) -> None:
    with pytest.raises(InvalidQuery, match=r"dataset 'rows': it gives no column 'nope', only id"):
        rows_of(source.url, tmp_path, "SELECT id FROM entries", AColumn(name="nope"))


def test_an_amount_without_its_currency_is_wrong(source: SourceDatabase, tmp_path: Path) -> None:
    query = "SELECT 1 AS amount, NULLIF('a', 'a') AS currency"
    columns = [AColumn(name="amount", kind=Kind.MONEY, currency_column="currency"), ALL[2]]
    with pytest.raises(WrongValue, match=r"row 1, column 'amount'.*currency is due in 'currency'"):
        rows_of(source.url, tmp_path, query, *columns)


def test_a_query_that_takes_too_long_names_its_dataset(
    source: SourceDatabase, tmp_path: Path
) -> None:
    source.make("k", {"id": "whole"})
    source.fill("k", [(id_,) for id_ in range(500)])
    counted = "SELECT count(*) AS n FROM k a, k b, k c WHERE (a.id + b.id + c.id) % 7919 = 1"
    query = a_query(
        counted, AColumn(name="n", kind=Kind.INTEGER), time_limit=timedelta(seconds=0.3)
    )

    def read() -> None:
        with an_extract(source.url, tmp_path, query) as extract:
            list(extract.rows("rows"))

    with pytest.raises(DatasetTooLong, match=r"dataset 'rows': the query .* limit of 0\.3 s"):
        read()


def test_whoever_takes_the_rows_may_fail_as_they_like(
    source: SourceDatabase, tmp_path: Path
) -> None:
    def fail(extract: Extract) -> None:
        with extract._readings["rows"].batches() as batches:
            next(batches)
            raise OSError("no space left")

    with (
        an_extract(source.url, tmp_path, a_query(ENTRIES, *ALL)) as extract,
        pytest.raises(OSError, match="no space left"),
    ):
        fail(extract)


def test_files_are_no_database(tmp_path: Path) -> None:
    with (
        pytest.raises(SourceHasNoTables, match="is a folder of files"),
        an_extract(str(tmp_path), tmp_path, a_query("SELECT 1 AS id", AColumn(name="id"))),
    ):
        pass


def test_many_rows_of_mixed_values_keep_their_places(
    source: SourceDatabase, tmp_path: Path
) -> None:
    source.make("many", {"id": "whole", "name": "text"})
    rows: Sequence[Any] = [(at, None if at < 70_000 else f"n{at}") for at in range(80_000)]
    source.fill("many", rows)
    columns = [AColumn(name="id", kind=Kind.INTEGER), AColumn(name="name")]
    found = rows_of(source.url, tmp_path, "SELECT id, name FROM many ORDER BY id", *columns)
    assert found == rows
