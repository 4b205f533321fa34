"""Parameters, time limits and plans: what every database does with a report's query."""

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.sources.catalog import open_source
from engine.sources.database import Database
from engine.sources.faults import InvalidQuery, QueryTooLong
from engine.sources.folder import Folder
from engine.sources.parameters import Parameter, ParameterType, Value
from tests.builders.postgres import PostgresServer
from tests.builders.source import PostgresSource, SourceDatabase

NINE = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
NASTY = "x' OR 1=1 --\\\" :name ?1 $1 %s {} \u0645\u0631\u062d\u0628\u0627 \U0001f600"
COLUMNS = {"id": "whole", "amount": "number", "type": "text", "at": "instant"}


@pytest.fixture
def source(source_database: SourceDatabase) -> SourceDatabase:
    """Entries of three types, one of them with an awkward name."""
    source_database.make("entries", COLUMNS)
    rows = [
        (1, 100, "topup", NINE),
        (2, Decimal("2.5"), "TOPUP", NINE + timedelta(hours=1)),
        (3, -7, NASTY, NINE + timedelta(days=1)),
    ]
    source_database.fill("entries", rows)
    return source_database


@pytest.fixture
def database(source: SourceDatabase, tmp_path: Path) -> Database:
    database = open_source("canteen", source.url, tmp_path)
    assert not isinstance(database, Folder)
    return database


def params(**values: tuple[ParameterType, Value]) -> dict[str, Parameter]:
    return {name: Parameter(*each) for name, each in values.items()}


def read(database: Database, query: str, given: Mapping[str, Parameter]) -> list[Any]:
    """The first column, read in all three ways."""
    assert database.columns(query, given)
    with database.snapshot() as snapshot:
        rows = [row[0] for row in snapshot.rows(query, params=given)]
        for limit in (None, timedelta(minutes=1)):
            with snapshot.batches(query, params=given, time_limit=limit) as reader:
                assert reader.read_all().column(0).to_pylist() == rows
    return rows


FOUND: Mapping[str, tuple[str, tuple[ParameterType, Value], list[int]]] = {
    "a text": ("type = :x", ("text", NASTY), [3]),
    "an empty text": ("type = :x", ("text", ""), []),
    "a whole number": ("id = :x", ("integer", 2), [2]),
    "a large number": ("id < :x", ("integer", 2**63 - 1), [1, 2, 3]),
    "a decimal": ("amount < :x", ("decimal", Decimal("2.500001")), [2, 3]),
    "a whole decimal": ("amount >= :x", ("decimal", Decimal("1E+2")), [1]),
    "an instant": ("at >= :x", ("datetime", NINE + timedelta(hours=1)), [2, 3]),
    "no value": (":x IS NULL OR id = :x", ("integer", None), [1, 2, 3]),
    "no text": (":x IS NULL OR type = :x", ("text", None), [1, 2, 3]),
    "no date": (":x IS NULL OR id = 1", ("date", None), [1, 2, 3]),
    "yes": (":x AND id > 1", ("boolean", True), [2, 3]),
    "no": (":x OR id > 2", ("boolean", False), [3]),
}


@pytest.mark.parametrize("case", FOUND)
def test_a_parameter_is_bound_by_its_type(database: Database, case: str) -> None:
    condition, value, expected = FOUND[case]
    query = f"SELECT id FROM entries WHERE {condition} ORDER BY id"  # noqa: S608
    assert read(database, query, params(x=value)) == expected


def test_a_date_is_bound_as_one(database: Database, source: SourceDatabase) -> None:
    source.make("days", {"id": "whole", "day": "text"})
    source.fill("days", [(1, "2026-11-01"), (2, "2026-11-02")])
    value = params(day=("date", date(2026, 11, 2)))
    cast = "day" if source.url.startswith("sqlite") else "CAST(day AS date)"
    query = f"SELECT id FROM days WHERE {cast} >= :day"  # noqa: S608
    assert read(database, query, value) == [2]


def test_several_parameters_each_as_often_as_it_is_named(database: Database) -> None:
    query = """
        -- :not_this, and not ':this'
        SELECT id, ':nor_this' AS "a:b", /* :nor :that */ :two AS two FROM entries
        WHERE id IN (:two, :one, :two) AND :text <> ':one' ORDER BY id LIMIT :most
    """
    given = params(
        two=("integer", 2), one=("integer", 1), text=("text", "one"), most=("integer", 2)
    )
    query = query if "sqlite" in repr(database).lower() else query.replace('"a:b"', "a_b")
    assert read(database, query, given) == [1, 2]


def test_an_order_is_kept_by_what_is_due(database: Database) -> None:
    query = "SELECT id, type, id AS n FROM entries WHERE id < :most ORDER BY type DESC, id"
    given = params(most=("integer", 10))
    sql = database.dialect(database.columns(query, given))
    with database.snapshot() as snapshot:
        expected = [row[0] for row in snapshot.rows(query, params=given)]
        due = sql.as_due(query, {"id": "whole", "type": "text"})
        with snapshot.batches(due, {"id": "whole", "type": "text"}, params=given) as reader:
            assert reader.read_all().column("id").to_pylist() == expected


def test_a_name_without_a_parameter_is_said_with_its_line(database: Database) -> None:
    query = "SELECT id\nFROM entries -- :x\nWHERE id = :nope"
    with pytest.raises(InvalidQuery, match=r"line 3 says :nope.*given: one"):
        database.columns(query, params(one=("integer", 1)))
    with pytest.raises(InvalidQuery, match=r"given: none"):
        database.columns(query, {})


