"""A clock that tests move by hand."""

from datetime import UTC, datetime, timedelta


class FakeClock:
    """Stands still until it is advanced."""

    def __init__(self, now: datetime = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)) -> None:
        self._now = now

    def now(self) -> datetime:
        """The instant it stands at."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move forward."""
        self._now += by
