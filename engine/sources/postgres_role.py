"""The role under which a PostgreSQL source is read: one that cannot write, or it is refused.

A READ ONLY transaction alone is a promise of the client, which a query with a second statement,
or a function that opens a connection of its own, might break.
"""

from typing import TYPE_CHECKING, Any

from engine.sources.faults import may_write

if TYPE_CHECKING:
    from psycopg import Connection

# Whatever else is called pg_ is refused: new versions bring new rights.
_READING_ROLES = (
    "pg_read_all_data",
    "pg_read_all_settings",
    "pg_read_all_stats",
    "pg_read_server_files",
    "pg_stat_scan_tables",
    "pg_monitor",
    "pg_use_reserved_connections",
    "pg_database_owner",  # who owns the database is told by the database
)
# BYPASSRLS is not among them: it writes nothing, and without it rows may be missing unnoticed.
_ATTRIBUTES = (
    "('CREATEROLE', r.rolcreaterole), ('CREATEDB', r.rolcreatedb), "
    "('REPLICATION', r.rolreplication)"
)

# Everything that anybody the role is, or may become, holds or owns: any table, not only those of
# the query, for a view or a function leads anywhere. A right that all have is PUBLIC's, number 0.
_BEYOND_READING = """
WITH me AS (
    SELECT oid, rolname, rolsuper FROM pg_roles WHERE rolname IN (current_user, session_user)
), reach AS (
    SELECT r.* FROM pg_roles r WHERE EXISTS (
        SELECT FROM me WHERE me.oid = r.oid OR NOT me.rolsuper AND ({reaches}))
), ours AS (
    SELECT oid, nspname, nspowner, nspacl FROM pg_namespace
    WHERE nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%'
), held AS (
    SELECT 3 AS rank, 'TABLE' AS noun, format('%I.%I', n.nspname, c.relname) AS thing, '' AS part,
        c.relowner AS owner, coalesce(c.relacl, acldefault('r', c.relowner)) AS acl
    FROM pg_class c JOIN ours n ON n.oid = c.relnamespace WHERE c.relkind IN ('r','p','v','m','f')
    UNION ALL
    SELECT 4, 'TABLE', format('%I.%I', n.nspname, c.relname), format(' (%I)', a.attname),
        NULL, a.attacl
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN ours n ON n.oid = c.relnamespace
    WHERE a.attacl IS NOT NULL AND NOT a.attisdropped
    UNION ALL
    SELECT 5, 'SEQUENCE', format('%I.%I', n.nspname, c.relname), '',
        c.relowner, coalesce(c.relacl, acldefault('s', c.relowner))
    FROM pg_class c JOIN ours n ON n.oid = c.relnamespace WHERE c.relkind = 'S'
    UNION ALL
    SELECT 6, 'SCHEMA', format('%I', nspname), '',
        nspowner, coalesce(nspacl, acldefault('n', nspowner)) FROM ours
    UNION ALL
    SELECT 7, 'DATABASE', format('%I', datname), '',
        datdba, coalesce(datacl, acldefault('d', datdba))
    FROM pg_database WHERE datname = current_database()
), found AS (
    SELECT 0 AS rank, 'is a superuser' AS what, NULL AS remedy FROM me WHERE rolsuper
    UNION ALL
    SELECT 1, format('may become %I, a superuser', r.rolname), ({granted})
    FROM reach r WHERE r.rolsuper AND r.oid NOT IN (SELECT oid FROM me)
    UNION ALL
    SELECT 1, format('has the attribute %s%s', a.name,
            CASE WHEN r.oid IN (SELECT oid FROM me) THEN '' ELSE format(' as %I', r.rolname) END),
        format('ALTER ROLE %I NO%s', r.rolname, a.name)
    FROM reach r, LATERAL (VALUES {attributes}) a(name, has) WHERE a.has AND NOT r.rolsuper
    UNION ALL
    SELECT 2, format('is a member of %I', r.rolname), ({granted})
    FROM reach r WHERE r.rolname LIKE 'pg\\_%' AND r.rolname <> ALL (ARRAY[{reading}])
    UNION ALL
    SELECT h.rank, format('owns the %s %s', lower(h.noun), h.thing), NULL
    FROM held h WHERE h.owner IN (SELECT oid FROM reach)
    UNION ALL
    SELECT h.rank, format('has the right %s%s on the %s %s%s', e.privilege_type, h.part,
            lower(h.noun), h.thing,
            CASE WHEN e.grantee = 0 THEN ' through PUBLIC'
                 WHEN e.grantee NOT IN (SELECT oid FROM me) THEN format(' through %I', r.rolname)
                 ELSE '' END),
        format('REVOKE %s%s ON %s %s FROM %s', e.privilege_type, h.part, h.noun, h.thing,
            CASE WHEN e.grantee = 0 THEN 'PUBLIC' ELSE format('%I', r.rolname) END)
    FROM held h CROSS JOIN LATERAL aclexplode(h.acl) e LEFT JOIN reach r ON r.oid = e.grantee
    WHERE (e.grantee = 0 OR r.oid IS NOT NULL) AND e.grantee IS DISTINCT FROM h.owner
      AND NOT (h.noun IN ('TABLE', 'SEQUENCE') AND e.privilege_type IN ('SELECT', 'REFERENCES')
            OR h.noun = 'SCHEMA' AND e.privilege_type = 'USAGE'
            OR h.noun = 'DATABASE' AND e.privilege_type IN ('CONNECT', 'TEMPORARY'))
)
SELECT current_user, current_database(), what, remedy FROM found ORDER BY rank, what LIMIT 1
"""
# Who of them was given the role, by whatever way that is theirs.
_GRANTED = """
SELECT min(format('REVOKE %I FROM %I', r.rolname, m.rolname))
FROM pg_auth_members g JOIN reach m ON m.oid = g.member WHERE g.roleid = r.oid
"""

_GRANTS = (
    "CREATE ROLE engine_reader LOGIN PASSWORD '...'; "
    "GRANT CONNECT ON DATABASE {database} TO engine_reader; "
    "GRANT USAGE ON SCHEMA public TO engine_reader; "
    "GRANT SELECT ON ALL TABLES IN SCHEMA public TO engine_reader"
)


def require_reader(connection: "Connection[tuple[Any, ...]]", source: str) -> None:
    """Raise MayWrite if the connection's role has, or can get, any right beyond reading."""
    asked = _asked(connection.info.server_version)
    for role, database, what, remedy in connection.execute(asked.encode()).fetchall():
        name = '"' + database.replace('"', '""') + '"'
        grants = _GRANTS.format(database=name)
        raise may_write(source, role=role, what=what, remedy=remedy, grants=grants)


def _asked(version: int) -> str:
    # Since 16 a membership says by itself whether it may be inherited, and whether it may be set.
    ways = ("USAGE", "SET") if version >= 160_000 else ("MEMBER",)
    reaches = " OR ".join(f"pg_has_role(me.oid, r.oid, '{way}')" for way in ways)
    parts = {
        "{reaches}": reaches,
        "{granted}": _GRANTED,
        "{attributes}": _ATTRIBUTES,
        "{reading}": ", ".join(f"'{role}'" for role in _READING_ROLES),
    }
    text = _BEYOND_READING
    for name, part in parts.items():
        text = text.replace(name, part)
    return text
