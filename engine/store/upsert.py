"""Inserting what may be there: whoever loses a race is told, and no error ends its transaction."""

from typing import cast

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(connection: Connection, table: Table) -> postgresql.Insert:
    """An INSERT with `on_conflict_do_nothing` and `on_conflict_do_update`.

    Where another transaction has inserted the same key and not ended yet, it waits for that one.
    """
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    # The same methods, as far as they are used here.
    return cast("postgresql.Insert", sqlite.insert(table))
