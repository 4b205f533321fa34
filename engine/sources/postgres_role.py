"""The role under which a PostgreSQL source is read: one that cannot write, or it is refused.

A READ ONLY transaction alone is a promise of the client, which a query with a second statement,
or a function that opens a connection of its own, might break.
"""

from typing import TYPE_CHECKING, Any

from engine.sources.faults import MayWrite

if TYPE_CHECKING:
    from psycopg import Connection

# Any table that is not the database's own, not only those of the query: a view or a function
# leads anywhere. has_table_privilege knows what a role inherits, and pg_write_all_data.
_WRITABLE = """
SELECT r.rolsuper, r.rolname, current_database(), (
    SELECT format('%I.%I', n.nspname, c.relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'f') AND n.nspname <> 'information_schema'
      AND n.nspname NOT LIKE 'pg\\_%'
      AND (has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
           OR has_any_column_privilege(c.oid, 'INSERT, UPDATE')
           OR pg_has_role(c.relowner, 'USAGE'))
    ORDER BY 1 LIMIT 1)
FROM pg_roles r WHERE r.rolname = current_user
"""

_GRANTS = (
    "CREATE ROLE engine_reader LOGIN PASSWORD '...'; "
    "GRANT CONNECT ON DATABASE {database} TO engine_reader; "
    "GRANT USAGE ON SCHEMA public TO engine_reader; "
    "GRANT SELECT ON ALL TABLES IN SCHEMA public TO engine_reader"
)


def require_reader(connection: "Connection[tuple[Any, ...]]", source: str) -> None:
    """Raise MayWrite if the connection's role is a superuser, or may write to any table."""
    ((superuser, role, database, table),) = connection.execute(_WRITABLE).fetchall()
    if not superuser and table is None:
        return
    what = "is a superuser" if superuser else f"may write to the table {table}"
    name = '"' + database.replace('"', '""') + '"'
    raise MayWrite(
        name=source,
        example=source.upper(),
        role=role,
        what=what,
        grants=_GRANTS.format(database=name),
    )
