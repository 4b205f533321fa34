"""Instants and durations as other programs read them."""

from datetime import UTC, datetime, timedelta


def rfc3339(instant: datetime | None) -> str | None:
    """An instant in UTC, to the millisecond: `2026-11-24T03:00:00.000Z`."""
    if instant is None:
        return None
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def milliseconds(duration: timedelta | None) -> int | None:
    """A duration in whole milliseconds."""
    return None if duration is None else duration // timedelta(milliseconds=1)
