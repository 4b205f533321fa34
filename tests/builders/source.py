"""Sources of every kind with the same rows: a database, its tables, and the URL of its reader.

A test that wants one of each takes the fixture `source_database`, which is a `SourceDatabase` of
each kind in turn.

Columns are given by kind: `whole` (integers of 64 bits), `number` (exact, with fractions),
`text`, and `instant` (aware datetimes). In SQLite they have no type, so anything goes in.
"""

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Protocol

import psycopg

from tests.builders.mariadb import MariadbServer
from tests.builders.postgres import PostgresServer

Row = Sequence[Any]
READER = "reader"
SECRET = "s3cret/@:word"  # noqa: S105 - as awkward in a URL as a password may be
SECRET_IN_URL = "s3cret%2F%40%3Aword"  # noqa: S105


class SourceDatabase(Protocol):
    """A database that the tests own and the engine reads."""

    @property
    def url(self) -> str:
        """Where the engine reads it, under a role that cannot write."""

    def make(self, table: str, columns: Mapping[str, str]) -> None:
        """Make an empty table; `columns` are kinds by name."""

    def fill(self, table: str, rows: Iterable[Row]) -> None:
        """Add rows, with a value for each column, and commit them."""

    def clear(self, table: str) -> None:
        """Take all rows out, and commit."""

    def run(self, *statements: str) -> None:
        """Carry out statements in one transaction, as the owner."""

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query, as the owner."""


@dataclass
class SqliteSource:
    """A file in `folder`."""

    folder: Path
    types: ClassVar = {"whole": "", "number": "", "text": "", "instant": ""}

    @property
    def path(self) -> Path:
        """The database."""
        return self.folder / "canteen.db"

    @property
    def url(self) -> str:
        """Its absolute path."""
        return f"sqlite:///{self.path}"

    def make(self, table: str, columns: Mapping[str, str]) -> None:
        """In the mode in which readers let writers in."""
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("PRAGMA journal_mode = wal")
            connection.execute(f"CREATE TABLE {table} ({_declared(columns, self.types)})")

    def fill(self, table: str, rows: Iterable[Row]) -> None:
        """Instants as text in UTC; numbers with fractions as REAL."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            for row in rows:
                values = [_for_sqlite(value) for value in row]
                marks = ", ".join("?" * len(values))
                connection.execute(f"INSERT INTO {table} VALUES ({marks})", values)  # noqa: S608

    def clear(self, table: str) -> None:
        """Take all rows out, while nothing is read."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute(f"DELETE FROM {table}")  # noqa: S608

    def run(self, *statements: str) -> None:
        """Carry out statements in one transaction, in another process.

        Two SQLites in one process drop each other's locks on a file, so this one writes while
        nothing is read.
        """
        ran = subprocess.run(  # noqa: S603
            [sys.executable, "-c", _RUN, str(self.path), *statements],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(query).fetchall()


@dataclass
class PostgresSource:
    """A database of its own on a server, with a role that may only read."""

    server: PostgresServer
    database: str = field(init=False)
    types: ClassVar = {
        "whole": "bigint",
        "number": "numeric",
        "text": "text",
        "instant": "timestamptz",
    }

    def __post_init__(self) -> None:
        self.database = self.server.make_database()
        if not self.server.execute(f"SELECT 1 FROM pg_roles WHERE rolname = '{READER}'"):  # noqa: S608
            self.server.execute(f"CREATE ROLE {READER} LOGIN PASSWORD '{SECRET}'")
            _ask_for_passwords(self.server)
        self.run(
            f"GRANT USAGE ON SCHEMA public TO {READER}",
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {READER}",
        )

    @property
    def url(self) -> str:
        """Of the reader."""
        return self.server.url_of(self.database, role=READER, password=SECRET_IN_URL)

    @property
    def owner_url(self) -> str:
        """Of a superuser."""
        return self.server.url_of(self.database)

    def make(self, table: str, columns: Mapping[str, str]) -> None:
        """Make an empty table."""
        self.run(f"CREATE TABLE {table} ({_declared(columns, self.types)})")

    def fill(self, table: str, rows: Iterable[Row]) -> None:
        """By COPY."""
        with (
            psycopg.connect(self.owner_url) as connection,
            connection.cursor() as cursor,
            cursor.copy(f"COPY {table} FROM STDIN".encode()) as copy,
        ):
            for row in rows:
                copy.write_row(row)

    def clear(self, table: str) -> None:
        """Take all rows out, and commit."""
        self.run(f"DELETE FROM {table}")  # noqa: S608

    def run(self, *statements: str) -> None:
        """Carry out statements in one transaction, as the owner."""
        with psycopg.connect(self.owner_url) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query, as the owner."""
        with psycopg.connect(self.owner_url) as connection:
            return connection.execute(query.encode()).fetchall()


