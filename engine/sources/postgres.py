"""A PostgreSQL database as a source: read under a role that cannot write, all at one moment.

One connection holds a REPEATABLE READ READ ONLY transaction and exports its snapshot. Every long
reading is a connection of its own that takes up that snapshot, so any number of them are at one
moment, and one that is given up or fails does no harm to the others. Rows come as Arrow batches
through ADBC, by COPY in binary.

A query is never sent but as the one subquery of a SELECT that is prepared, which holds one
statement only. Nothing is ever committed.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

from engine.redaction.urls import hide_password
from engine.sources.database import Kind
from engine.sources.failures import Failures
from engine.sources.faults import InvalidQuery, MissingDriver, SourceUnreachable, UnusableSource
from engine.sources.postgres_errors import meaning
from engine.sources.postgres_role import require_reader
from engine.sources.postgres_sql import PostgresSql
from engine.sources.postgres_words import objection

if TYPE_CHECKING:
    from psycopg import Connection

_BATCH = "adbc.postgresql.batch_size_hint_bytes"
_BATCH_BYTES = 4 * 1024 * 1024

# A server that is gone without a word is noticed. What the URL says goes before these.
_CONNECTING = {
    "application_name": "engine",
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
# However the database or the role is set, a reading means the same. The connection that holds the
# moment is idle while others read: not for ever, if this machine is gone without a word. Reading
# waits for nobody's lock but that of an ALTER TABLE and its like. All of it ends with the
# transaction, so that a pooler between may give the connection to anybody then.
_SETTINGS = {
    "idle_in_transaction_session_timeout": "24h",
    "lock_timeout": "30s",
    "standard_conforming_strings": "on",
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "iso_8601",
    "bytea_output": "hex",
    "extra_float_digits": "1",
}
_SET = "SELECT " + ", ".join(
    # Should anything ever end the transaction with a commit, whatever comes after it is read only.
    ["set_config('default_transaction_read_only', 'on', false)"]
    + [f"set_config('{name}', '{value}', true)" for name, value in _SETTINGS.items()]
)


# Planning a query carries out some of its functions; that takes no such time.
_PLANNING = "SELECT set_config('statement_timeout', '60s', true)"


@dataclass(frozen=True)
class PostgresDatabase:
    """A database by its name and URL."""

    name: str
    url: str = field(repr=False)

    def require_reachable(self) -> None:
        """Raise SourceUnreachable unless it answers, MayWrite if the role may write."""
        with self._held():
            pass

    def columns(self, query: str) -> Mapping[str, str]:
        """The columns that a query gives, with their types; raises unless it is one SELECT.

        PostgreSQL plans the query and checks what it may do, but runs none of it.
        """
        psycopg = _driver()
        with self._held() as connection:
            connection.execute(_PLANNING)
            # As itself it can only be one statement, as a subquery it can only be a SELECT.
            told = connection.pgconn.prepare(b"", query.encode())
            if told.status == psycopg.pq.ExecStatus.FATAL_ERROR:
                error = psycopg.errors.error_from_result(told)
                raise self.fault(error.sqlstate, str(error))
            shape = f"SELECT * FROM ({query}\n) AS found LIMIT 0"  # noqa: S608
            try:
                explain = f"EXPLAIN (VERBOSE, COSTS off) {shape}".encode()
                plan = "\n".join(line for (line,) in connection.execute(explain, prepare=True))
                if reason := objection(query) or objection(plan):
                    raise InvalidQuery(source=self.name, reason=reason)
                cursor = connection.execute(shape.encode(), prepare=True)
            except psycopg.Error as error:
                raise self.fault(error.sqlstate, str(error)) from error
            assert cursor.description is not None  # noqa: S101 - a SELECT has one
            found = {}
            for column in cursor.description:
                if column.name in found:
                    reason = f"it gives two columns {column.name!r}"
                    raise InvalidQuery(source=self.name, reason=reason)
                kind = connection.adapters.types.get(column.type_code)
                found[column.name] = kind.name if kind else "other"
            return found

    def dialect(self, columns: Mapping[str, str]) -> PostgresSql:
        """PostgreSQL's SQL, about these columns."""
        return PostgresSql(columns)

    @contextmanager
    def snapshot(self) -> "Iterator[PostgresSnapshot]":
        """One moment of the database, for as long as the context lasts."""
        psycopg = _driver()
        with self._held() as connection:
            try:
                ((exported,),) = connection.execute("SELECT pg_export_snapshot()").fetchall()
            except psycopg.Error as error:
                raise self.fault(error.sqlstate, str(error)) from error
            yield PostgresSnapshot(self, connection, exported)

    @contextmanager
    def _held(self) -> "Iterator[Connection[tuple[Any, ...]]]":
        """A connection in a transaction that reads one moment, under a role that cannot write."""
        psycopg = _driver()
        try:
            connection = psycopg.connect(self.conninfo)
        except psycopg.Error as error:
            raise self.fault(None, str(error)) from error
        with closing(connection):
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            try:
                connection.execute(_SET.encode())
                require_reader(connection, self.name)
            except psycopg.Error as error:
                raise self.fault(error.sqlstate, str(error)) from error
            yield connection

    @property
    def conninfo(self) -> str:
        """How to connect, for libpq."""
        from psycopg.conninfo import conninfo_to_dict, make_conninfo

        try:
            given = conninfo_to_dict(self.url)
        except _driver().Error as error:
            reason = hide_password(str(error), self.url)
            raise UnusableSource(example=self.name.upper(), reason=reason) from error
        merged: dict[str, Any] = {**_CONNECTING, **given}
        return make_conninfo(**merged)

    def fault(self, sqlstate: str | None, text: str) -> InvalidQuery | SourceUnreachable:
        """What an error means: the database is gone, or the query cannot be carried out."""
        return meaning(sqlstate, text, source=self.name, url=self.url)


