"""The clocks: the only place that asks the system what time it is (leases ask the database)."""

import time
from datetime import UTC, datetime
from typing import Protocol

# Linux's monotonic clock stands still while the machine sleeps; this one goes on.
_EVER_GROWING = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def elapsed() -> float:
    """Seconds since some instant of this machine's, whatever its clock is set to."""
    return time.clock_gettime(_EVER_GROWING)


def rfc3339(instant: datetime | None) -> str | None:
    """An instant as other programs read it, to the millisecond: `2026-11-24T03:00:00.000Z`."""
    if instant is None:
        return None
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Clock(Protocol):
    """Tells the time as an aware UTC `datetime`."""

    def now(self) -> datetime:
        """The present instant."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant by the machine's clock."""
        return datetime.now(UTC)
