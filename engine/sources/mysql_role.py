"""The role under which a MySQL or MariaDB source is read: one that cannot write, or it is refused.

A READ ONLY transaction alone is a promise of the client.
"""

import re
from collections.abc import Iterator, Sequence

from engine.sources.faults import MayWrite

# Whatever is not listed here is refused: new versions bring new privileges.
_READING = frozenset(
    {
        *("USAGE", "SELECT", "SHOW VIEW", "SHOW DATABASES", "PROCESS"),
        *("REPLICATION CLIENT", "BINLOG MONITOR", "SLAVE MONITOR", "REPLICA MONITOR"),
        # In a transaction that is read only, neither functions nor locked tables are written to.
        *(
            "EXECUTE",
            "LOCK TABLES",
            "CREATE TEMPORARY TABLES",
            "SHOW_ROUTINE",
            "SHOW CREATE ROUTINE",
        ),
    }
)

_GRANT = re.compile(r"GRANT (?P<what>.+?) ON (?P<on>.+?) TO (?P<who>\S+)(?P<more>.*)", re.DOTALL)
_ROLE = re.compile(r"GRANT (?P<roles>[`'\"].+?) TO ", re.DOTALL)
_COLUMNS = re.compile(r"\([^)]*\)")

_GRANTS = (
    "CREATE USER engine_reader IDENTIFIED BY '...'; GRANT SELECT ON `{database}`.* TO engine_reader"
)


def roles_in(grants: Sequence[str]) -> list[str]:
    """The roles that are granted, as the server writes them."""
    return [found["roles"] for grant in grants if (found := _ROLE.match(grant))]


def require_reader(grants: Sequence[str], *, source: str, role: str, database: str) -> None:
    """Raise MayWrite if what `SHOW GRANTS` says goes beyond reading."""
    for what, where in _beyond_reading(grants):
        raise MayWrite(
            name=source,
            example=source.upper(),
            role=role,
            what=f"has the right {what} on {where}",
            grants=_GRANTS.format(database=database.replace("`", "``")),
        )


def _beyond_reading(grants: Sequence[str]) -> Iterator[tuple[str, str]]:
    for grant in grants:
        if _ROLE.match(grant):
            continue  # what a role may do is listed by itself
        found = _GRANT.match(grant)
        if found is None:
            if grant.startswith("GRANT "):
                yield grant.partition(" IDENTIFIED ")[0], "something that is not understood"
            continue
        for each in _COLUMNS.sub("", found["what"]).split(","):
            if each.strip().upper() not in _READING:
                yield each.strip(), found["on"]
        if "GRANT OPTION" in found["more"].upper():
            yield "GRANT OPTION", found["on"]
