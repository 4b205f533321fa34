"""What is MySQL's and MariaDB's own about a source: roles, collations, types, locks, outages."""

import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.errors import Invalid
from engine.reconciliation.result import Result
from engine.sources import mysql
from engine.sources.catalog import open_source
from engine.sources.faults import (
    InvalidQuery,
    MayWrite,
    MissingDriver,
    SourceUnreachable,
    UnusableSource,
)
from engine.sources.folder import Folder
from engine.sources.mysql import MysqlDatabase
from engine.sources.parameters import Parameter
from tests.builders.mariadb import MariadbServer, start_mariadb
from tests.builders.reconciled import reconciled
from tests.builders.source import SECRET_IN_URL, MariadbSource

NINE = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def source(mariadb_server: MariadbServer) -> MariadbSource:
    source = MariadbSource(mariadb_server)
    source.make("wallets", {"id": "whole", "balance": "whole"})
    source.fill("wallets", [(1, 100)])
    return source


@pytest.fixture
def database(source: MariadbSource) -> MysqlDatabase:
    return MysqlDatabase("canteen", source.url)


def read(
    database: MysqlDatabase, query: str, *, meanwhile: Callable[[], object] = lambda: None
) -> None:
    """Read to the end; something happens behind the first batch."""
    with database.snapshot() as snapshot, snapshot.batches(query) as reader:
        next(iter(reader))
        meanwhile()
        reader.read_all()


def run_whole(database: MysqlDatabase, query: str) -> None:
    """As a side of a definition is read."""
    database.columns(query)
    read(database, f"SELECT * FROM ({query}\n) AS found")  # noqa: S608


def test_the_owner_is_refused_with_what_to_do(source: MariadbSource) -> None:
    with pytest.raises(MayWrite) as told:
        MysqlDatabase("canteen", source.server.url_of(source.database)).require_reachable()
    for part in ("'root@", "ALL PRIVILEGES", "CREATE USER engine_reader", "GRANT SELECT"):
        assert part in str(told.value)
    assert isinstance(told.value, Invalid)
    assert told.value.exit_code == 2


GRANTS = [
    "GRANT INSERT ON `{db}`.* TO {role}",
    "GRANT UPDATE (balance) ON `{db}`.wallets TO {role}",
    "GRANT SELECT, DELETE ON `{db}`.wallets TO {role}",
    "GRANT FILE ON *.* TO {role}",
    "GRANT CREATE ON `{db}`.* TO {role}",
    "GRANT ALL ON elsewhere.* TO {role}",
    "GRANT SELECT ON `{db}`.* TO {role} WITH GRANT OPTION",
    "GRANT EXECUTE ON `{db}`.* TO {role}",
    "GRANT EVENT ON `{db}`.* TO {role}",
    "GRANT SUPER ON *.* TO {role}",
    (
        "CREATE ROLE {role}_group; GRANT INSERT ON `{db}`.* TO {role}_group; "
        "GRANT {role}_group TO {role}; SET DEFAULT ROLE {role}_group FOR {role}"
    ),
    # Not in force from the start, but to be had by SET ROLE; and a role's own role.
    (
        "CREATE ROLE {role}_group; GRANT INSERT ON `{db}`.* TO {role}_group; "
        "CREATE ROLE {role}_other; GRANT {role}_group TO {role}_other; "
        "GRANT {role}_other TO {role}"
    ),
]


@pytest.mark.parametrize("grant", GRANTS)
def test_a_role_that_may_write_anywhere_is_refused(source: MariadbSource, grant: str) -> None:
    role = f"{source.database}_w"
    source.run(f"CREATE USER {role}", f"GRANT SELECT ON `{source.database}`.* TO {role}")
    writer = MysqlDatabase("canteen", source.server.url_of(source.database, role=role))
    writer.require_reachable()
    source.run(*grant.format(role=role, db=source.database).split("; "))
    for ask in (writer.require_reachable, lambda: writer.columns("SELECT id FROM wallets")):
        with pytest.raises(MayWrite, match="has the right") as told:
            ask()
        assert "Take that away: REVOKE " in str(told.value)
    with pytest.raises(MayWrite), writer.snapshot():
        pass


