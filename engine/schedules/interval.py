"""A trigger that fires at a steady pace, counted from a fixed instant."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from engine.schedules.durations import written
from engine.schedules.triggers import fingerprint_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class IntervalTrigger:
    """Fires at `start`, and every `every` after it: pure arithmetic, so all schedulers agree."""

    every: timedelta
    start: datetime = EPOCH

    def firings(self, after: datetime, until: datetime) -> Iterator[datetime]:
        firing = self.next_after(after)
        while firing <= until:
            yield firing
            firing += self.every

    def next_after(self, instant: datetime) -> datetime:
        passed = (instant - self.start) // self.every  # floors, before the start too
        return self.start + max(passed + 1, 0) * self.every

    @property
    def fingerprint(self) -> str:
        return fingerprint_of("every", str(self.every.total_seconds()), self.start.isoformat())

    def to_json(self) -> dict[str, Any]:
        every, start = self.every.total_seconds(), self.start.isoformat()
        return {"kind": "every", "every": every, "start": start}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Back from JSON-ready data."""
        return cls(timedelta(seconds=data["every"]), datetime.fromisoformat(data["start"]))

    def __str__(self) -> str:
        start = "" if self.start == EPOCH else f" from {self.start.isoformat()}"
        return f"every {written(self.every)}{start}"