def test_a_parameter_that_no_name_asks_for_is_said(database: Database) -> None:
    with pytest.raises(InvalidQuery, match=r"'nope' is given, and the query does not say :nope"):
        database.columns("SELECT id FROM entries", params(nope=("integer", 1)))


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM entries WHERE id = :x",
        "SELECT :x AS a; DELETE FROM entries",
        "SELECT :x AS a) AS a, (SELECT 2 AS b",
        "WITH a AS (SELECT :x AS x) DELETE FROM entries",
    ],
)
def test_a_query_with_parameters_is_one_select(
    database: Database, source: SourceDatabase, query: str
) -> None:
    with pytest.raises(InvalidQuery, match="the query on source 'canteen' cannot be used"):
        database.columns(query, params(x=("integer", 1)))
    assert len(source.rows("SELECT id FROM entries")) == 3


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("integer", 2**63),
        ("integer", True),
        ("text", 1),
        ("datetime", datetime(2026, 1, 1)),  # noqa: DTZ001 - that is what is wrong with it
        ("date", NINE),
        ("decimal", Decimal("NaN")),
        ("decimal", 1.5),
        ("boolean", 1),
    ],
)
def test_a_value_of_another_type_is_no_parameter(type_: ParameterType, value: Any) -> None:
    with pytest.raises(ValueError, match="for a query"):
        Parameter(type_, value)


def many(source: SourceDatabase) -> str:
    """A query that takes seconds, whatever the database; SQLite's goes on when it is left."""
    source.make("k", {"id": "whole"})
    source.fill("k", [(id_,) for id_ in range(500)])
    joined = "k a CROSS JOIN k b CROSS JOIN k c"
    return f"SELECT count(*) AS n FROM {joined} WHERE (a.id + b.id + c.id) % 7919 = :x"  # noqa: S608


@pytest.mark.parametrize("how", ["batches", "rows", "without parameters"])
def test_a_query_that_takes_too_long_is_stopped(
    database: Database, source: SourceDatabase, how: str
) -> None:
    query, given = many(source), params(x=("integer", 1))
    if how == "without parameters":
        query, given = query.replace(":x", "1"), {}
    limit = timedelta(seconds=0.5)

    def ask() -> None:
        with database.snapshot() as snapshot:
            if how == "rows":
                snapshot.rows(query, params=given, time_limit=limit)
            else:
                with snapshot.batches(query, params=given, time_limit=limit) as reader:
                    reader.read_all()

    began = time.monotonic()
    with pytest.raises(QueryTooLong, match=r"on source 'canteen'.*limit of 0\.5 s"):
        ask()
    assert time.monotonic() - began < 3


def test_rows_that_come_too_slowly_are_stopped_as_well(
    database: Database, source: SourceDatabase
) -> None:
    source.make("k", {"id": "whole"})
    source.fill("k", [(id_,) for id_ in range(2_000)])
    query = "SELECT a.id AS a, b.id AS b FROM k a CROSS JOIN k b CROSS JOIN k c WHERE a.id >= :x"
    with (
        pytest.raises(QueryTooLong),
        database.snapshot() as snapshot,
        snapshot.batches(
            query, params=params(x=("integer", 0)), time_limit=timedelta(seconds=1)
        ) as reader,
    ):
        for _ in reader:
            pass


def test_a_database_can_be_read_after_a_query_that_took_too_long(
    database: Database, source: SourceDatabase
) -> None:
    query, given = many(source), params(x=("integer", 1))
    with pytest.raises(QueryTooLong), database.snapshot() as snapshot:
        snapshot.rows(query, params=given, time_limit=timedelta(seconds=0.2))
    assert read(database, "SELECT id FROM entries WHERE id = :x", given) == [1]


def test_a_plan_is_told_and_nothing_is_read(database: Database, source: SourceDatabase) -> None:
    query, given = many(source), params(x=("integer", 1))
    began = time.monotonic()
    with database.snapshot() as snapshot:
        plan = snapshot.plan(query, given)
    assert plan.lines
    assert time.monotonic() - began < 5
    if not source.url.startswith("sqlite"):
        assert plan.rows is not None
        assert plan.rows > 0


READER = """
import sys
from pathlib import Path
from engine.sources.catalog import open_source
from engine.sources.parameters import Parameter

query = "SELECT count(*) AS n FROM generate_series(1, 10000000000000) AS n WHERE n > :x"
with open_source("canteen", sys.argv[1], Path()).snapshot() as snapshot:
    with snapshot.batches(query, params={"x": Parameter("integer", 1)}) as reader:
        reader.read_all()
"""


@pytest.mark.process
def test_postgres_stops_a_query_whose_reader_was_killed(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    source = PostgresSource(postgres_server)
    asked = (
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' "  # noqa: S608
        f"AND query LIKE 'FETCH%' AND datname = '{source.database}'"
    )

    def running() -> int:
        return int(source.rows(asked)[0][0])

    reader = subprocess.Popen([sys.executable, "-c", READER, source.url])  # noqa: S603
    try:
        wait_until(lambda: running() == 1)
    finally:
        reader.kill()
        reader.wait()
    wait_until(lambda: running() == 0)


def wait_until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.2)
