"""The role under which a MySQL or MariaDB source is read: one that cannot write, or it is refused.

A READ ONLY transaction alone is a promise of the client.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from engine.sources.faults import may_write

# Whatever is not listed here is refused: new versions bring new privileges.
_READING = frozenset(
    {
        *("USAGE", "SELECT", "SHOW VIEW", "SHOW DATABASES", "PROCESS"),
        *("REPLICATION CLIENT", "BINLOG MONITOR", "SLAVE MONITOR", "REPLICA MONITOR"),
        # In a transaction that is read only, locked tables are not written to either. EXECUTE is
        # not among these: a routine has the rights of whoever made it.
        *("LOCK TABLES", "CREATE TEMPORARY TABLES", "SHOW_ROUTINE", "SHOW CREATE ROUTINE"),
    }
)

_GRANT = re.compile(r"GRANT (?P<what>.+?) ON (?P<on>.+?) TO (?P<who>\S+)(?P<more>.*)", re.DOTALL)
_ROLE = re.compile(r"GRANT (?P<roles>[`'\"].+?) TO (?P<who>\S+)", re.DOTALL)
_USER = re.compile(r"['`\"]@")
_RIGHT = re.compile(r"(?P<name>[^,(]+)(?P<columns>\([^)]*\))?")

_GRANTS = (
    "CREATE USER engine_reader IDENTIFIED BY '...'; GRANT SELECT ON `{database}`.* TO engine_reader"
)


def grants_of(cursor: Any) -> list[str]:
    """What the user may do, and what its roles may that are not in force from the start."""
    grants = _asked(cursor, "SHOW GRANTS")
    roles = roles_in(grants)
    if not roles:
        return grants
    cursor.execute("SELECT VERSION()")
    if "MariaDB" not in str(cursor.fetchone()[0]):
        return _asked(cursor, f"SHOW GRANTS FOR CURRENT_USER() USING {', '.join(roles)}")
    # Which tells of the role in force only.
    cursor.execute("SELECT CURRENT_ROLE()")
    (in_force,) = cursor.fetchone()
    for role in roles:
        cursor.execute(f"SET ROLE {role}")
        grants += _asked(cursor, "SHOW GRANTS")
    name = "NONE" if in_force is None else "`" + str(in_force).replace("`", "``") + "`"
    cursor.execute(f"SET ROLE {name}")
    return grants


def roles_in(grants: Sequence[str]) -> list[str]:
    """The roles that a user is granted, as the server writes them; not those of a role."""
    found = map(_ROLE.match, grants)
    return [each["roles"] for each in found if each and _USER.search(each["who"])]


def require_reader(grants: Sequence[str], *, source: str, role: str, database: str) -> None:
    """Raise MayWrite if what `SHOW GRANTS` says goes beyond reading."""
    for what, remedy in _beyond_reading(grants):
        made = _GRANTS.format(database=database.replace("`", "``"))
        raise may_write(source, role=role, what=what, remedy=remedy, grants=made)


def _beyond_reading(grants: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    """What a right is, and how it is taken away."""
    for grant in grants:
        if _ROLE.match(grant):
            continue  # what a role may do is listed by itself
        found = _GRANT.match(grant)
        if found is None:
            if grant.startswith("GRANT "):
                right = grant.partition(" IDENTIFIED ")[0]
                yield f"has a right that is not understood, {right!r}", None
            continue
        on, who = found["on"], found["who"]
        rights = [
            (each["name"].strip(), each[0].strip()) for each in _RIGHT.finditer(found["what"])
        ]
        if "GRANT OPTION" in found["more"].upper():
            rights.append(("GRANT OPTION", "GRANT OPTION"))
        for name, right in rights:
            if name.upper() not in _READING:
                # Nobody is told to take everything from root.
                owner = name.upper().startswith("ALL PRIVILEGES") and on == "*.*"
                remedy = None if owner else f"REVOKE {right} ON {on} FROM {who}"
                yield f"has the right {right} on {on}{_through(who)}", remedy


def _through(who: str) -> str:
    """The role that a right is held by, if it is not the user's own; users have a host."""
    return "" if _USER.search(who) else f" through {who}"


def _asked(cursor: Any, question: str) -> list[str]:
    cursor.execute(question)
    return [str(grant) for (grant,) in cursor.fetchall()]
