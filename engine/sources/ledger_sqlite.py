"""The ledger in a SQLite file, asked by a query: nothing but the views' columns can be read."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from engine.clock import elapsed
from engine.sources.database import Kind, Plan
from engine.sources.dialect import Due
from engine.sources.faults import InvalidQuery, too_long
from engine.sources.ledger_rows import reader_of, types_of
from engine.sources.ledger_views import VIEWS, seen, with_views
from engine.sources.marks import require_closed
from engine.sources.parameters import Parameter, Params, Value
from engine.sources.sqlite_snapshot import QUOTING, bindable, marked
from engine.sources.sqlite_sql import SqliteSql
from engine.store.user_tables import metadata

_NAME = "ledger"
_STEPS = 20_000  # of SQLite's machine, between looks at the clock

_READ = frozenset(
    {
        *((view.table.name, column) for view in VIEWS.values() for column in seen(view)),
        # The columns that durations are made of are among these; and rows may be counted.
        *((view.table.name, "") for view in VIEWS.values()),
    }
)
_TABLES = frozenset({*metadata.tables, "alembic_version"})
_ALLOWED = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})


class SqliteLedger:
    """Within one transaction that reads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def hold(self) -> None:
        """Read something: BEGIN alone fixes no moment."""
        self._connection.exec_driver_sql("SELECT count(*) FROM sqlite_schema").fetchone()

    def columns(self, query: str, params: Params | None) -> Mapping[str, str]:
        """Without types, as SQLite has none for columns."""
        require_closed(query, QUOTING, source=_NAME)
        asked = marked(query, params, source=_NAME)
        values = [_bindable(each) for each in asked.parameters]
        with self._asked(None) as driver:
            try:
                shape = driver.execute(f"{_viewed(asked.query)} LIMIT 0", values)
            except (sqlite3.Error, sqlite3.Warning) as error:
                raise InvalidQuery(source=_NAME, reason=_explained(error)) from error
            return {column[0]: "" for column in shape.description}

    @contextmanager
    def batches(
        self,
        query: str,
        kinds: Mapping[str, Kind] | None,
        params: Params | None,
        time_limit: timedelta | None,
    ) -> Iterator[Any]:
        """As rows come."""
        with self._asked(time_limit) as driver:
            cursor = self._executed(driver, query, params)
            try:
                names = [column[0] for column in cursor.description]
                yield reader_of(names, types_of(names, kinds), cursor.fetchmany)
            finally:
                cursor.close()

    def rows(
        self, query: str, params: Params | None, time_limit: timedelta | None
    ) -> Sequence[tuple[Any, ...]]:
        """All of them."""
        with self._asked(time_limit) as driver:
            found: Sequence[tuple[Any, ...]] = self._executed(driver, query, params).fetchall()
            return found

    def plan(self, query: str, params: Params | None) -> Plan:
        """What SQLite would look through."""
        asked = marked(query, params, source=_NAME)
        values = [_bindable(each) for each in asked.parameters]
        with self._asked(None) as driver:
            told = driver.execute(f"EXPLAIN QUERY PLAN {_viewed(asked.query)}", values).fetchall()
        return Plan([str(line[-1]) for line in told])

    def dialect(self, columns: Mapping[str, str]) -> "LedgerSql":
        """SQLite's SQL."""
        return LedgerSql()

    def _executed(self, driver: Any, query: str, params: Params | None) -> Any:
        asked = marked(query, params, source=_NAME)
        return driver.execute(_viewed(asked.query), [_bindable(each) for each in asked.parameters])

    @contextmanager
    def _asked(self, time_limit: timedelta | None) -> Iterator[Any]:
        """The driver's connection while it lets through nothing else, and for so long only."""
        driver: Any = self._connection.connection.driver_connection
        until = None if time_limit is None else elapsed() + time_limit.total_seconds()
        driver.set_authorizer(_authorize)
        if until is not None:
            driver.set_progress_handler(lambda: elapsed() > until, _STEPS)
        try:
            yield driver
        except sqlite3.Error as error:
            if time_limit is not None and "interrupted" in str(error):
                raise too_long(_NAME, time_limit) from error
            if isinstance(error, sqlite3.DatabaseError) and "not authorized" in str(error):
                raise InvalidQuery(source=_NAME, reason=_explained(error)) from error
            raise
        finally:
            # The connection is the store's again.
            driver.set_authorizer(None)
            driver.set_progress_handler(None, 0)


class LedgerSql(SqliteSql):
    """SQLite's SQL, where whoever reads the rows looks at their types."""

    def as_due(self, query: str, dues: Mapping[str, Due]) -> str:
        """The query itself."""
        return query


def _viewed(query: str) -> str:
    return with_views(query, "sqlite")


def _bindable(parameter: Parameter) -> Value | float:
    """As the views have it: all instants are of one length."""
    if isinstance(parameter.value, datetime):
        return f"{parameter.value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    return bindable(parameter)


def _authorize(action: int, table: str | None, column: str | None, *_: str | None) -> int:
    if action in _ALLOWED:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_READ:
        # What a query names itself has no columns for SQLite where none of them is wanted.
        named = column == "" and not str(table).startswith("sqlite_") and table not in _TABLES
        return sqlite3.SQLITE_OK if named or (table, column) in _READ else sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_DENY


def _explained(error: Exception) -> str:
    text = str(error)
    known = ", ".join(VIEWS)
    if "prohibited" in text or "not authorized" in text:
        return f"{text}; it must be one SELECT about the views of the ledger: {known}"
    if "no such table" in text:
        return f"{text}; the ledger shows {known}"
    if "near" in text:
        return f"{text}; it must be one SELECT (or WITH ... SELECT)"
    return text