def test_a_role_that_reads_in_many_ways_is_taken(source: MariadbSource) -> None:
    role, group = f"{source.database}_r", f"{source.database}_g"
    source.run(
        f"CREATE USER {role}",
        f"CREATE ROLE {group}",
        f"GRANT SELECT (id), SELECT ON `{source.database}`.wallets TO {group}",
        f"GRANT SHOW VIEW, LOCK TABLES ON `{source.database}`.* TO {role}",
        f"GRANT PROCESS ON *.* TO {role}",
        f"GRANT {group} TO {role}",
        f"SET DEFAULT ROLE {group} FOR {role}",
        f"CREATE ROLE {group}_more",
        f"GRANT SELECT ON `{source.database}`.* TO {group}_more",
        f"GRANT {group}_more TO {role}",
        f"CREATE ROLE {group}_own",
        f"GRANT {group}_own TO {group}",
    )
    url = source.server.url_of(source.database, role=role)
    # By the rights of the role that is in force from the start, whatever was looked at before.
    assert [*MysqlDatabase("canteen", url).columns("SELECT id FROM wallets")] == ["id"]


WRITERS = [
    "SELECT NEXTVAL(numbers) AS a",
    "SELECT writes() AS a",
    "SELECT * FROM wallets FOR UPDATE",
    "SELECT * FROM wallets LOCK IN SHARE MODE",
    "SELECT * FROM wallets /* here */ lock  in\nshare mode",
    "SELECT * FROM wallets /*!50000 LOCK IN SHARE MODE */",
    "SELECT * FROM wallets /*M! LOCK IN SHARE MODE */",
    "SELECT 1 AS a INTO @a",
    "SELECT 1 AS a INTO OUTFILE '/tmp/engine-written'",
    "SELECT 1 AS a; DELETE FROM wallets",
    "SET GLOBAL max_connections = 1",
    "CALL nothing()",
    "HANDLER wallets OPEN",
]


@pytest.mark.parametrize("query", WRITERS)
def test_nothing_is_written_or_locked_from_within_a_select(
    source: MariadbSource, database: MysqlDatabase, query: str
) -> None:
    source.run(
        "CREATE SEQUENCE numbers",
        "CREATE FUNCTION writes() RETURNS INT MODIFIES SQL DATA "
        "BEGIN INSERT INTO wallets VALUES (2, 2); RETURN 1; END",
    )
    with pytest.raises(InvalidQuery, match="cannot be used") as told:
        run_whole(database, query)
    assert "\n" not in str(told.value)
    assert source.rows("SELECT id, balance FROM wallets") == [(1, 100)]
    assert source.rows("SELECT next_not_cached_value FROM numbers") == [(1,)]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 'for update' AS a",
        'SELECT "lock in share mode" AS a',
        "SELECT 1 AS `for update`",
        "SELECT 1 AS a -- for update\n",
        "SELECT 1 AS a # for update\n",
        "SELECT 1 AS a /* for update */",
        "SELECT 'it''s \\' for update' AS a",
        "SELECT 'sleep(1)' AS a, \"get_lock(1)\" AS b, 1 AS `sleep` /* sleep(1) */",
        "SELECT w.sleep AS a, w.id AS benchmark FROM (SELECT id, 1 AS sleep FROM wallets) w",
    ],
)
def test_words_in_quotes_are_only_words(database: MysqlDatabase, query: str) -> None:
    run_whole(database, query)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("SELECT SLEEP(1000) AS a", "SLEEP()"),
        ("SELECT sleep /* here */ (1000) AS a", "SLEEP()"),
        ("SELECT `sleep`(1000) AS a", "SLEEP()"),
        ("SELECT id, GET_LOCK('a', -1) AS a FROM wallets", "GET_LOCK()"),
        ("SELECT RELEASE_ALL_LOCKS() AS a", "RELEASE_ALL_LOCKS()"),
        ("SELECT BENCHMARK(1e12, 1) AS a", "BENCHMARK()"),
        ("SELECT LOAD_FILE('/etc/passwd') AS a", "LOAD_FILE()"),
        ("SELECT NEXT  VALUE\nFOR numbers AS a", "NEXT VALUE FOR"),
        ("SELECT MASTER_GTID_WAIT('0-1-100') AS a", "MASTER_GTID_WAIT()"),
    ],
)
def test_a_function_that_does_more_than_read_is_named(
    database: MysqlDatabase, query: str, name: str
) -> None:
    with pytest.raises(InvalidQuery, match=f"{re.escape(name)} does more than read; leave it out"):
        database.columns(query)