@dataclass
class MariadbSource:
    """A database of its own on a server, with a role that may only read it."""

    server: MariadbServer
    database: str = field(init=False)
    types: ClassVar = {
        "whole": "bigint",
        "number": "decimal(38, 6)",
        "text": "varchar(191)",
        "instant": "timestamp(6) NULL",
    }

    def __post_init__(self) -> None:
        self.database = self.server.make_database()
        self.server.execute(f"CREATE USER IF NOT EXISTS {READER} IDENTIFIED BY '{SECRET}'")
        self.server.execute(f"GRANT SELECT ON `{self.database}`.* TO {READER}")

    @property
    def url(self) -> str:
        """Of the reader."""
        return self.server.url_of(self.database, role=READER, password=SECRET_IN_URL)

    def make(self, table: str, columns: Mapping[str, str]) -> None:
        """Make an empty table, whose texts know no upper and lower case."""
        self.run(f"CREATE TABLE {table} ({_declared(columns, self.types)}) ENGINE = InnoDB")

    def fill(self, table: str, rows: Iterable[Row]) -> None:
        """By statements of many rows."""
        with self.server.connect(self.database) as connection, connection.cursor() as cursor:
            values = [[_for_mariadb(value) for value in row] for row in rows]
            if values:
                marks = ", ".join(["%s"] * len(values[0]))
                cursor.executemany(f"INSERT INTO {table} VALUES ({marks})", values)  # noqa: S608
            connection.commit()

    def clear(self, table: str) -> None:
        """Take all rows out, and commit."""
        self.run(f"DELETE FROM {table}")  # noqa: S608

    def run(self, *statements: str) -> None:
        """Carry out statements in one transaction, as the owner."""
        with self.server.connect(self.database) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            connection.commit()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query, as the owner."""
        return self.server.execute(query, self.database)


BACKENDS = ("sqlite", "postgresql", "mariadb")


def a_source(
    backend: str, folder: Path, server: Callable[[str], Any]
) -> SqliteSource | PostgresSource | MariadbSource:
    """An empty database of a kind; `server` gives a fixture by its name."""
    if backend == "sqlite":
        return SqliteSource(folder)
    if backend == "postgresql":
        return PostgresSource(server("postgres_server"))
    return MariadbSource(server("mariadb_server"))


WORLD = {
    "students": {"id": "whole"},
    "wallets": {
        "id": "whole",
        "student_id": "whole",
        "currency": "text",
        "opening_minor": "whole",
        "balance_minor": "whole",
    },
    "entries": {
        "id": "whole",
        "wallet_id": "whole",
        "type": "text",
        "reference": "text",
        "amount_minor": "whole",
        "currency": "text",
        "balance_after_minor": "whole",
        "posted_at": "instant",
        "status": "text",
    },
}


def copy_world(path: Path, source: SourceDatabase) -> None:
    """The tables of a demo world that are reconciled, as they are in its SQLite file."""
    with closing(sqlite3.connect(path)) as connection:
        for table, columns in WORLD.items():
            source.make(table, columns)
            rows = connection.execute(f"SELECT {', '.join(columns)} FROM {table}")  # noqa: S608
            instants = [at for at, kind in enumerate(columns.values()) if kind == "instant"]
            source.fill(table, (_with_instants(row, instants) for row in rows))


def _with_instants(row: Row, instants: Sequence[int]) -> Row:
    return [
        datetime.fromisoformat(value) if at in instants else value for at, value in enumerate(row)
    ]


_RUN = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as connection:
    for statement in sys.argv[2:]:
        connection.execute(statement)
"""


def _ask_for_passwords(server: PostgresServer) -> None:
    """Of the reader; everybody else is trusted."""
    file = server.folder / "data" / "pg_hba.conf"
    rule = f"host all {READER} 127.0.0.1/32 scram-sha-256\n"
    file.write_text(rule + file.read_text(encoding="utf-8"), encoding="utf-8")
    server.execute("SELECT pg_reload_conf()")


def _declared(columns: Mapping[str, str], types: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {types[kind]}" for name, kind in columns.items())


def _for_sqlite(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal | int):
        whole = value == int(value) and -(2**63) <= value < 2**63
        return int(value) if whole else float(value)
    return value


def _for_mariadb(value: object) -> object:
    # Its session is in UTC.
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value
