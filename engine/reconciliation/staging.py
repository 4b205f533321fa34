"""Staging: the rows of the sides in DuckDB, as exact integers, where SQL can compare them.

It spills to disk past its memory limit, can reach no file or network, and its settings are
locked before the first row comes in.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any

from engine.errors import EngineError
from engine.sources.instants import instant_sql

_LOCKED = (
    "autoinstall_known_extensions = false",
    "autoload_known_extensions = false",
    "enable_external_access = false",
    "lock_configuration = true",
)
_ON_DISK = "200MB"  # enough for sorting a share of the rows
# By which DuckDB says that it is the disk, and not memory, that has no room.
_FULL = ("max_temp_directory_size", "No space left on device")
_MOST_BITS, _BITS_EACH = 10**9, 1_000  # the longest bitmap that DuckDB makes, and that is worth it
_WHOLE_NUMBER = r"0|-?[1-9][0-9]{0,17}"


class ScratchFull(EngineError):
    """The disk for what does not fit into memory is full."""

    message = (
        "no space left in {folder} for the rows that do not fit into memory ({error}); check its "
        "free space, or set TMPDIR to a folder with more"
    )


class Staging:
    """One reconciliation's rows; gone when it is closed."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def load(self, table: str, reader: Any, *, zone: str, only: str = "true") -> None:
        """Stage a `pyarrow.RecordBatchReader`; `posted_at` becomes microseconds since 1970.

        `only` is a condition in SQL that a row must meet to be kept.
        """
        self.connection.register("incoming", reader)
        try:
            kinds = {
                name: kind
                for name, kind, *_ in self.connection.execute("DESCRIBE incoming").fetchall()
            }
            columns = [
                f"{instant_sql(name, kind, zone)} AS {name}" if name == "posted_at" else f'"{name}"'
                for name, kind in kinds.items()
            ]
            selected = f"SELECT {', '.join(columns)} FROM incoming WHERE {only}"  # noqa: S608
            self.run(f"CREATE OR REPLACE TABLE {table} AS {selected}")
        finally:
            self.connection.unregister("incoming")

    def kind(self, table: str, column: str) -> str:
        """DuckDB's type of a column."""
        rows = self.rows(f"DESCRIBE {table}")
        return next(str(kind) for name, kind, *_ in rows if name == column)

    def number(self, table: str, column: str) -> bool:
        """Keep ids as whole numbers where all of them are, so that they sort as such."""
        if self.kind(table, column) == "BIGINT":
            return True
        matches = f"regexp_full_match(\"{column}\", '{_WHOLE_NUMBER}')"
        ((all_,),) = self.rows(f"SELECT coalesce(bool_and({matches}), true) FROM {table}")  # noqa: S608
        if all_:
            # DuckDB converts the deleted rows as well, whose ids may be anything.
            whole = f'TRY_CAST("{column}" AS BIGINT)'
            self.run(f'ALTER TABLE {table} ALTER "{column}" TYPE BIGINT USING {whole}')
        return bool(all_)

    def as_text(self, table: str, column: str) -> None:
        """Keep ids as text, because others of them are no numbers."""
        self.run(f'ALTER TABLE {table} ALTER "{column}" TYPE VARCHAR')

    def has_null(self, table: str, columns: Sequence[str]) -> bool:
        """Whether a value is missing in any of the columns."""
        if not columns:
            return False
        present = " + ".join(f'count("{column}")' for column in columns)
        ((missing,),) = self.rows(
            f"SELECT count(*) * {len(columns)} - ({present}) FROM {table}"  # noqa: S608
        )
        return bool(missing)

    def beyond(self, table: str, columns: Sequence[str], most: int) -> bool:
        """Whether a number in any of the columns is further from zero than `most`."""
        if not columns:
            return False
        ends = ", ".join(f'min("{column}"), max("{column}")' for column in columns)
        (found,) = self.rows(f"SELECT {ends} FROM {table}")  # noqa: S608
        return any(end is not None and abs(end) > most for end in found)

    def count(self, table: str) -> int:
        """How many rows a table holds."""
        ((count,),) = self.rows(f"SELECT count(*) FROM {table}")  # noqa: S608
        return int(count)

    def are_single(self, table: str, column: str) -> bool:
        """Whether no whole number is there twice; False where that would take long to say.

        A bitmap then has as many bits as there are numbers; a bit costs far less than a group.
        """
        if self.kind(table, column) != "BIGINT":
            return False
        ends = f'min("{column}"), max("{column}"), count("{column}")'
        ((least, most, count),) = self.rows(f"SELECT {ends} FROM {table}")  # noqa: S608
        if not count:
            return True
        if most - least >= min(_MOST_BITS, _BITS_EACH * count):
            return False
        bits = f'bit_count(bitstring_agg("{column}", {least}, {most}))'
        ((found,),) = self.rows(
            f'SELECT {bits} FROM {table} WHERE "{column}" IS NOT NULL'  # noqa: S608
        )
        return bool(found == count)

    def fingerprint(self, table: str) -> str:
        """A digest of the rows that does not depend on their order."""
        names = [str(name) for name, *_ in self.rows(f"DESCRIBE {table}")]
        row = f"hash({', '.join(_quoted(name) for name in names)})"
        parts = self.rows(f"SELECT count(*), bit_xor({row}), sum({row} >> 32) FROM {table}")  # noqa: S608
        return hashlib.sha256(repr((names, parts)).encode()).hexdigest()

    def run(self, statement: str, values: Sequence[Any] = ()) -> None:
        """Carry out a statement."""
        self.connection.execute(statement, values or None)

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The few rows of a query."""
        found: list[tuple[Any, ...]] = self.connection.execute(query, values or None).fetchall()
        return found

    def batches(self, query: str, *, rows: int) -> Iterator[Any]:
        """The rows of a query as `pyarrow.RecordBatch`es of about `rows`, in the query's order."""
        cursor = self.connection.cursor()
        try:
            yield from cursor.sql(query).to_arrow_reader(rows)
        finally:
            cursor.close()

    def insert(self, table: str, columns: str, batches: Sequence[Any]) -> None:
        """Add the rows of `pyarrow.RecordBatch`es; `columns` are selected from them."""
        import pyarrow as pa

        self.connection.register("incoming", pa.Table.from_batches(batches))
        try:
            self.run(f"INSERT INTO {table} SELECT {columns} FROM incoming")  # noqa: S608
        finally:
            self.connection.unregister("incoming")

    def stream(self, query: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """The many rows of a query, some thousands at a time."""
        cursor = self.connection.cursor()
        try:
            cursor.execute(query, values or None)
            while rows := cursor.fetchmany(10_000):
                yield from rows
        finally:
            cursor.close()


@contextmanager
def open_staging(
    *,
    zone: str = "UTC",
    memory_limit: str = "1GB",
    threads: int = 2,
    scratch: Path | None = None,
    on_disk: bool = False,
) -> Iterator[Staging]:
    """An empty staging, whose texts without an offset are in `zone`.

    Tables lie in memory, and what does not fit is spilled; or `on_disk`, which takes half of the
    memory and a fifth more time. Either way the files are in a folder of its own in `scratch`, and
    go with it.
    """
    import duckdb

    with _room_in(scratch), TemporaryDirectory(prefix="staging-", dir=scratch) as folder:
        file = str(Path(folder, "staging.duckdb")) if on_disk else ":memory:"
        connection = duckdb.connect(file, config={"threads": str(threads)})
        connection.execute("SET memory_limit = ?", [_ON_DISK if on_disk else memory_limit])
        connection.execute("SET TimeZone = ?", [zone])
        connection.execute("SET temp_directory = ?", [folder])
        for setting in _LOCKED:  # in this order: the last one forbids any other
            connection.execute(f"SET {setting}")
        try:
            yield Staging(connection)
        finally:
            connection.close()


@contextmanager
def _room_in(scratch: Path | None) -> Iterator[None]:
    """Say which disk is full, when one is."""
    import duckdb

    try:
        yield
    except (duckdb.Error, OSError) as error:
        said = str(error)
        if not any(sign in said for sign in _FULL):
            raise
        first = said.partition("\n")[0]
        raise ScratchFull(folder=scratch or gettempdir(), error=first) from error


def _quoted(name: str) -> str:
    return f'"{name}"'