def test_a_lock_is_not_waited_for_for_ever(
    source: MariadbSource, database: MysqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty = mysql._SESSION.replace("lock_wait_timeout = 30", "lock_wait_timeout = 1")
    assert hasty.count("= 1,") == 2
    monkeypatch.setattr(mysql, "_SESSION", hasty)
    with source.server.connect(source.database) as other, other.cursor() as cursor:
        cursor.execute("LOCK TABLES wallets WRITE")
        with pytest.raises(SourceUnreachable, match="somebody locks what it reads"):
            run_whole(database, "SELECT id FROM wallets")
        cursor.execute("UNLOCK TABLES")
    run_whole(database, "SELECT id FROM wallets")


@pytest.mark.parametrize("engine", ["MyISAM", "Aria", "MEMORY"])
def test_a_table_that_keeps_no_snapshots_is_refused(
    source: MariadbSource, database: MysqlDatabase, engine: str
) -> None:
    source.run(f"CREATE TABLE old_wallets (id INT) ENGINE = {engine}")
    for query in ("SELECT id FROM old_wallets", "SELECT w.id FROM`old_wallets`AS w"):
        with pytest.raises(InvalidQuery, match="ALTER TABLE old_wallets ENGINE = InnoDB"):
            database.columns(query)
    run_whole(database, "SELECT id FROM wallets WHERE 'very_old_wallets_too' <> ''")


def test_a_role_that_may_not_read_a_table_is_told(source: MariadbSource) -> None:
    role = f"{source.database}_n"
    source.run(f"CREATE USER {role}", f"GRANT SHOW VIEW ON `{source.database}`.* TO {role}")
    database = MysqlDatabase("canteen", source.server.url_of(source.database, role=role))
    with pytest.raises(InvalidQuery, match="SELECT command denied"):
        database.columns("SELECT id FROM wallets")


TYPES = {
    "CAST(1 AS SIGNED)": ("int", "1", 1),
    "CAST(1 AS UNSIGNED)": ("unsigned", "1", 1),
    "CAST(18446744073709551615 AS UNSIGNED)": ("unsigned", "18446744073709551615", None),
    "CAST(1 AS DECIMAL(10,2))": ("decimal", "1", 1),
    "CAST(100 AS DECIMAL(10,0))": ("decimal", "100", 100),
    "CAST(-1.50 AS DECIMAL(10,2))": ("decimal", "-1.5", None),
    "CAST(1 AS DOUBLE)": ("double", "1", None),
    "CAST(1 AS FLOAT)": ("float", "1", None),
    "'1'": ("text", "1", None),
    "X'AB01'": ("binary", "AB01", None),
    "b'101'": ("binary", "05", None),
    "DATE '2026-11-01'": ("date", "2026-11-01", None),
    "TIMESTAMP '2026-11-01 09:00:00.5'": ("datetime", "2026-11-01 09:00:00.5", None),
    "CAST('00000000-0000-0000-0000-00000000abcd' AS UUID)": (
        "text",
        "00000000-0000-0000-0000-00000000abcd",
        None,
    ),
}


@pytest.mark.parametrize("value", TYPES)
def test_a_value_of_any_type_has_its_text_and_is_whole_or_not(
    database: MysqlDatabase, value: str
) -> None:
    query = f"SELECT {value} AS v"
    types = database.columns(query)
    sql = database.dialect(types)
    kind, text, number = TYPES[value]
    assert types == {"v": kind}
    with database.snapshot() as snapshot:
        found = snapshot.rows(f"SELECT {sql.text('v')} AS t FROM ({query}) AS a")  # noqa: S608
        asked = f"SELECT {sql.amount('v')} AS a FROM ({query}) AS a"  # noqa: S608
        with snapshot.batches(asked) as reader:
            ((amount,),) = [row.values() for row in reader.read_all().to_pylist()]
    assert [tuple(row) for row in found] == [(text,)]
    if number is None:
        assert amount == -(2**63) or isinstance(amount, str)
    else:
        assert amount == number


DEFINITION = """
title: Wallets
timezone: {zone}
currency: SAR
source: canteen
sides:
  wallets:
    query: SELECT * FROM wallets
    columns: {{wallet: id, balance: balance}}
  entries:
    query: SELECT * FROM entries
    columns: {{wallet: wallet, entry: id, amount: amount, posted_at: posted_at}}
sign: {{column: type, plus: [topup], minus: [purchase]}}
stored: balance
checks: {{balance: {{}}}}
"""


def find(source: MariadbSource, folder: Path, zone: str = "UTC") -> Result:
    return reconciled(source.url, folder, DEFINITION.format(zone=zone))


def make_entries(source: MariadbSource, **types: str) -> None:
    """Entries with columns of some types."""
    own = {
        **dict.fromkeys(("id", "wallet", "amount"), "bigint"),
        "type": "varchar(20)",
        "posted_at": "datetime",
    } | types
    declared = ", ".join(f"{name} {kind}" for name, kind in own.items())
    source.run(f"CREATE TABLE entries ({declared}) ENGINE = InnoDB")


def test_wallets_and_signs_that_differ_in_case_are_not_one(
    source: MariadbSource, tmp_path: Path
) -> None:
    source.run("DROP TABLE wallets")
    source.make("wallets", {"id": "text", "balance": "whole"})
    source.fill("wallets", [("a", 3), ("A", 5), ("á", 7), ("b", 0)])
    make_entries(source, wallet="varchar(9)")
    source.fill(
        "entries",
        [
            *((1, "a", 3, "topup", "2026-11-01"), (2, "A", 5, "topup", "2026-11-01")),
            *((3, "á", 7, "topup", "2026-11-01"), (4, "b", 9, "TOPUP", "2026-11-01")),
        ],
    )
    result = find(source, tmp_path)
    assert result.differences == []
    assert [finding.where for finding in result.findings] == ["row 4, column type"]
    assert [(t.stored_minor, t.entries_minor) for t in result.totals] == [(15, 15)]


@pytest.mark.parametrize(
    ("kind", "values", "told"),
    [
        ("double", (60, 40), "the double '60': a whole number is due"),
        ("float", (60, 40), "the float '60': a whole number is due"),
        ("varchar(9)", ("60", "40"), "the text '60': a whole number is due"),
        ("decimal(10,2)", ("60.5", "39.5"), "the decimal '60.5': a whole number is due"),
        ("bigint unsigned", (2**63, 2**64 - 1), "the unsigned '9223372036854775808': it is larger"),
        ("bigint", (2 * 10**18, -(2**63)), "the int '2000000000000000000': it is larger"),
        ("bigint", (None, None), "NULL: a whole number is due"),
    ],
)
def test_what_is_no_amount_is_a_finding(
    source: MariadbSource, tmp_path: Path, kind: str, values: tuple[object, ...], told: str
) -> None:
    make_entries(source, amount=kind)
    rows = [(at, 1, value, "topup", "2026-11-01") for at, value in enumerate(values, 1)]
    source.fill("entries", rows)
    findings = find(source, tmp_path).findings
    assert [(each.side, each.where) for each in findings] == [
        ("entries", "row 1, column amount"),
        ("entries", "row 2, column amount"),
    ]
    assert findings[0].message.startswith(told)


@pytest.mark.parametrize("kind", ["int unsigned", "bigint unsigned", "decimal(20,4)", "smallint"])
def test_amounts_of_any_exact_type_may_have_a_sign(
    source: MariadbSource, tmp_path: Path, kind: str
) -> None:
    make_entries(source, amount=kind)
    source.fill(
        "entries", [(1, 1, 110, "topup", "2026-11-01"), (2, 1, 10, "purchase", "2026-11-01")]
    )
    result = find(source, tmp_path)
    assert (result.findings, result.differences) == ([], [])


def test_days_that_are_none_are_findings(source: MariadbSource, tmp_path: Path) -> None:
    make_entries(source)
    source.fill(
        "entries",
        [
            *((1, 1, 60, "topup", "2026-11-01"), (2, 1, 40, "topup", "0000-00-00")),
            *((3, 1, 0, "topup", "2026-00-10"), (4, 1, 0, "topup", "2026-11-00 09:00:00")),
        ],
    )
    result = find(source, tmp_path)
    assert [finding.where for finding in result.findings] == [
        f"row {row}, column posted_at" for row in (2, 3, 4)
    ]


@pytest.mark.parametrize(
    ("kind", "value", "in_riyadh"),
    [
        # Half past nine in the evening in UTC is half past midnight in Riyadh.
        ("timestamp NULL", "2029-12-31 21:30:00", 2),
        ("datetime", "2029-12-31 21:30:00", 2),
        ("datetime(6)", "2030-01-01 00:30:00.5", 2),
        ("timestamp(6) NULL", "2030-01-01 00:30:00.5", 0),
        ("date", "2030-01-01", 2),
        ("varchar(40)", "2030-01-01T00:30:00", 2),
        ("varchar(40)", "2030-01-01T00:30:00Z", 0),
        ("bigint", 1893457800, 0),
    ],
)
def test_instants_may_have_any_type_and_a_local_time_is_in_the_definitions_zone(
    source: MariadbSource, tmp_path: Path, kind: str, value: object, in_riyadh: int
) -> None:
    make_entries(source, posted_at=kind)
    source.fill("entries", [(1, 1, 60, "topup", value), (2, 1, 40, "topup", value)])
    result = find(source, tmp_path, zone="Asia/Riyadh")
    assert result.findings == []
    assert sum(totals.entries for totals in result.totals) == in_riyadh


def test_values_of_every_length_come_whole(source: MariadbSource, database: MysqlDatabase) -> None:
    lengths = [0, 1, 250, 251, 252, 253, 65_535, 65_536, 70_000, 17_000_000]
    source.run("CREATE TABLE texts (id INT(5) UNSIGNED ZEROFILL, t LONGTEXT) ENGINE = InnoDB")
    source.run("SET GLOBAL max_allowed_packet = 64 * 1024 * 1024")
    for length in lengths:
        source.run(f"INSERT INTO texts VALUES ({length}, REPEAT('é', {length}))")  # noqa: S608
    source.run("INSERT INTO texts VALUES (NULL, NULL)")
    with database.snapshot() as snapshot, snapshot.batches("SELECT id, t FROM texts") as reader:
        rows = [tuple(row.values()) for row in reader.read_all().to_pylist()]
    assert rows == [*((length, "é" * length) for length in lengths), (None, None)]


def test_settings_of_the_server_change_nothing(tmp_path: Path, own_server: MariadbServer) -> None:
    own_server.execute("SET GLOBAL time_zone = '+03:00'")
    own_server.execute("SET GLOBAL sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH'")
    own_server.execute("SET GLOBAL wait_timeout = 1")
    source = MariadbSource(own_server)
    source.run("CREATE TABLE wallets (id CHAR(9), balance INT)")
    source.run("INSERT INTO wallets VALUES ('1', 100)")
    make_entries(source, type="CHAR(9)", posted_at="timestamp NULL", wallet="char(5)")
    source.fill("entries", [(1, "1", 100, "topup", NINE)])
    result = find(source, tmp_path)
    assert (result.findings, result.differences) == ([], [])
    assert sum(totals.entries for totals in result.totals) == 1


@pytest.fixture
def own_server() -> Iterator[MariadbServer]:
    server = start_mariadb()
    yield server
    server.remove()


LONG = "SELECT a.seq AS a, REPEAT('x', 100) AS b FROM seq_1_to_1000 a CROSS JOIN seq_1_to_1000 b"


def test_a_server_that_dies_while_rows_are_read_is_unreachable(own_server: MariadbServer) -> None:
    database = MysqlDatabase("canteen", MariadbSource(own_server).url)
    with pytest.raises(SourceUnreachable) as told:
        read(database, LONG, meanwhile=own_server.kill)
    assert "\n" not in str(told.value)
    with pytest.raises(SourceUnreachable):
        database.require_reachable()


@pytest.mark.parametrize("how", ["KILL", "KILL QUERY"])
def test_a_connection_that_is_ended_is_unreachable(
    source: MariadbSource, database: MysqlDatabase, how: str
) -> None:
    def end() -> None:
        asked = "SELECT id FROM information_schema.processlist WHERE user = 'reader'"
        for (id_,) in source.rows(f"{asked} AND db = '{source.database}'"):
            source.run(f"{how} {id_}")

    with pytest.raises(SourceUnreachable):
        read(database, LONG, meanwhile=end)


def test_a_table_that_is_changed_after_the_moment_is_said(
    source: MariadbSource, database: MysqlDatabase
) -> None:
    with database.snapshot() as snapshot:
        source.run("ALTER TABLE wallets ADD more INT, ALGORITHM = COPY")
        with pytest.raises(SourceUnreachable, match="definition has changed"):
            snapshot.rows("SELECT id FROM wallets")


def test_a_missing_driver_is_one_line_with_what_to_install(
    database: MysqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pymysql", None)
    with pytest.raises(MissingDriver, match=r"pip install engine\[mysql\]") as told:
        run_whole(database, "SELECT 1 AS a")
    assert told.value.exit_code == 2


@pytest.mark.parametrize(
    ("end", "message"),
    [
        ("/", "it names no database"),
        ("", "it names no database"),
        ("/d?nope=1", "the option 'nope' is not known; known are connect_timeout"),
        ("/d?connect_timeout=soon", "a whole number of seconds is due"),
        ("/d?ssl_verify_cert=maybe", "true or false is due"),
    ],
)
def test_a_url_that_means_nothing_is_unusable(tmp_path: Path, end: str, message: str) -> None:
    source = open_source("canteen", f"mysql://r:{SECRET_IN_URL}@127.0.0.1{end}", tmp_path)
    with pytest.raises(UnusableSource, match=message) as told:
        source.require_reachable()
    assert SECRET_IN_URL not in str(told.value)


def test_options_of_the_url_are_used(source: MariadbSource) -> None:
    socket = str(source.server.folder / "socket")
    url = f"{source.url}?charset=latin1&connect_timeout=3&unix_socket={socket}"
    MysqlDatabase("canteen", url.replace(f":{source.server.port}", ":1")).require_reachable()


@pytest.mark.parametrize(
    "collation", ["utf8mb4_bin", "utf8mb4_unicode_ci", "latin1_swedish_ci", "ascii_bin"]
)
def test_a_text_parameter_is_compared_by_the_columns_collation(
    mariadb_server: MariadbServer, tmp_path: Path, collation: str
) -> None:
    source = MariadbSource(mariadb_server)
    charset = collation.partition("_")[0]
    column = f"VARCHAR(20) CHARACTER SET {charset} COLLATE {collation}"
    source.run(f"CREATE TABLE words (w {column}) ENGINE = InnoDB")
    source.fill("words", [("topup",), ("TOPUP",)])
    database = open_source("canteen", source.url, tmp_path)
    assert not isinstance(database, Folder)
    query, params = "SELECT w FROM words WHERE w = :w", {"w": Parameter("text", "topup")}
    with database.snapshot() as snapshot, snapshot.batches(query, params=params) as reader:
        found = reader.read_all().column(0).to_pylist()
    assert found == (["topup"] if collation.endswith("_bin") else ["topup", "TOPUP"])
