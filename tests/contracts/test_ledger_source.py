"""The run ledger as a source of reports: its views, at one moment, and nothing beside them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.exporters.document import Kind
from engine.reporting.extract import DatasetQuery, open_extract
from engine.reporting.typed_rows import WrongValue
from engine.sources.catalog import Sources
from engine.sources.faults import InvalidQuery, QueryTooLong, UnusableSource
from engine.sources.ledger import LedgerDatabase
from engine.sources.ledger_views import VIEWS, seen
from engine.sources.parameters import Parameter
from engine.store.database import BACKENDS, Database
from engine.store.run import NewRun
from engine.store.runs import RunStore
from engine.store.user_tables import metadata
from tests.builders.clock import FakeClock
from tests.builders.database import a_database, a_postgres_database
from tests.builders.extracted import AColumn, a_query
from tests.builders.run import a_claim, a_run


@pytest.fixture(params=BACKENDS)
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """With one run under way, and one that waits."""
    if request.param == "sqlite":
        database = a_database(tmp_path)
    else:
        database = a_postgres_database(request.getfixturevalue("postgres_server"))
    a_claim(database)
    a_run(database)
    yield database
    database.dispose()


@pytest.fixture
def source(ledger: Database) -> LedgerDatabase:
    return LedgerDatabase(ledger)


def extracted(ledger: Database, folder: Path, query: DatasetQuery) -> list[Any]:
    sources = Sources({}, folder, ledger=ledger)
    with open_extract([query], sources, scratch=folder / "scratch", clock=FakeClock()) as extract:
        assert extract.read("rows") == extract.totals("rows")
        return list(extract.rows("rows"))


def test_views_have_the_columns_that_are_promised(source: LedgerDatabase) -> None:
    for name, view in VIEWS.items():
        columns = source.columns(f"SELECT * FROM {name}")  # noqa: S608
        assert [*columns] == [
            *(view.table.c[each].name for each in view.columns),
            *view.durations,
        ]


def test_runs_are_read_typed(ledger: Database, tmp_path: Path) -> None:
    query = a_query(
        "SELECT id, job, state, attempt, created_at, started_at, wait_ms, state = 'queued' AS due"
        " FROM runs WHERE created_at >= :since AND (:job IS NULL OR job = :job) ORDER BY id DESC",
        *[AColumn(name=each, kind=Kind.INTEGER) for each in ("id", "attempt", "wait_ms")],
        *[AColumn(name=each) for each in ("job", "state")],
        *[AColumn(name=each, kind=Kind.DATETIME) for each in ("created_at", "started_at")],
        AColumn(name="due", kind=Kind.BOOLEAN),
        source="ledger",
        params={
            "since": Parameter("datetime", datetime(2026, 1, 1, tzinfo=UTC)),
            "job": Parameter("text"),
        },
    )
    waiting, running = extracted(ledger, tmp_path, query)
    assert waiting[:5] == (2, 0, None, "reconcile", "queued")
    assert waiting[6:] == (None, True)
    assert running[:2] == (1, 1)
    assert running[2] is not None
    assert running[2] >= 0
    assert running[3:5] == ("reconcile", "running")
    assert isinstance(running[6], datetime)
    assert running[6] >= running[5]


def test_instants_are_compared_to_the_microsecond(ledger: Database, tmp_path: Path) -> None:
    columns = AColumn(name="created_at", kind=Kind.DATETIME)
    first = a_query("SELECT created_at FROM runs WHERE id = 1", columns, source="ledger")
    ((created_at,),) = extracted(ledger, tmp_path, first)
    for since, found in ((created_at, 1), (created_at + timedelta(microseconds=1), 0)):
        query = a_query(
            "SELECT created_at FROM runs WHERE id = 1 AND created_at >= :since",
            columns,
            source="ledger",
            params={"since": Parameter("datetime", since)},
        )
        assert len(extracted(ledger, tmp_path, query)) == found


HIDDEN = ["params", "result", "lease_token", "approval_hash", "unique_key", "payload_bytes"]


@pytest.mark.parametrize("column", HIDDEN)
def test_columns_that_a_view_has_not_cannot_be_read(source: LedgerDatabase, column: str) -> None:
    with pytest.raises(InvalidQuery, match="on source 'ledger' cannot be used"):
        source.columns(f"SELECT {column} FROM runs")  # noqa: S608
    schema = "main" if source.ledger.url.get_backend_name() == "sqlite" else "public"
    for query in (f"SELECT {column} FROM {schema}.runs", f"SELECT r.{column} FROM {schema}.runs r"):  # noqa: S608
        with pytest.raises(InvalidQuery, match=r"the ledger's views|views of the ledger"):
            source.columns(query)


BEYOND = [*(set(metadata.tables) - set(VIEWS)), "alembic_version"]


@pytest.mark.parametrize("table", sorted(BEYOND))
@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM {table}",
        "SELECT 1 AS a FROM runs WHERE EXISTS (SELECT * FROM {table})",
        "WITH a AS (SELECT * FROM {table}) SELECT id FROM runs",
        "SELECT (SELECT count(*) FROM {table}) AS n FROM runs",
        "SELECT id FROM runs UNION ALL SELECT count(*) FROM {table}",
    ],
)
def test_tables_without_a_view_cannot_be_read(
    source: LedgerDatabase, table: str, query: str
) -> None:
    text = query.format(table=table)
    if query.startswith("WITH"):
        # A database may leave out what nobody asks for; it is not read then.
        text = text.replace("SELECT id FROM runs", "SELECT count(*) AS n FROM a")
    with pytest.raises(InvalidQuery, match="views"):
        source.columns(text)


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM runs",
        "SELECT id FROM runs; DELETE FROM runs",
        "SELECT id FROM runs) AS a, (SELECT 1 AS b",
        "WITH a AS (SELECT 1) DELETE FROM runs",
        "WITH a AS (DELETE FROM runs RETURNING id) SELECT id FROM a",
        "SELECT 1) UNION SELECT * FROM (SELECT 2",
        "PRAGMA table_info(runs)",
        "SELECT name FROM sqlite_schema",
        "SELECT rolname FROM pg_roles",
        "SELECT query FROM pg_stat_activity",
        "SELECT query_to_xml('SELECT * FROM users', true, true, '') AS x",
        "SELECT table_to_xml('users', true, true, '') AS x",
        "SELECT \"database_to_xml\" (true, true, '') AS x",
        "SELECT schema_to_xml_and_xmlschema('public', true, true, '') AS x",
        "SELECT count(*) AS n FROM pragma_table_info('users')",
        "COMMIT",
        "",
    ],
)
def test_a_query_is_one_select_about_the_views(source: LedgerDatabase, query: str) -> None:
    with pytest.raises(InvalidQuery, match="the query on source 'ledger' cannot be used"):
        source.columns(query)
    assert RunStore(source.ledger).get(1).job == "reconcile"


def test_what_a_snapshot_shows_stays_while_others_write(source: LedgerDatabase) -> None:
    store = RunStore(source.ledger)
    with source.snapshot() as snapshot:
        store.book(NewRun(job="other", queue="default"))
        assert snapshot.rows("SELECT count(*) AS n FROM runs") == [(2,)]
        with snapshot.batches("SELECT id FROM runs ORDER BY id") as reader:
            assert reader.read_all().to_pylist() == [{"id": 1}, {"id": 2}]
        store.book(NewRun(job="other", queue="default"))
        assert snapshot.rows("SELECT count(*) AS n FROM runs") == [(2,)]
    with source.snapshot() as snapshot:
        assert snapshot.rows("SELECT count(*) AS n FROM runs") == [(4,)]


def test_the_store_writes_and_reads_everything_afterwards(source: LedgerDatabase) -> None:
    with source.snapshot() as snapshot:
        assert snapshot.rows("SELECT id FROM runs WHERE id = 1") == [(1,)]
    with source.ledger.begin() as connection:
        connection.exec_driver_sql("UPDATE runs SET params = '{}'")
        connection.exec_driver_sql("SELECT count(*) FROM sealed_params")


SLOW = """
    WITH RECURSIVE a(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM a WHERE n < 30000000)
    SELECT count(*) AS n FROM a
