"""One query read by two readers."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from engine.sources import halves
from engine.sources.halves import batches_in_halves
from engine.sources.sqlite import SqliteDatabase
from engine.sources.sqlite_snapshot import SqliteSnapshot

ROWS = 1_000


@pytest.fixture(autouse=True)
def _small_halves_are_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halves, "_WORTH", 10)


@pytest.fixture
def database(tmp_path: Path) -> SqliteDatabase:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE entries (id INTEGER PRIMARY KEY, other INTEGER, a)")
        rows = [(id_, id_, id_ * 2) for id_ in range(1, ROWS + 1)]
        connection.executemany("INSERT INTO entries VALUES (?, ?, ?)", rows)
    return SqliteDatabase("canteen", path)


def ids(snapshot: SqliteSnapshot, query: str, key: str = "id") -> list[int]:
    """The ids that come, in the order in which they do."""
    with batches_in_halves(snapshot, f"{key} AS id, a", query, key) as reader:
        return [id_ for batch in reader for id_ in batch.column(0).to_pylist()]


def readers_of(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The long queries that are read from now on."""
    queries: list[str] = []
    batches = SqliteSnapshot.batches

    def noted(self: SqliteSnapshot, query: str, **options: Any) -> object:
        if query.startswith(("SELECT id AS", "SELECT other AS")):
            queries.append(query)
        return batches(self, query, **options)

    monkeypatch.setattr(SqliteSnapshot, "batches", noted)
    return queries


def test_both_halves_come_once(database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    queries = readers_of(monkeypatch)
    with database.snapshot() as snapshot:
        found = ids(snapshot, "SELECT id, a FROM entries WHERE a > 2")
    assert sorted(found) == list(range(2, ROWS + 1))
    assert len(queries) == 2


@pytest.mark.parametrize(
    ("query", "key"),
    [
        ("SELECT * FROM entries", "other"),  # no index: each half would read everything
        ("SELECT * FROM entries ORDER BY a LIMIT 900", "id"),
        ("SELECT id, a FROM entries UNION ALL SELECT id + 5000, a FROM entries", "id"),
        ("SELECT max(id) AS id, a FROM entries GROUP BY a", "id"),
    ],
)
def test_what_is_no_plain_table_is_read_as_a_whole(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch, query: str, key: str
) -> None:
    with database.snapshot() as snapshot:
        expected = [row[0] for row in snapshot.rows(f"SELECT {key} FROM ({query})")]  # noqa: S608
        queries = readers_of(monkeypatch)
        assert ids(snapshot, query, key) == expected
    assert len(queries) == 1


def test_an_empty_table_is_empty(database: SqliteDatabase) -> None:
    with closing(sqlite3.connect(database.path)) as connection, connection:
        connection.execute("DELETE FROM entries")
    with database.snapshot() as snapshot:
        assert ids(snapshot, "SELECT * FROM entries") == []


def test_halves_of_different_types_are_read_as_a_whole(database: SqliteDatabase) -> None:
    with closing(sqlite3.connect(database.path)) as connection, connection:
        connection.execute("UPDATE entries SET a = 'x' WHERE id > 500")
    with database.snapshot() as snapshot:
        assert ids(snapshot, "SELECT * FROM entries") == list(range(1, ROWS + 1))


def test_an_error_of_either_half_is_raised(tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    count = 200_000
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE entries (id INTEGER PRIMARY KEY, a)")
        rows = ((id_, id_ if id_ < count else "x") for id_ in range(1, count + 1))
        connection.executemany("INSERT INTO entries VALUES (?, ?)", rows)
    with (
        SqliteDatabase("canteen", path).snapshot() as snapshot,
        pytest.raises(OSError, match="Type mismatch"),
    ):
        ids(snapshot, "SELECT * FROM entries")


def test_readers_stop_when_nobody_wants_the_rest(database: SqliteDatabase) -> None:
    with database.snapshot() as snapshot:
        with batches_in_halves(snapshot, "id, a", "SELECT * FROM entries", "id") as reader:
            next(iter(reader))
        assert snapshot.rows("SELECT count(*) FROM entries") == [(ROWS,)]
