"""What an error of PostgreSQL means to whoever asked: the source is away, or the query is wrong."""

from engine.redaction.urls import hide_password
from engine.sources.faults import InvalidQuery, SourceUnreachable

# By SQLSTATE, whole or its class: it is the server or the connection that failed, not the query.
_GONE = ("08", "28", "3D", "53", "57", "58", "F0", "XX", "40", "25P03", "25P04", "55")

_LOCKED = "55P03"

# What a statement that is no SELECT, or more than one, is answered with.
_NO_SELECT = (
    "syntax error",
    "multiple commands",
    "read-only transaction",
    "data-modifying statement",
    "not allowed",
)


def meaning(
    sqlstate: str | None, text: str, *, source: str, url: str
) -> InvalidQuery | SourceUnreachable:
    """The error to raise, on one line and without the password of `url`."""
    reason = hide_password(_plain(text), url)
    if sqlstate == _LOCKED:
        reason += "; somebody locks what it reads, as ALTER TABLE and VACUUM FULL do"
    if sqlstate is None or sqlstate.startswith(_GONE):
        return SourceUnreachable(name=source, reason=reason)
    if any(each in reason for each in _NO_SELECT):
        reason += "; it must be one SELECT (or WITH ... SELECT)"
    return InvalidQuery(source=source, reason=reason)


def _plain(text: str) -> str:
    """The first line of what the server said, without what the drivers put around it."""
    first = text.partition("\n")[0].rpartition("ERROR:")[2].strip()
    return first or " ".join(text.split())