class PostgresSnapshot:
    """A database as it was at one moment; any number of threads read it side by side."""

    def __init__(
        self, database: PostgresDatabase, connection: "Connection[tuple[Any, ...]]", exported: str
    ) -> None:
        self.beside = self
        self._database = database
        self._connection = connection
        self._exported = exported
        self._turn = Lock()

    @contextmanager
    def batches(self, query: str, kinds: Mapping[str, Kind] | None = None) -> Iterator[Any]:
        """The rows of a query as a `pyarrow.RecordBatchReader`, in flat memory.

        The types of the columns are PostgreSQL's, whatever `kinds` says.
        """
        import adbc_driver_manager
        import pyarrow as pa
        from adbc_driver_manager._reader import AdbcRecordBatchReader

        database, failures, whole = self._database, Failures(), False

        def batches(reader: Any) -> Iterator[Any]:
            nonlocal whole
            yield from reader
            whole = True

        try:
            with failures.shown(), self._connected() as connection:
                statement = adbc_driver_manager.AdbcStatement(connection)
                with statement:
                    statement.set_options(**{_BATCH: str(_BATCH_BYTES)})
                    statement.set_sql_query(query)
                    stream, _ = statement.execute_query()
                    # Unlike pyarrow's own it raises what PostgreSQL said, with its SQLSTATE.
                    raw = AdbcRecordBatchReader._import_from_c(stream.address)  # noqa: SLF001
                    with raw as reader:
                        rows = failures.noted(batches(reader))
                        try:
                            yield pa.RecordBatchReader.from_batches(reader.schema, rows)
                        finally:
                            if not whole:
                                connection.cancel()  # else the rest is read to be thrown away
        except adbc_driver_manager.Error as error:
            raise database.fault(error.sqlstate, str(error)) from error

    def rows(self, query: str) -> Sequence[tuple[Any, ...]]:
        """The few rows of a query; threads take turns."""
        import psycopg

        with self._turn:
            try:
                return self._connection.execute(query.encode(), prepare=True).fetchall()
            except psycopg.Error as error:
                raise self._database.fault(error.sqlstate, str(error)) from error

    def ends(self, rows: str, key: str) -> tuple[int, int] | None:
        """Not known."""
        return None

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        """Another connection, in a transaction at the same moment."""
        import adbc_driver_manager

        driver = _bulk_driver()
        with (
            driver.connect(self._database.conninfo) as server,
            adbc_driver_manager.AdbcConnection(server) as connection,
        ):
            connection.set_autocommit(False)
            for order in (
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
                f"SET TRANSACTION SNAPSHOT '{self._exported}'",
                _SET,
            ):
                with adbc_driver_manager.AdbcStatement(connection) as statement:
                    statement.set_sql_query(order)
                    statement.execute_update()
            yield connection


def _driver() -> Any:
    try:
        import psycopg
    except ImportError as error:
        raise MissingDriver(scheme="postgresql", package="psycopg", extra="postgres") from error
    return psycopg


def _bulk_driver() -> Any:
    try:
        import adbc_driver_postgresql
    except ImportError as error:
        package = "adbc-driver-postgresql"
        raise MissingDriver(scheme="postgresql", package=package, extra="postgres") from error
    return adbc_driver_postgresql
