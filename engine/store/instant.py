"""Instants at rest, and the database's own clock."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import DateTime, Dialect, Float, String
from sqlalchemy.sql.expression import ColumnElement
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import TypeDecorator, TypeEngine

_FORMAT = "%Y-%m-%d %H:%M:%S.%f"


class Instant(TypeDecorator[datetime]):
    """An aware UTC `datetime`; on SQLite a text of fixed width, so that texts sort as instants."""

    impl = String(26)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The database's own type where it has one."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(DateTime(timezone=True))
        return dialect.type_descriptor(String(26))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> object:
        """Refuse naive instants: nobody knows which moment they mean."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r} for an Instant")
        instant = value.astimezone(UTC)
        return instant if dialect.name == "postgresql" else instant.strftime(_FORMAT)

    def process_result_value(
        self, value: str | datetime | None, dialect: Dialect
    ) -> datetime | None:
        """Read back what was bound, or what `database_now` gave."""
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        return datetime.fromisoformat(value).replace(tzinfo=UTC)


class database_now(ColumnElement[datetime]):  # noqa: N801 - reads as an SQL function
    """The database's clock, optionally moved by a duration; leases are set and compared by it.

    It goes on within a transaction and even within a statement, which may have waited for a lock:
    two readings in one statement need not be equal. `steady` reads it once for the statement, for
    those that wait for nothing: then an index over instants serves. Each database's module says
    how it is read.
    """

    inherit_cache = True
    _traverse_internals = [  # noqa: RUF012 - as SQLAlchemy declares it
        ("moved_by", InternalTraversal.dp_plain_obj),
        ("steady", InternalTraversal.dp_boolean),
    ]
    type = Instant()

    def __init__(self, moved_by: timedelta = timedelta(), *, steady: bool = False) -> None:
        self.moved_by = moved_by
        self.steady = steady


class seconds_between(ColumnElement[float]):  # noqa: N801 - reads as an SQL function
    """How long it is from one instant at rest to another, to the millisecond."""

    inherit_cache = True
    _traverse_internals = [  # noqa: RUF012 - as SQLAlchemy declares it
        ("start", InternalTraversal.dp_clauseelement),
        ("end", InternalTraversal.dp_clauseelement),
    ]
    type = Float()

    def __init__(self, start: ColumnElement[Any], end: ColumnElement[Any]) -> None:
        self.start = start
        self.end = end
