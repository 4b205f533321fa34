"""Payments of ten mixed columns, in SQLite or PostgreSQL."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import psycopg

from benchmarks.writers.columns import COLUMNS

_SHAPE = (
    "id {id}, wallet TEXT NOT NULL, student TEXT, currency TEXT NOT NULL, amount BIGINT NOT NULL, "
    "fee BIGINT, share {decimal}, day {day} NOT NULL, posted_at {instant} NOT NULL, "
    "settled {boolean} NOT NULL"
)
_STUDENTS = np.array(
    [
        "Aisha Al-Harbi",
        "محمد بن عبدالله العتيبي",
        "Badr, the second",
        'Chadi "CJ" Haddad',
        "نورة",
        None,
    ]
)
_CHUNK = 100_000


def make_sqlite(path: Path, rows: int) -> None:
    """The payments as a SQLite file."""
    shape = _SHAPE.format(
        id="INTEGER PRIMARY KEY",
        decimal="DECIMAL(9, 6)",
        day="TEXT",
        instant="TEXT",
        boolean="INTEGER",
    )
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(f"CREATE TABLE payments ({shape})")
        marks = ", ".join("?" * len(COLUMNS))
        connection.executemany(f"INSERT INTO payments VALUES ({marks})", _rows(rows))  # noqa: S608
        connection.commit()


def make_postgres(url: str, rows: int) -> None:
    """The payments in an empty PostgreSQL database; a role `reader` may look at them."""
    shape = _SHAPE.format(
        id="BIGINT", decimal="NUMERIC(9, 6)", day="DATE", instant="TIMESTAMPTZ", boolean="BOOLEAN"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET timezone = 'UTC'")
        connection.execute(f"CREATE TABLE payments ({shape})".encode())
        with connection.cursor().copy("COPY payments FROM STDIN") as copy:
            for row in _rows(rows):
                copy.write_row(row)
        connection.execute("ALTER TABLE payments ADD PRIMARY KEY (id)")
        connection.execute("CREATE ROLE reader LOGIN")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
        connection.execute("VACUUM (ANALYZE)")


def _rows(rows: int) -> Iterator[tuple[Any, ...]]:
    random = np.random.default_rng(11)
    for start in range(0, rows, _CHUNK):
        many = min(_CHUNK, rows - start)
        wallets = random.integers(1, 200_000, many).tolist()
        students = _STUDENTS[random.integers(0, len(_STUDENTS), many)].tolist()
        currencies = np.array(["SAR", "SAR", "SAR", "KWD", "JPY"])[random.integers(0, 5, many)]
        amounts = random.integers(-2_000_000, 2_000_000, many)
        shares = random.integers(0, 1_000_001, many)
        seconds = np.sort(random.integers(0, 86_400 * 90, many)) + 1_767_225_600
        instants = np.datetime_as_string(seconds.astype("datetime64[s]")).tolist()
        for number in range(many):
            at = instants[number]
            yield (
                start + number + 1,
                f"W-{wallets[number]:08d}",
                students[number],
                str(currencies[number]),
                int(amounts[number]),
                int(abs(amounts[number]) // 40),
                f"{shares[number] // 1_000_000}.{shares[number] % 1_000_000:06d}",
                at[:10],
                f"{at[:10]} {at[11:]}+00:00",
                bool(amounts[number] > 0),
            )
