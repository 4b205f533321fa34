"""What is PostgreSQL's own about a source: roles, ways to write from a SELECT, types, outages."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from engine.errors import Invalid
from engine.reconciliation.result import Result
from engine.sources.faults import (
    InvalidQuery,
    MayWrite,
    MissingDriver,
    SourceUnreachable,
    UnusableSource,
)
from engine.sources.postgres import PostgresDatabase
from tests.builders.postgres import PostgresServer, start_postgres
from tests.builders.reconciled import reconciled
from tests.builders.source import READER, SECRET_IN_URL, PostgresSource


@pytest.fixture
def source(postgres_server: PostgresServer) -> PostgresSource:
    source = PostgresSource(postgres_server)
    source.make("wallets", {"id": "whole", "balance": "whole"})
    source.fill("wallets", [(1, 100)])
    return source


@pytest.fixture
def database(source: PostgresSource) -> PostgresDatabase:
    return PostgresDatabase("canteen", source.url)


def untouched(source: PostgresSource) -> bool:
    return source.rows("SELECT id, balance FROM wallets") == [(1, 100)]


def test_a_superuser_is_refused_with_what_to_do(source: PostgresSource) -> None:
    with pytest.raises(MayWrite) as told:
        PostgresDatabase("canteen", source.owner_url).require_reachable()
    assert "'postgres', which is a superuser" in str(told.value)
    for part in ("CREATE ROLE engine_reader", "GRANT SELECT", "ENGINE_SOURCES__CANTEEN"):
        assert part in str(told.value)
    assert isinstance(told.value, Invalid)
    assert told.value.exit_code == 2


GRANTS = [
    "GRANT INSERT ON wallets TO {role}",
    "GRANT UPDATE (balance) ON wallets TO {role}",
    "GRANT DELETE ON wallets TO {role}",
    "GRANT TRUNCATE ON wallets TO {role}",
    "GRANT pg_write_all_data TO {role}",
    "ALTER TABLE wallets OWNER TO {role}",
    "CREATE VIEW seen AS SELECT * FROM wallets; GRANT UPDATE ON seen TO {role}",
    "CREATE ROLE {role}_group; GRANT ALL ON wallets TO {role}_group; GRANT {role}_group TO {role}",
    "GRANT DELETE ON wallets TO public",
]


@pytest.mark.parametrize("grant", GRANTS)
def test_a_role_that_may_write_anywhere_is_refused(
    source: PostgresSource, grant: str, database: PostgresDatabase
) -> None:
    role = f"{source.database}_writer"
    source.run(f"CREATE ROLE {role} LOGIN", f"GRANT SELECT ON wallets TO {role}")
    writer = PostgresDatabase("canteen", source.server.url_of(source.database, role=role))
    writer.require_reachable()
    source.run(*grant.format(role=role).split("; "))
    for ask in (writer.require_reachable, lambda: writer.columns("SELECT id FROM wallets")):
        with pytest.raises(MayWrite, match="may write to the table public"):
            ask()
    with pytest.raises(MayWrite), writer.snapshot():
        pass


WRITERS = [
    "SELECT nextval('numbers') AS a",
    "SELECT setval('numbers', 99) AS a",
    "SELECT lo_creat(-1) AS a",
    "SELECT lo_import('/etc/passwd') AS a",
    "SELECT writes() AS a",
    "SELECT elsewhere() AS a",
    "SELECT * FROM wallets FOR UPDATE",
    "SELECT * FROM wallets FOR SHARE",
    "SELECT 1 AS a INTO other",
    "WITH a AS (DELETE FROM wallets RETURNING *) SELECT * FROM a",
    "WITH a AS (INSERT INTO wallets VALUES (9, 9) RETURNING *) SELECT * FROM a",
    "SELECT set_config('transaction_read_only', 'off', false) AS a",
    "SELECT set_config('transaction_read_only', 'off', true) AS a, writes() AS b",
    "COPY wallets TO STDOUT",
    "EXPLAIN ANALYZE DELETE FROM wallets",
    "SELECT 1 AS a) TO STDOUT; DELETE FROM wallets; COPY (SELECT 2 AS b",
]


@pytest.fixture
def armed(source: PostgresSource) -> PostgresSource:
    """A database with everything that might help to write, open to the reader."""
    writing = "INSERT INTO wallets VALUES (3, 3)"
    away = f"dbname={source.database} host=127.0.0.1 port={source.server.port} user=postgres"
    source.run(
        "CREATE EXTENSION dblink",
        "CREATE SEQUENCE numbers",
        f"GRANT ALL ON SEQUENCE numbers TO {READER}",
        "CREATE FUNCTION writes() RETURNS int LANGUAGE sql SECURITY DEFINER "
        "AS 'INSERT INTO wallets VALUES (2, 2) RETURNING 1'",
        "CREATE FUNCTION elsewhere() RETURNS text LANGUAGE plpgsql AS "
        f"$$ BEGIN RETURN dblink_exec('{away}', '{writing}'); END $$",
    )
    return source


@pytest.mark.parametrize("query", WRITERS)
def test_nothing_is_written_from_within_a_select(
    armed: PostgresSource, database: PostgresDatabase, query: str
) -> None:
    numbers = armed.rows("SELECT last_value, is_called FROM numbers")
    with pytest.raises(InvalidQuery, match="the query on source 'canteen' cannot be used") as told:
        run_whole(database, query)
    assert "\n" not in str(told.value)
    assert untouched(armed)
    assert armed.rows("SELECT last_value, is_called FROM numbers") == numbers
    assert armed.rows("SELECT count(*) FROM pg_largeobject_metadata") == [(0,)]


@pytest.mark.parametrize("query", WRITERS)
def test_nothing_is_written_by_what_was_not_checked_before(
    armed: PostgresSource, database: PostgresDatabase, query: str
) -> None:
    with pytest.raises((InvalidQuery, SourceUnreachable)):
        read(database, query)
    assert untouched(armed)


def run_whole(database: PostgresDatabase, query: str) -> None:
    """As a side of a definition is read."""
    database.columns(query)
    read(database, f"SELECT * FROM ({query}\n) AS found")  # noqa: S608


def read(
    database: PostgresDatabase, query: str, *, meanwhile: Callable[[], object] = lambda: None
) -> None:
    """Read to the end; something happens behind the first batch."""
    with database.snapshot() as snapshot, snapshot.batches(query) as reader:
        next(iter(reader))
        meanwhile()
        reader.read_all()


def test_what_is_notified_in_a_query_is_never_sent(
    source: PostgresSource, database: PostgresDatabase
) -> None:
    with psycopg.connect(source.owner_url, autocommit=True) as listener:
        listener.execute("LISTEN news")
        with database.snapshot() as snapshot:
            snapshot.rows("SELECT pg_notify('news', 'x')")
        assert [*listener.notifies(timeout=0.2)] == []


def test_a_role_that_may_not_read_a_table_is_told(source: PostgresSource) -> None:
    source.run(f"REVOKE SELECT ON wallets FROM {READER}")  # noqa: S608
    database = PostgresDatabase("canteen", source.url)
    with pytest.raises(InvalidQuery, match="permission denied for table wallets"):
        database.columns("SELECT id FROM wallets")


def test_settings_of_the_role_change_nothing(source: PostgresSource) -> None:
    role = f"{source.database}_odd"
    source.run(
        f"CREATE ROLE {role} LOGIN",
        f"GRANT SELECT ON wallets TO {role}",
        f"ALTER ROLE {role} SET timezone = 'Asia/Riyadh'",
        f"ALTER ROLE {role} SET datestyle = 'German'",
        f"ALTER ROLE {role} SET bytea_output = 'escape'",
        f"ALTER ROLE {role} SET standard_conforming_strings = off",
        f"ALTER ROLE {role} SET idle_in_transaction_session_timeout = '200ms'",
        f"ALTER ROLE {role} SET default_transaction_read_only = off",
    )
    database = PostgresDatabase("canteen", source.server.url_of(source.database, role=role))
    with database.snapshot() as snapshot:
        assert snapshot.rows(
            "SELECT '2026-11-01 09:00:00Z'::timestamptz::text, '\\x01'::bytea::text, '\\'::text"
        ) == [("2026-11-01 09:00:00+00", "\\x01", "\\")]
        shown = "SELECT current_setting('transaction_read_only') || "
        shown += "current_setting('transaction_isolation') AS a"
        with snapshot.batches(shown) as reader:
            assert reader.read_all().to_pylist() == [{"a": "onrepeatable read"}]
        # What holds the moment is idle while others read.
        with snapshot.batches("SELECT 1 AS a FROM pg_sleep(0.5)") as reader:
            reader.read_all()
        assert snapshot.rows("SELECT 1") == [(1,)]


TYPES = {
    "1::int2": ("1", True),
    "1::int4": ("1", True),
    "1::int8": ("1", True),
    "1.00::numeric": ("1", True),
    "1.00::numeric(10,2)": ("1", True),
    "100::numeric(5,-2)": ("100", True),
    "1.50::numeric": ("1.5", False),
    "'NaN'::numeric": ("NaN", False),
    "1::float8": ("1", False),
    "1::float4": ("1", False),
    "'1'::text": ("1", False),
    "'1'::char(5)": ("1", False),
    "'1'::citext": ("1", False),
    "'1'::money": ("$1.00", False),
    "true": ("true", False),
    "'\\xab01'::bytea": ("AB01", False),
    "'{00000000-0000-0000-0000-00000000ABCD}'::uuid": (
        "00000000-0000-0000-0000-00000000abcd",
        False,
    ),
    "'2026-11-01'::date": ("2026-11-01", False),
    "'2026-11-01 12:00+03'::timestamptz": ("2026-11-01 09:00:00+00", False),
    "'2026-11-01 12:00'::timestamp": ("2026-11-01 12:00:00", False),
    "'infinity'::timestamptz": (None, False),
    "'0044-03-15 BC'::date": (None, False),
    "'topup'::kind": ("topup", False),
    "'{\"a\": 1}'::jsonb": ('{"a": 1}', False),
}


@pytest.mark.parametrize("value", TYPES)
def test_a_value_of_any_type_has_its_text_and_is_whole_or_not(
    source: PostgresSource, database: PostgresDatabase, value: str
) -> None:
    source.run("CREATE TYPE kind AS ENUM ('topup')", "CREATE EXTENSION citext")
    query = f"SELECT {value} AS v"
    sql = database.dialect(database.columns(query))
    asked = f"SELECT {sql.text('v')}, {sql.is_whole('v')}, {sql.is_one_of(sql.key('v'), ['1'])}"
    with database.snapshot() as snapshot:
        found = snapshot.rows(f"{asked} FROM ({query}) AS a")
        # Each can be read in batches as well, as a key and as an amount.
        amount = f"SELECT {sql.key('v')} AS k, {sql.amount('v')} AS a FROM ({query}) AS a"  # noqa: S608
        with snapshot.batches(amount) as reader:
            ((key, number),) = [row.values() for row in reader.read_all().to_pylist()]
    text, whole = TYPES[value]
    assert [row[:2] for row in found] == [(text, whole)]
    assert (key is None) == (text is None)
    assert (
        (number == int(text or 0)) if whole else (not isinstance(number, int) or number < -(2**62))
    )


DEFINITION = """
title: Wallets
timezone: {zone}
currency: SAR
source: canteen
sides:
  wallets:
    query: SELECT id, balance FROM wallets
    columns: {{wallet: id, balance: balance}}
  entries:
    query: >
      SELECT {entry} AS id, {wallet} AS wallet, {amount} AS amount, {at} AS posted_at
      FROM entries
    columns: {{wallet: wallet, entry: id, amount: amount, posted_at: posted_at}}
