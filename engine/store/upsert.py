"""Inserting what may be there: whoever loses a race is told, and no error ends its transaction."""

from typing import TYPE_CHECKING, cast

from sqlalchemy import Connection, Table

if TYPE_CHECKING:
    # Only the ledger's own dialect is imported.
    from sqlalchemy.dialects import postgresql


def upsert(connection: Connection, table: Table) -> "postgresql.Insert":
    """An INSERT with `on_conflict_do_nothing` and `on_conflict_do_update`.

    Where another transaction has inserted the same key and not ended yet, it waits for that one.
    """
    return upsert_for(connection.dialect.name, table)


def upsert_for(dialect: str, table: Table) -> "postgresql.Insert":
    """`upsert`, for the database of this name."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    # The same methods, as far as they are used here.
    return cast("postgresql.Insert", sqlite.insert(table))
