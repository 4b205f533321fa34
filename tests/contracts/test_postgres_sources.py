"""What is PostgreSQL's own about a source: roles, ways to write from a SELECT, types, outages."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from engine.errors import Invalid
from engine.reconciliation.result import Result
from engine.sources import postgres
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


# With the right that is named, and what takes it away.
GRANTS = {
    "GRANT INSERT ON wallets TO {role}": (
        "has the right INSERT on the table public.wallets;",
        "REVOKE INSERT ON TABLE public.wallets FROM {role}",
    ),
    "GRANT UPDATE (balance) ON wallets TO {role}": (
        "has the right UPDATE (balance) on the table public.wallets;",
        "REVOKE UPDATE (balance) ON TABLE public.wallets FROM {role}",
    ),
    "GRANT TRUNCATE ON wallets TO {role}": (
        "has the right TRUNCATE on the table public.wallets;",
        "REVOKE TRUNCATE ON TABLE public.wallets FROM {role}",
    ),
    "GRANT TRIGGER ON wallets TO {role}": (
        "has the right TRIGGER on the table public.wallets;",
        "REVOKE TRIGGER ON TABLE public.wallets FROM {role}",
    ),
    "ALTER TABLE wallets OWNER TO {role}": (
        "owns the table public.wallets;",
        "Make one, and name it in ENGINE_SOURCES__CANTEEN",
    ),
    "CREATE VIEW seen AS SELECT * FROM wallets; GRANT UPDATE ON seen TO {role}": (
        "has the right UPDATE on the table public.seen;",
        "REVOKE UPDATE ON TABLE public.seen FROM {role}",
    ),
    "CREATE ROLE {role}_g; GRANT DELETE ON wallets TO {role}_g; GRANT {role}_g TO {role}": (
        "has the right DELETE on the table public.wallets through {role}_g;",
        "REVOKE DELETE ON TABLE public.wallets FROM {role}_g",
    ),
    "ALTER ROLE {role} NOINHERIT; CREATE ROLE {role}_g; GRANT DELETE ON wallets TO {role}_g; "
    "GRANT {role}_g TO {role}": (
        "has the right DELETE on the table public.wallets through {role}_g;",
        "REVOKE DELETE ON TABLE public.wallets FROM {role}_g",
    ),
    "GRANT DELETE ON wallets TO public": (
        "has the right DELETE on the table public.wallets through PUBLIC;",
        "REVOKE DELETE ON TABLE public.wallets FROM PUBLIC",
    ),
    "CREATE SEQUENCE numbers; GRANT USAGE ON SEQUENCE numbers TO {role}": (
        "has the right USAGE on the sequence public.numbers;",
        "REVOKE USAGE ON SEQUENCE public.numbers FROM {role}",
    ),
    "CREATE SEQUENCE numbers; GRANT UPDATE ON SEQUENCE numbers TO {role}": (
        "has the right UPDATE on the sequence public.numbers;",
        "REVOKE UPDATE ON SEQUENCE public.numbers FROM {role}",
    ),
    "GRANT CREATE ON SCHEMA public TO {role}": (
        "has the right CREATE on the schema public;",
        "REVOKE CREATE ON SCHEMA public FROM {role}",
    ),
    "GRANT CREATE ON SCHEMA public TO PUBLIC": (
        "has the right CREATE on the schema public through PUBLIC;",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    ),
    "CREATE SCHEMA own AUTHORIZATION {role}": ("owns the schema own;", "Make one"),
    "GRANT CREATE ON DATABASE {database} TO {role}": (
        "has the right CREATE on the database {database};",
        "REVOKE CREATE ON DATABASE {database} FROM {role}",
    ),
    "ALTER DATABASE {database} OWNER TO {role}": ("owns the ", "Make one"),
    "ALTER ROLE {role} CREATEDB": ("has the attribute CREATEDB;", "ALTER ROLE {role} NOCREATEDB"),
    "ALTER ROLE {role} CREATEROLE": (
        "has the attribute CREATEROLE;",
        "ALTER ROLE {role} NOCREATEROLE",
    ),
    "ALTER ROLE {role} REPLICATION": (
        "has the attribute REPLICATION;",
        "ALTER ROLE {role} NOREPLICATION",
    ),
    "CREATE ROLE {role}_g CREATEDB; GRANT {role}_g TO {role}": (
        "has the attribute CREATEDB as {role}_g;",
        "ALTER ROLE {role}_g NOCREATEDB",
    ),
    "CREATE ROLE {role}_g SUPERUSER; GRANT {role}_g TO {role}": (
        "may become {role}_g, a superuser;",
        "REVOKE {role}_g FROM {role}",
    ),
    "GRANT pg_write_all_data TO {role}": (
        "is a member of pg_write_all_data;",
        "REVOKE pg_write_all_data FROM {role}",
    ),
    "ALTER ROLE {role} NOINHERIT; CREATE ROLE {role}_g; GRANT pg_execute_server_program "
    "TO {role}_g; GRANT {role}_g TO {role}": (
        "is a member of pg_execute_server_program;",
        "REVOKE pg_execute_server_program FROM {role}_g",
    ),
    "GRANT pg_write_server_files TO {role}": (
        "is a member of pg_write_server_files;",
        "REVOKE pg_write_server_files FROM {role}",
    ),
    "GRANT pg_signal_backend TO {role}": (
        "is a member of pg_signal_backend;",
        "REVOKE pg_signal_backend FROM {role}",
    ),
}


@pytest.mark.parametrize("grant", GRANTS)
def test_a_role_that_may_write_anywhere_is_refused(source: PostgresSource, grant: str) -> None:
    role = f"{source.database}_writer"
    names = {"role": role, "database": source.database}
    source.run(f"CREATE ROLE {role} LOGIN", f"GRANT SELECT ON wallets TO {role}")
    writer = PostgresDatabase("canteen", source.server.url_of(source.database, role=role))
    writer.require_reachable()
    source.run(*grant.format(**names).split("; "))
    right, remedy = (each.format(**names) for each in GRANTS[grant])
    for ask in (writer.require_reachable, lambda: writer.columns("SELECT id FROM wallets")):
        with pytest.raises(MayWrite) as told:
            ask()
        assert f"'{role}', which {right}" in str(told.value)
        assert remedy in str(told.value)
        assert "GRANT SELECT ON ALL TABLES" in str(told.value)
    with pytest.raises(MayWrite), writer.snapshot():
        pass


def test_who_logs_in_as_a_superuser_and_then_is_another_is_refused(source: PostgresSource) -> None:
    role = f"{source.database}_masked"
    source.run(f"CREATE ROLE {role} LOGIN SUPERUSER", f"ALTER ROLE {role} SET role = {READER}")
    with pytest.raises(MayWrite, match="is a superuser"):
        PostgresDatabase(
            "canteen", source.server.url_of(source.database, role=role)
        ).require_reachable()


def test_a_role_that_reads_in_many_ways_is_taken(source: PostgresSource) -> None:
    role = f"{source.database}_r"
    source.run(
        f"CREATE ROLE {role} LOGIN BYPASSRLS",
        f"CREATE ROLE {role}_g CREATEDB",
        f"GRANT SELECT, REFERENCES ON wallets TO {role}",
        f"GRANT pg_read_all_data, pg_monitor TO {role}",
        f"GRANT TEMPORARY ON DATABASE {source.database} TO {role}",
        "CREATE SEQUENCE numbers",
        f"GRANT SELECT ON SEQUENCE numbers TO {role}",
        # A membership of which nothing can be made.
        f"GRANT {role}_g TO {role} WITH INHERIT FALSE, SET FALSE",
    )
    url = source.server.url_of(source.database, role=role)
    assert [*PostgresDatabase("canteen", url).columns("SELECT id FROM wallets")] == ["id"]


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


# By the name that is told.
HANGING = {
    "SELECT pg_advisory_lock(1) AS a": "pg_advisory_lock",
    "SELECT pg_try_advisory_xact_lock(1) AS a": "pg_try_advisory_xact_lock",
    "SELECT id, pg_sleep(1000) AS a FROM wallets": "pg_sleep",
    "SELECT id FROM wallets WHERE pg_sleep_for('1 hour') IS NOT NULL": "pg_sleep_for",
    'SELECT pg_catalog . "pg_sleep" /* ( */ (1000) AS a': "pg_sleep",
    'SELECT U&"pg\\005fsleep"(1000) AS a': "U&",
    "SELECT 1 AS a LIMIT length(set_config('lock_timeout', '0', false))": "set_config",
    "SELECT * FROM (VALUES (1, pg_sleep(1000)), (2, pg_sleep(1))) v(a, b)": "pg_sleep",
    "SELECT 1 AS a /* /* */ ' */ LIMIT length(pg_sleep(9)::text) --'": "pg_sleep",
    "SELECT pg_terminate_backend(1) AS a": "pg_terminate_backend",
    "SELECT pg_notify('a', 'b') AS a": "pg_notify",
    "SELECT dblink_connect('dbname=x') AS a": "dblink_connect",
    "SELECT query_to_xml('SELECT pg_sleep(9)', true, true, '') AS a": "query_to_xml",
    "SELECT nextval('numbers') AS a": "nextval",
    # Where the query does not say it.
    "SELECT * FROM sleepy": "pg_sleep",
    "SELECT snooze(1000) AS a": "pg_sleep",
}


@pytest.mark.parametrize("query", HANGING)
def test_a_function_that_does_more_than_read_is_named(
    source: PostgresSource, database: PostgresDatabase, query: str
) -> None:
    source.run(
        "CREATE EXTENSION dblink",
        "CREATE SEQUENCE numbers",
        "CREATE VIEW sleepy AS SELECT id, pg_sleep(1000) IS NULL AS slept FROM wallets",
        "CREATE FUNCTION snooze(s int) RETURNS void LANGUAGE sql AS 'SELECT pg_sleep(s)'",
    )
    with pytest.raises(InvalidQuery) as told:
        database.columns(query)
    assert HANGING[query] in str(told.value)
    assert "leave it out" in str(told.value) or "write the name itself" in str(told.value)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 'pg_sleep(1)' AS a, $x$nextval('y')$x$ AS b, E'it\\'s set_config(1)' AS c",
        "SELECT 1 AS a -- pg_sleep(1)",
        "SELECT 1 AS a /* pg_sleep(1) /* and */ pg_sleep(2) */",
        "SELECT 1 AS pg_sleep, 2 AS nextval FROM (SELECT 3 AS lo_creat) l WHERE lo_creat = 3",
        "SELECT my_set_config(1) AS a FROM (SELECT 1 AS set_config) s",
    ],
)
def test_words_in_quotes_are_only_words(
    source: PostgresSource, database: PostgresDatabase, query: str
) -> None:
    source.run("CREATE FUNCTION my_set_config(int) RETURNS int LANGUAGE sql AS 'SELECT $1'")
    run_whole(database, query)


def test_a_lock_is_not_waited_for_for_ever(
    source: PostgresSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "'lock_timeout', '30s', true" in postgres._SET
    monkeypatch.setattr(postgres, "_SET", postgres._SET.replace("30s", "200ms"))
    database = PostgresDatabase("canteen", source.url)
    with psycopg.connect(source.owner_url) as other:
        other.execute("LOCK TABLE wallets IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(SourceUnreachable, match="somebody locks what it reads"):
            database.columns("SELECT id FROM wallets")
        with pytest.raises(SourceUnreachable, match="somebody locks what it reads"):
            read(database, "SELECT id FROM wallets")
    run_whole(database, "SELECT id FROM wallets")


def test_what_planning_carries_out_does_not_hang(
    source: PostgresSource, database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "'60s'" in postgres._PLANNING
    hasty = postgres._PLANNING.replace("60s", "300ms")
    monkeypatch.setattr(postgres, "_PLANNING", hasty)
    source.run(
        "CREATE FUNCTION one() RETURNS int STABLE LANGUAGE plpgsql "
        "AS $$ BEGIN PERFORM pg_sleep(1000); RETURN 1; END $$"
    )
    with pytest.raises(SourceUnreachable, match="statement timeout"):
        database.columns("SELECT id FROM wallets WHERE id = one()")


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
