"""What can be wrong with a source, in words for the person who configured it."""

from datetime import timedelta

from engine.errors import EngineError, Invalid, Unreachable


class UnknownSource(Invalid):
    """A definition or a caller named a source that no setting defines."""

    message = (
        "no source is named {name!r}; {suggestion} (sources are set as ENGINE_SOURCES__<NAME>, "
        "for example ENGINE_SOURCES__{example}=sqlite:///canteen.db)"
    )


class UnusableSource(Invalid):
    """The value of a source's setting is no URL or folder that can be read."""

    message = "ENGINE_SOURCES__{example}: {reason}"


class SourceUnreachable(Unreachable):
    """The database or folder is not there, or does not answer."""

    message = "the source {name!r} cannot be read: {reason}"


class InvalidQuery(Invalid):
    """A query is not one SELECT, or names what the database does not have."""

    message = "the query on source {source!r} cannot be used: {reason}"


class TooPrecise(Invalid):
    """A decimal parameter would be another number in a database that has no decimals."""

    message = (
        "the param {value} has more digits than SQLite's numbers hold; give it with 15 digits at "
        "most, or compare whole minor units"
    )


class UnreadableFile(Invalid):
    """A file of a folder is missing, outside of it, or not what the definition says."""

    message = "the file {file!r} of source {source!r} cannot be used: {reason}"


class MissingDriver(Invalid):
    """The client of a kind of database is not installed."""

    message = "a {scheme}:// source needs the {package} package; run `pip install engine[{extra}]`"


class MayWrite(Invalid):
    """A database is to be read under a role that could write to it."""

    message = (
        "the source {name!r} is read as {role!r}, which {what}; a source is read under a role "
        "that cannot write. {advice} in ENGINE_SOURCES__{example}: {grants}"
    )


def may_write(source: str, *, role: str, what: str, remedy: str | None, grants: str) -> MayWrite:
    """What a role may do beyond reading, and how to take it away, or else to make another role."""
    other = "Make one, and name it"
    advice = other if remedy is None else f"Take that away: {remedy}. Or make another, and name it"
    example = source.upper()
    return MayWrite(
        name=source, example=example, role=role, what=what, advice=advice, grants=grants
    )


class QueryTooLong(EngineError):
    """A query was not done within its time, and was stopped."""

    message = (
        "the query on source {source!r} was stopped: it was not done within its limit of "
        "{limit}. Ask for less (a shorter period), have the database find it faster (an index; "
        "`engine reports preview` shows its plan), or allow it more"
    )


def too_long(source: str, limit: timedelta) -> QueryTooLong:
    """The same, with the limit as people say it."""
    return QueryTooLong(source=source, limit=f"{limit.total_seconds():g} s", seconds=limit)