stored: balance
checks: {{balance: {{}}}}
"""


def find(source: PostgresSource, folder: Path, zone: str = "UTC", **columns: str) -> Result:
    own = {"entry": "id", "wallet": "1", "amount": "amount", "at": "posted_at"} | columns
    return reconciled(source.url, folder, DEFINITION.format(zone=zone, **own))


@pytest.fixture
def entries(source: PostgresSource) -> PostgresSource:
    source.make("entries", {"id": "whole", "amount": "whole", "posted_at": "instant"})
    source.run("INSERT INTO entries VALUES (1, 60, '2026-11-01'), (2, 40, '2026-11-02')")
    return source


@pytest.mark.parametrize(
    "at",
    [
        "posted_at",
        "posted_at AT TIME ZONE 'UTC'",
        "posted_at::date",
        "posted_at::text",
        "extract(epoch FROM posted_at)::int8",
        "(extract(epoch FROM posted_at) * 1000)::int8",
        "to_char(posted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
    ],
)
@pytest.mark.parametrize("wallet", ["1::numeric", "'1'::char(9)", "1::int2", "'1'::varchar"])
def test_instants_and_ids_may_have_any_type(
    entries: PostgresSource, tmp_path: Path, at: str, wallet: str
) -> None:
    result = find(entries, tmp_path, at=at, wallet=wallet)
    assert (result.findings, result.differences) == ([], [])
    assert [t.entries for t in result.totals] == [2]


@pytest.mark.parametrize(
    ("amount", "told"),
    [
        ("amount::float8", "the float8 '60': a whole number is due"),
        ("amount::text", "the text '60': a whole number is due"),
        ("amount + 0.5", "the numeric '60.5': a whole number is due"),
        ("amount::text::money", "the money '$60.00': a whole number is due"),
        ("amount * 1e18", "the numeric '60000000000000000000': it is larger than any amount"),
        ("'NaN'::numeric", "the numeric 'NaN': a whole number is due"),
        ("'Infinity'::numeric", "the numeric 'Infinity'"),
        ("NULL::int8", "NULL: a whole number is due"),
    ],
)
def test_what_is_no_amount_is_a_finding(
    entries: PostgresSource, tmp_path: Path, amount: str, told: str
) -> None:
    findings = find(entries, tmp_path, amount=amount).findings
    assert [(each.side, each.where) for each in findings] == [
        ("entries", "row 1, column amount"),
        ("entries", "row 2, column amount"),
    ]
    assert findings[0].message.startswith(told)


def test_infinity_is_no_instant(entries: PostgresSource, tmp_path: Path) -> None:
    entries.run("UPDATE entries SET posted_at = 'infinity' WHERE id = 2")
    findings = find(entries, tmp_path).findings
    assert [each.where for each in findings] == ["row 2, column posted_at"]


def test_a_local_time_is_in_the_definitions_zone(entries: PostgresSource, tmp_path: Path) -> None:
    entries.run("UPDATE entries SET posted_at = '2029-12-31 22:00:00Z'")
    # At midnight in Riyadh it is ten in the evening in UTC, and the cut-off is midnight in UTC.
    local = "posted_at AT TIME ZONE 'UTC' + interval '2 hours'"
    counted = [
        sum(t.entries for t in find(entries, tmp_path, zone=zone, at=local).totals)
        for zone in ("UTC", "Asia/Riyadh")
    ]
    assert counted == [0, 2]


def test_two_columns_of_one_name_are_refused(database: PostgresDatabase) -> None:
    with pytest.raises(InvalidQuery, match="gives two columns 'id'"):
        database.columns("SELECT a.id, b.id FROM wallets a, wallets b")


def test_an_error_in_the_middle_is_the_querys(
    source: PostgresSource, database: PostgresDatabase
) -> None:
    query = "SELECT 1 / (900000 - i) AS a FROM generate_series(1, 1000000) i"
    with pytest.raises(InvalidQuery, match="division by zero"):
        read(database, query)


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    server = start_postgres()
    yield server
    server.remove()


LONG = "SELECT i AS a, repeat('x', 100) AS b FROM generate_series(1, 3000000) i"


def test_a_server_that_dies_while_rows_are_read_is_unreachable(own_server: PostgresServer) -> None:
    database = PostgresDatabase("canteen", PostgresSource(own_server).url)
    with pytest.raises(SourceUnreachable) as told:
        read(database, LONG, meanwhile=own_server.stop)
    assert "\n" not in str(told.value)
    with pytest.raises(SourceUnreachable):
        database.require_reachable()


def test_a_connection_that_is_ended_is_unreachable(
    source: PostgresSource, database: PostgresDatabase
) -> None:
    end = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE query LIKE 'COPY%' AND datname = current_database()"
    )
    with pytest.raises(SourceUnreachable, match=r"terminating connection|closed the connection"):
        read(database, LONG, meanwhile=lambda: source.rows(end))


def test_a_statement_timeout_of_the_role_is_said(source: PostgresSource) -> None:
    role = f"{source.database}_hasty"
    source.run(f"CREATE ROLE {role} LOGIN", f"ALTER ROLE {role} SET statement_timeout = '50ms'")
    database = PostgresDatabase("canteen", source.server.url_of(source.database, role=role))
    with (
        pytest.raises(SourceUnreachable, match="statement timeout"),
        database.snapshot() as snapshot,
    ):
        snapshot.rows("SELECT pg_sleep(5)")


@pytest.mark.parametrize("module", ["psycopg", "adbc_driver_postgresql"])
def test_a_missing_driver_is_one_line_with_what_to_install(
    database: PostgresDatabase, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingDriver, match=r"pip install engine\[postgres\]") as told:
        run_whole(database, "SELECT 1 AS a")
    assert told.value.exit_code == 2


def test_a_url_that_means_nothing_is_unusable() -> None:
    database = PostgresDatabase("canteen", f"postgresql://r:{SECRET_IN_URL}@h/d?nope=1")
    with pytest.raises(UnusableSource, match=r"ENGINE_SOURCES__CANTEEN: .*nope") as told:
        database.columns("SELECT 1")
    assert SECRET_IN_URL not in str(told.value)
