"""When an entry was posted: any of the ways in which sources write it, as microseconds.

A date, an RFC 3339 text, a text without an offset (in the definition's zone), or whole seconds,
milliseconds or microseconds since 1970, told apart by their size.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECONDS, MICROSECONDS = 10**11, 10**14  # as seconds these lie past the year 5000
_FURTHEST, _LONGEST = 10**18, 20  # no instant is further off, or has so many digits


def micros(instant: datetime) -> int:
    """Microseconds since 1970 of an aware instant."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


@lru_cache(maxsize=65_536)
def read_instant(text: str, zone: str, pattern: str | None = None) -> int | None:
    """A text as microseconds since 1970; None if it is no instant."""
    try:
        if pattern is None and text.removeprefix("-").isdecimal() and text.isascii():
            number = int(text) if len(text) < _LONGEST else _FURTHEST + 1
            moved = _scaled(number)
            return moved if abs(moved) <= _FURTHEST else None
        moment = datetime.strptime(text, pattern) if pattern else datetime.fromisoformat(text)  # noqa: DTZ007 - a zone is given below
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    return micros(moment)


def _scaled(number: int) -> int:
    size = abs(number)
    return number * (10**6 if size < MILLISECONDS else 10**3 if size < MICROSECONDS else 1)


def instant_sql(column: str, kind: str, zone: str) -> str:
    """DuckDB's expression for the same; `kind` is the type of the column as it came.

    The connection's own time zone must be `zone`.
    """
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"epoch_us({column})"
    if kind in {"TIMESTAMP", "DATE"}:
        # Of a time that the clocks of the zone show twice, DuckDB takes the second, as it does
        # of a text.
        return f"epoch_us({column}::TIMESTAMP::TIMESTAMPTZ)"
    if kind in {"BIGINT", "INTEGER"}:
        return _scaled_sql(column)
    # A TIMESTAMP is read five times faster, but silently without its offset, so only texts that
    # are surely UTC are read as one.
    utc = f"length({column}) = 20 AND {column} LIKE '%Z'"
    if zone == "UTC":
        utc = f"length({column}) = 19 AND substr({column}, 17, 1) = ':' OR {utc}"
    # Only what is no text of an instant is looked at as a number; a cast alone would round.
    whole = f"CASE WHEN regexp_full_match({column}, '-?[0-9]+') THEN {column} END"
    other = (
        f"coalesce(epoch_us(try_cast({column} AS TIMESTAMPTZ)), "
        f"{_scaled_sql(f'try_cast({whole} AS BIGINT)')})"
    )
    # The common case first, and nothing around it: ten million rows pay for each test.
    return f"CASE WHEN {utc} THEN epoch_us(try_cast({column} AS TIMESTAMP)) ELSE {other} END"


def _scaled_sql(number: str) -> str:
    # Not abs(), which the smallest of all integers has none of.
    return (
        f"CASE WHEN {number} BETWEEN {1 - MILLISECONDS} AND {MILLISECONDS - 1} "
        f"THEN {number} * 1000000 "
        f"WHEN {number} BETWEEN {1 - MICROSECONDS} AND {MICROSECONDS - 1} THEN {number} * 1000 "
        f"WHEN {number} BETWEEN {-_FURTHEST} AND {_FURTHEST} THEN {number} END"
    )


def with_instants(reader: Any, zone: str) -> Any:
    """A `pyarrow.RecordBatchReader` whose texts or local times in `posted_at` are instants already.

    Only if all of the first batch are, as texts without an offset, which Arrow reads four times
    faster than SQL does. It reads strictly: a later text that is anything else is an error of the
    reader, as is a time that the clocks of `zone` show twice or never.
    """
    import pyarrow as pa

    at = reader.schema.get_field_index("posted_at")
    if at < 0 or not _is_local(reader.schema.field(at).type):
        return reader
    batches = iter(reader)
    first = next(batches, None)
    if first is None:
        return reader
    kind = pa.field("posted_at", pa.timestamp("us", "UTC"))

    def read(batch: Any) -> Any:
        return batch.set_column(at, kind, _naive_instants(batch.column(at), zone))

    try:
        head = read(first)
    except pa.ArrowInvalid:
        return pa.RecordBatchReader.from_batches(reader.schema, _behind(first, batches))
    return pa.RecordBatchReader.from_batches(head.schema, _behind(head, map(read, batches)))


def _is_local(kind: Any) -> bool:
    """Whether values are texts, or of a type that knows no zone."""
    import pyarrow as pa

    local = pa.types.is_timestamp(kind) and kind.tz is None
    return local or pa.types.is_string(kind) or pa.types.is_date(kind)


def _behind(first: Any, others: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from others


def _naive_instants(texts: Any, zone: str) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    local = pc.cast(texts, pa.timestamp("us"))
    if zone == "UTC":  # no value needs to be asked how far it is off
        return local.cast(pa.int64()).cast(pa.timestamp("us", "UTC"))
    return pc.assume_timezone(local, zone).cast(pa.timestamp("us", "UTC"))