"""


@pytest.mark.parametrize("how", ["rows", "batches"])
def test_a_query_that_takes_too_long_is_stopped(source: LedgerDatabase, how: str) -> None:
    limit = timedelta(seconds=0.3)

    def ask() -> None:
        if how == "rows":
            snapshot.rows(SLOW, time_limit=limit)
        else:
            with snapshot.batches(SLOW, time_limit=limit) as reader:
                reader.read_all()

    with source.snapshot() as snapshot:
        with pytest.raises(QueryTooLong, match="on source 'ledger'"):
            ask()
        assert snapshot.rows("SELECT id FROM runs WHERE id = 1") == [(1,)]


def test_a_plan_is_told(source: LedgerDatabase) -> None:
    with source.snapshot() as snapshot:
        plan = snapshot.plan(
            "SELECT id FROM runs WHERE job = :job", {"job": Parameter("text", "a")}
        )
    assert "runs" in " ".join(plan.lines)


def test_a_wrong_value_is_said_with_its_row(ledger: Database, tmp_path: Path) -> None:
    query = a_query("SELECT job FROM runs", AColumn(name="job", kind=Kind.INTEGER), source="ledger")
    with pytest.raises(WrongValue, match="row 1, column 'job'"):
        extracted(ledger, tmp_path, query)


def test_many_rows_come_some_thousands_at_a_time(source: LedgerDatabase) -> None:
    many = """
        WITH RECURSIVE a(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM a WHERE n < 12000)
        SELECT n, CASE WHEN n > 6000 THEN 'x' END AS t FROM a ORDER BY n DESC
    """
    with source.snapshot() as snapshot, snapshot.batches(many) as reader:
        sizes = [batch.num_rows for batch in reader]
    assert sizes == [5000, 5000, 2000]


def test_no_other_source_has_the_ledgers_name(tmp_path: Path) -> None:
    with pytest.raises(UnusableSource, match=r"ENGINE_SOURCES__LEDGER: .*give this source another"):
        Sources({"Ledger": "sqlite:///other.db"}, tmp_path)


def test_the_views_are_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "queries.md").read_text(encoding="utf-8")
    for name, view in VIEWS.items():
        columns = ", ".join([*seen(view), *view.durations])
        assert f"| `{name}` | {columns} |" in text
