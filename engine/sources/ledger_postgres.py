"""The ledger on PostgreSQL, asked by a query: nothing but the views can be read.

The tables behind the views have names in the query that nobody can guess; in its plan, nothing
else may be read.
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from engine.sources.database import Kind, Plan
from engine.sources.faults import InvalidQuery, too_long
from engine.sources.ledger_rows import reader_of
from engine.sources.ledger_views import VIEWS, with_views
from engine.sources.marks import require_closed
from engine.sources.parameters import Params
from engine.sources.postgres_bulk import limiting
from engine.sources.postgres_errors import meaning
from engine.sources.postgres_marks import QUOTING, marked
from engine.sources.postgres_sql import PostgresSql
from engine.sources.postgres_words import objection

_NAME = "ledger"
_STOPPED = "57014"
# The store's connections are ended when they rest within a transaction, as this one may have to.
_RESTING = "SELECT set_config('idle_in_transaction_session_timeout', '24h', true)"


class PostgresLedger:
    """Within one transaction that reads one moment."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def hold(self) -> None:
        """Begin the transaction that all of it is read in, so that what comes is a savepoint."""
        self._connection.exec_driver_sql(_RESTING).fetchone()

    def columns(self, query: str, params: Params | None) -> Mapping[str, str]:
        """With PostgreSQL's types."""
        require_closed(query, QUOTING, source=_NAME)
        if reason := objection(query):
            raise InvalidQuery(source=_NAME, reason=reason)
        self._require_views(query, params)
        with self._executed(query, params, None, limit=0) as cursor:
            return dict(self._types(cursor))

    @contextmanager
    def batches(
        self,
        query: str,
        kinds: Mapping[str, Kind] | None,
        params: Params | None,
        time_limit: timedelta | None,
    ) -> Iterator[Any]:
        """From a cursor; the types of the columns are PostgreSQL's, whatever `kinds` says."""
        with self._executed(query, params, time_limit, name="engine_report") as cursor:
            names, kinds_ = zip(*self._types(cursor), strict=True)
            yield reader_of(names, [_arrow_type(kind) for kind in kinds_], cursor.fetchmany)

    def rows(
        self, query: str, params: Params | None, time_limit: timedelta | None
    ) -> Sequence[tuple[Any, ...]]:
        """All of them."""
        with self._executed(query, params, time_limit) as cursor:
            found: Sequence[tuple[Any, ...]] = cursor.fetchall()
            return found

    def plan(self, query: str, params: Params | None) -> Plan:
        """As EXPLAIN says it."""
        ((found,),) = self._explained(query, params)
        top = found[0]["Plan"]
        lines = [f"{'  ' * depth}{_line(node)}" for depth, node in _nodes(top)]
        return Plan(lines, int(top["Plan Rows"]), float(top["Total Cost"]))

    def dialect(self, columns: Mapping[str, str]) -> PostgresSql:
        """PostgreSQL's SQL."""
        return PostgresSql(columns)

    def _require_views(self, query: str, params: Params | None) -> None:
        """Raise InvalidQuery if the plan reads anything but the tables behind the views."""
        alias = f"seen_{secrets.token_hex(8)}"
        ((found,),) = self._explained(query, params, alias)
        for _, node in _nodes(found[0]["Plan"]):
            function = str(node.get("Function Name", ""))
            read = node.get("Relation Name") or (function if function.startswith("pg_") else None)
            if read is not None and not str(node["Alias"]).startswith(alias):
                raise InvalidQuery(
                    source=_NAME,
                    reason=f"it reads {read}, and a report sees the ledger's views only: "
                    + ", ".join(VIEWS),
                )

    def _explained(
        self, query: str, params: Params | None, alias: str = "seen"
    ) -> Sequence[tuple[Any, ...]]:
        asked = marked(query, params, source=_NAME)
        text = f"EXPLAIN (VERBOSE, FORMAT JSON) {_viewed(asked.query, alias)}"
        with self._cursor(None, None) as cursor:
            cursor.execute(text, [each.value for each in asked.parameters], prepare=True)
            found: Sequence[tuple[Any, ...]] = cursor.fetchall()
            return found

    @contextmanager
    def _executed(
        self,
        query: str,
        params: Params | None,
        time_limit: timedelta | None,
        *,
        name: str | None = None,
        limit: int | None = None,
    ) -> Iterator[Any]:
        asked = marked(query, params, source=_NAME)
        text = _viewed(asked.query, "seen") + ("" if limit is None else f" LIMIT {limit}")
        with self._cursor(time_limit, name) as cursor:
            cursor.execute(text, [each.value for each in asked.parameters])
            yield cursor

    @contextmanager
    def _cursor(self, time_limit: timedelta | None, name: str | None) -> Iterator[Any]:
        """A cursor in a savepoint, so that the moment outlives a query that is stopped."""
        import psycopg

        driver: Any = self._connection.connection.driver_connection
        try:
            with driver.transaction():
                driver.execute(limiting(time_limit))
                made: Any = psycopg.RawCursor(driver)
                if name is not None:
                    made = psycopg.RawServerCursor(driver, name)
                with made as cursor:
                    yield cursor
                driver.execute(limiting(None))
        except psycopg.Error as error:
            if time_limit is not None and error.sqlstate == _STOPPED:
                raise too_long(_NAME, time_limit) from error
            raise meaning(error.sqlstate, str(error), source=_NAME, url="") from error

    def _types(self, cursor: Any) -> Iterator[tuple[str, str]]:
        types = cursor.connection.adapters.types
        for column in cursor.description:
            kind = types.get(column.type_code)
            yield column.name, kind.name if kind else "other"


def _viewed(query: str, alias: str) -> str:
    return with_views(query, "postgresql", alias)


def _nodes(node: Mapping[str, Any], depth: int = 0) -> Iterator[tuple[int, Mapping[str, Any]]]:
    yield depth, node
    for below in node.get("Plans", ()):
        yield from _nodes(below, depth + 1)


def _line(node: Mapping[str, Any]) -> str:
    of = f" on {node['Relation Name']}" if "Relation Name" in node else ""
    cost, rows = node["Total Cost"], node["Plan Rows"]
    return f"{node['Node Type']}{of}  (cost={cost} rows={rows})"


def _arrow_type(kind: str) -> Any:
    import pyarrow as pa

    types = {
        **dict.fromkeys(("int2", "int4", "int8"), pa.int64()),
        **dict.fromkeys(("float4", "float8"), pa.float64()),
        "bool": pa.bool_(),
        "date": pa.date32(),
        "timestamptz": pa.timestamp("us", "UTC"),
        "timestamp": pa.timestamp("us"),
        "bytea": pa.binary(),
    }
    return types.get(kind, pa.string())
