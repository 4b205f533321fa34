"""A MySQL or MariaDB database as a source: read under a role that cannot write, all at one moment.

One connection holds a transaction that began WITH CONSISTENT SNAPSHOT, READ ONLY, and everything is
read through it; there is no way to give its moment to another connection, so threads take turns.
Rows come one by one from the server and are made into Arrow batches here.

A query is never sent but as the one subquery of a SELECT, and the server takes one statement at a
time. Nothing is ever committed.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.redaction.urls import hide_password
from engine.sources.faults import InvalidQuery, MissingDriver, SourceUnreachable
from engine.sources.marks import Bound
from engine.sources.mysql_marks import carry_out, marked, prepare
from engine.sources.mysql_role import grants_of, require_reader
from engine.sources.mysql_rows import DECODERS, Columns
from engine.sources.mysql_snapshot import MysqlSnapshot
from engine.sources.mysql_sql import MysqlSql
from engine.sources.mysql_url import connection_of
from engine.sources.mysql_words import names, objection
from engine.sources.parameters import Params

if TYPE_CHECKING:
    from pymysql.connections import Connection

# The connection waits while rows are compared, and the server waits for us while they are staged.
# Reading waits for nobody's lock but that of an ALTER TABLE and its like. The mode is the server's,
# which the query was written for, but that texts keep no padding.
_SESSION = (
    "SET SESSION time_zone = '+00:00', wait_timeout = 86400, net_write_timeout = 3600, "
    "lock_wait_timeout = 30, innodb_lock_wait_timeout = 30, "
    "sql_mode = REPLACE(@@sql_mode, 'PAD_CHAR_TO_FULL_LENGTH', '')"
)
_BEGIN = (
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
)
# Tables of these are as they are now, whatever the moment of the transaction.
_WITHOUT_SNAPSHOTS = """
SELECT table_name, engine FROM information_schema.tables
WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'
  AND engine IN ('MyISAM', 'Aria', 'MEMORY', 'CSV', 'ARCHIVE', 'MRG_MyISAM')
"""

# By error number: it is the server or the connection that failed, not the query.
_GONE = frozenset(
    {
        *(0, 1040, 1041, 1043, 1044, 1045, 1049, 1053, 1105, 1129, 1130, 1152),
        *(*range(1158, 1162), 1180, 1203, 1205, 1213, 1226, 1317, 1412, 1698, 1836, 1927, 1969),
        *(*range(2000, 2100), 3024, 3118, 3159, 4151),
    }
)
_LOCKED = 1205


@dataclass(frozen=True)
class MysqlDatabase:
    """A database by its name and URL."""

    name: str
    url: str = field(repr=False)

    def require_reachable(self) -> None:
        """Raise SourceUnreachable unless it answers, MayWrite if the role may write."""
        with self._held():
            pass

    def columns(self, query: str, params: Params | None = None) -> Mapping[str, str]:
        """The columns that a query gives, with their types; raises unless it is one SELECT.

        The server prepares the query, and no row of it is asked for.
        """
        if reason := objection(query):
            raise InvalidQuery(source=self.name, reason=reason)
        asked = marked(query, params, source=self.name)
        with self._held() as connection, connection.cursor() as cursor:
            try:
                # As itself it can only be one statement, as a subquery it can only be a SELECT.
                prepare(cursor, asked.query)
                cursor.execute("DEALLOCATE PREPARE engine")
                cursor.execute(_WITHOUT_SNAPSHOTS)
                for table, engine in cursor.fetchall():
                    if names(query, table):
                        raise self._without_snapshot(table, engine)
                shape = f"SELECT * FROM ({asked.query}\n) AS found LIMIT 0"  # noqa: S608
                carry_out(cursor, Bound(shape, asked.parameters))
                return Columns(cursor).types
            except driver().Error as error:
                raise self.fault(error) from error

    def dialect(self, columns: Mapping[str, str]) -> MysqlSql:
        """MySQL's SQL, about these columns."""
        return MysqlSql(columns)

    @contextmanager
    def snapshot(self) -> Iterator[MysqlSnapshot]:
        """One moment of the database, for as long as the context lasts."""
        with self._held() as connection:
            yield MysqlSnapshot(self, connection)

    def stop(self, thread: int) -> None:
        """Stop what one of our connections has the server do; it may be done already."""
        with suppress(driver().Error, SourceUnreachable), self._connected() as connection:
            connection.query(f"KILL QUERY {thread}")

    def fault(self, error: Any) -> InvalidQuery | SourceUnreachable:
        """What an error means: the database is gone, or the query cannot be carried out."""
        number, text = error.args if len(error.args) == 2 else (0, str(error))
        reason = hide_password(str(text) or "the connection is closed", self.url)
        if number == _LOCKED:
            reason += "; somebody locks what it reads, as ALTER TABLE and LOCK TABLES do"
        if number in _GONE:
            return SourceUnreachable(name=self.name, reason=reason)
        if any(each in reason for each in ("syntax", "READ ONLY", "prepared statement")):
            reason += "; it must be one SELECT (or WITH ... SELECT)"
        return InvalidQuery(source=self.name, reason=reason)

    @contextmanager
    def _held(self) -> "Iterator[Connection[Any]]":
        """A connection in a transaction that reads one moment, under a role that cannot write."""
        with self._connected() as connection:
            try:
                with connection.cursor() as cursor:
                    self._require_reader(cursor)
                    for statement in _BEGIN:
                        cursor.execute(statement)
            except driver().Error as error:
                raise self._away(error) from error
            yield connection

    @contextmanager
    def _connected(self) -> "Iterator[Connection[Any]]":
        pymysql = driver()
        given = {"connect_timeout": 10, **connection_of(self.name, self.url)}
        conv = {**pymysql.converters.encoders, **DECODERS}
        try:
            connection = pymysql.connect(
                **given, charset="utf8mb4", conv=conv, init_command=_SESSION
            )
        except (pymysql.Error, OSError) as error:
            raise self._away(error) from error
        with closing(connection):
            yield connection

    def _require_reader(self, cursor: Any) -> None:
        grants = grants_of(cursor)
        cursor.execute("SELECT CURRENT_USER(), DATABASE()")
        ((role, database),) = cursor.fetchall()
        require_reader(grants, source=self.name, role=role, database=database)

    def _away(self, error: Any) -> SourceUnreachable:
        text = error.args[1] if len(error.args) == 2 else error
        return SourceUnreachable(name=self.name, reason=hide_password(str(text), self.url))

    def _without_snapshot(self, table: str, engine: str) -> InvalidQuery:
        reason = (
            f"the table {table} is {engine}'s, which keeps no snapshot: its rows may change while "
            f"they are read. ALTER TABLE {table} ENGINE = InnoDB"
        )
        return InvalidQuery(source=self.name, reason=reason)


def driver() -> Any:
    """PyMySQL; raises MissingDriver."""
    try:
        import pymysql
    except ImportError as error:
        raise MissingDriver(scheme="mysql", package="pymysql", extra="mysql") from error
    return pymysql
