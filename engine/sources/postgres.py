"""A PostgreSQL database as a source: read under a role that cannot write, all at one moment.

One connection holds a REPEATABLE READ READ ONLY transaction and exports its snapshot, which every
long reading takes up: see `postgres_snapshot`.

A query is only sent once it was found to be one SELECT, which it is if it can be prepared both by
itself and as a subquery. Nothing is ever committed.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.redaction.urls import hide_password
from engine.sources.faults import InvalidQuery, MissingDriver, SourceUnreachable, UnusableSource
from engine.sources.parameters import Params
from engine.sources.postgres_errors import meaning
from engine.sources.postgres_marks import marked
from engine.sources.postgres_role import require_reader
from engine.sources.postgres_snapshot import PostgresSnapshot
from engine.sources.postgres_sql import PostgresSql
from engine.sources.postgres_words import objection

if TYPE_CHECKING:
    from psycopg import Connection

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
# A query whose reader was killed is stopped, and not carried on for nobody.
_WATCHED = """
CASE WHEN current_setting('server_version_num')::int >= 140000 AND version() LIKE '%linux%'
THEN set_config('client_connection_check_interval', '5s', true) END"""
_SET = "SELECT " + ", ".join(
    # Should anything ever end the transaction with a commit, whatever comes after it is read only.
    ["set_config('default_transaction_read_only', 'on', false)"]
    + [f"set_config('{name}', '{value}', true)" for name, value in _SETTINGS.items()]
    + [_WATCHED]
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

    def columns(self, query: str, params: Params | None = None) -> Mapping[str, str]:
        """The columns that a query gives, with their types; raises unless it is one SELECT.

        PostgreSQL plans the query and checks what it may do, but runs none of it.
        """
        psycopg = _driver()
        asked = marked(query, params, source=self.name)
        values = [each.value for each in asked.parameters]
        with self._held() as connection:
            connection.execute(_PLANNING)
            # As itself it can only be one statement, as a subquery it can only be a SELECT.
            told = connection.pgconn.prepare(b"", asked.query.encode())
            if told.status == psycopg.pq.ExecStatus.FATAL_ERROR:
                error = psycopg.errors.error_from_result(told)
                raise self.fault(error.sqlstate, str(error))
            shape = f"SELECT * FROM ({asked.query}\n) AS found LIMIT 0"  # noqa: S608
            try:
                cursor = psycopg.RawCursor(connection)
                cursor.execute(f"EXPLAIN (VERBOSE, COSTS off) {shape}", values, prepare=True)
                plan = "\n".join(line for (line,) in cursor)
                if reason := objection(query) or objection(plan):
                    raise InvalidQuery(source=self.name, reason=reason)
                cursor.execute(shape, values, prepare=True)
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
    def snapshot(self) -> Iterator[PostgresSnapshot]:
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
                connection.execute(self.settings.encode())
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

    @property
    def settings(self) -> str:
        """What each transaction is told first."""
        return _SET

    def fault(self, sqlstate: str | None, text: str) -> InvalidQuery | SourceUnreachable:
        """What an error means: the database is gone, or the query cannot be carried out."""
        return meaning(sqlstate, text, source=self.name, url=self.url)


def _driver() -> Any:
    try:
        import psycopg
    except ImportError as error:
        raise MissingDriver(scheme="postgresql", package="psycopg", extra="postgres") from error
    return psycopg
