"""SQLite sources: one moment, and never a write."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import adbc_driver_manager
import pytest

from engine.sources.faults import InvalidQuery, SourceUnreachable, TooPrecise
from engine.sources.parameters import Parameter
from engine.sources.sqlite import SqliteDatabase
from engine.sources.sqlite_snapshot import SqliteSnapshot, bindable


@pytest.fixture(params=["delete", "wal"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> SqliteDatabase:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"PRAGMA journal_mode = {request.param}")
        connection.execute("CREATE TABLE wallets (id INTEGER, balance INTEGER)")
        connection.execute("CREATE TABLE entries (id INTEGER, amount INTEGER)")
        connection.execute("INSERT INTO wallets VALUES (1, 100)")
        connection.execute("INSERT INTO entries VALUES (1, 100)")
    return SqliteDatabase("canteen", path)


WRITER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=0)
try:
    connection.execute("INSERT INTO wallets VALUES (2, 5)")
    connection.execute("INSERT INTO entries VALUES (2, 5)")
    connection.commit()
except sqlite3.OperationalError as error:
    print(error)
"""


def write(path: Path) -> str:
    """Write from another process, as an application would; what it was told, if it could not."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", WRITER, str(path)], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_writer_between_two_reads_is_not_seen_by_the_second(database: SqliteDatabase) -> None:
    with database.snapshot() as snapshot:
        assert snapshot.rows("SELECT count(*) FROM wallets") == [(1,)]
        told = write(database.path)
        assert snapshot.rows("SELECT count(*) FROM entries") == [(1,)]
        assert snapshot.beside.rows("SELECT count(*) FROM entries") == [(1,)]
    # A database in WAL mode takes the write at once; another one asks the writer to wait.
    if told:
        assert told == "database is locked"
        assert write(database.path) == ""
    with database.snapshot() as snapshot:
        assert snapshot.rows("SELECT count(*) FROM entries") == [(2,)]


def test_the_moment_is_fixed_before_the_first_side_is_read(database: SqliteDatabase) -> None:
    with database.snapshot() as snapshot:
        write(database.path)
        assert snapshot.rows("SELECT count(*) FROM wallets") == [(1,)]


def test_two_readers_are_at_one_moment(database: SqliteDatabase) -> None:
    with database.snapshot() as snapshot:
        assert snapshot.beside is not snapshot


def test_a_write_while_two_readers_are_brought_together_is_noticed(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold, writes = SqliteSnapshot.hold, iter(range(3))

    def hold_after_a_write(self: SqliteSnapshot) -> None:
        if next(writes, None) is not None:
            write(database.path)
        hold(self)

    monkeypatch.setattr(SqliteSnapshot, "hold", hold_after_a_write)
    with database.snapshot() as snapshot:
        counts = {
            reader.rows("SELECT count(*) FROM wallets")[0][0]
            for reader in (snapshot, snapshot.beside)
        }
    assert len(counts) == 1


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM wallets",
        "INSERT INTO wallets VALUES (3, 3)",
        "DROP TABLE wallets",
        "PRAGMA user_version = 7",
        "ATTACH 'b.db' AS b",
        "SELECT 1; DELETE FROM wallets",
        "SELECT 1) ; DELETE FROM wallets; --",
        "SELECT * FROM pragma_table_info('wallets')",
        "WITH a AS (SELECT 1) DELETE FROM wallets",
        "",
    ],
)
def test_a_query_is_one_select(database: SqliteDatabase, query: str) -> None:
    with pytest.raises(InvalidQuery, match="cannot be used"):
        database.columns(query)
    with database.snapshot() as snapshot:
        assert snapshot.rows("SELECT count(*) FROM wallets") == [(1,)]


@pytest.mark.parametrize(
    ("query", "columns"),
    [
        ("SELECT id, balance AS b FROM wallets -- all of them", ["id", "b"]),
        ("WITH a AS (SELECT 1 AS one) SELECT * FROM a", ["one"]),
    ],
)
def test_a_select_tells_its_columns(
    database: SqliteDatabase, query: str, columns: list[str]
) -> None:
    assert [*database.columns(query)] == columns


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT nope FROM wallets", "no such column: nope"),
        ("SELECT * FROM nope", "no such table: nope"),
    ],
)
def test_what_is_not_there_is_named(database: SqliteDatabase, query: str, message: str) -> None:
    with pytest.raises(InvalidQuery, match=message):
        database.columns(query)


def test_a_snapshot_cannot_write(database: SqliteDatabase) -> None:
    with (
        pytest.raises(SourceUnreachable, match="readonly database"),
        database.snapshot() as snapshot,
    ):
        snapshot.rows("DELETE FROM wallets")


def test_a_value_of_another_type_is_an_error_and_no_cast(database: SqliteDatabase) -> None:
    with closing(sqlite3.connect(database.path)) as connection, connection:
        connection.execute("CREATE TABLE mixed (a)")
        connection.executemany("INSERT INTO mixed VALUES (?)", [(1,)] * 70_000 + [(1.5,)])
    with database.snapshot() as snapshot, pytest.raises(OSError, match="Type mismatch"):
        snapshot.rows("SELECT a FROM mixed")


def test_a_database_that_is_not_there_is_unreachable_and_not_made(tmp_path: Path) -> None:
    missing = SqliteDatabase("canteen", tmp_path / "missing.db")
    with pytest.raises(SourceUnreachable, match=r"'canteen' cannot be read: .*missing\.db"):
        missing.columns("SELECT 1")
    assert not missing.path.exists()


def test_a_file_that_is_no_database_is_unreachable(tmp_path: Path) -> None:
    path = tmp_path / "text.db"
    path.write_text("no database " * 100, encoding="utf-8")
    with pytest.raises(SourceUnreachable, match="not a database"):
        SqliteDatabase("canteen", path).require_reachable()


def test_errors_of_the_driver_are_explained(database: SqliteDatabase) -> None:
    with pytest.raises(SourceUnreachable), database.snapshot():
        raise adbc_driver_manager.OperationalError("disk I/O error", status_code=10)


@pytest.mark.parametrize("value", ["0.1", "2.500001", "-1e-7", "1E+2", "9223372036854775807"])
def test_a_decimal_is_bound_as_the_number_that_it_says(value: str) -> None:
    assert Decimal(repr(bindable(Parameter("decimal", Decimal(value))))) == Decimal(value)


@pytest.mark.parametrize("value", ["0.12345678901234567890", "9223372036854775807.5", "1E+400"])
def test_a_decimal_that_would_be_another_number_is_refused(value: str) -> None:
    with pytest.raises(TooPrecise, match="15 digits at most"):
        bindable(Parameter("decimal", Decimal(value)))
