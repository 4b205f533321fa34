"""A trigger by cron expression, in a zone; the one home of cronsim.

A time that does not exist on a day of change fires at the next instant that does; one that comes
twice fires the first time only. An expression that holds in every hour (`*/15 * * * *`) runs in
real time instead: every fifteen minutes, through both changes. cronsim has rules of its own for
these days (it goes by whether a field *starts with* a star, and fires twice where two times are
skipped to one instant), so it is asked for wall-clock times, and the rules are kept here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Self
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from engine.schedules.cron_fields import normalised
from engine.schedules.triggers import fingerprint_of
from engine.schedules.zones import instant_of, zone_named

_ANY = datetime(2024, 1, 1)  # noqa: DTZ001 - a wall-clock time, in no zone


@lru_cache(maxsize=4096)
def checked_cron(text: str) -> str:
    """The expression, normalised; ValueError if it is none, or holds at no time at all."""
    expression = normalised(text)
    try:
        next(CronSim(expression, _ANY))
    except (StopIteration, CronSimError):
        raise ValueError(f"{text!r} can never fire: no such day is in any year") from None
    return expression


@dataclass(frozen=True)
class CronTrigger:
    """Fires when the clocks of `zone` show what `expression` says."""

    expression: str
    zone: ZoneInfo

    def firings(self, after: datetime, until: datetime) -> Iterator[datetime]:
        last = after
        for firing in self._candidates(after):
            if firing > until:
                return
            if firing > last:
                yield firing
                last = firing

    def next_after(self, instant: datetime) -> datetime:
        return next(firing for firing in self._candidates(instant) if firing > instant)

    def _candidates(self, after: datetime) -> Iterator[datetime]:
        """Instants in order, among them every firing later than `after`; some may come twice."""
        minute, hour, *days = self.expression.split()
        local = after.astimezone(self.zone)
        if _is_every_hour(hour):
            # With a star for the hour, cronsim walks through real instants of the zone.
            for moment in CronSim(" ".join([minute, "*", *days]), local):
                yield moment.astimezone(UTC)
        else:
            for wall in CronSim(self.expression, local.replace(tzinfo=None, fold=0)):
                yield instant_of(wall, self.zone)

    @property
    def fingerprint(self) -> str:
        return fingerprint_of("cron", self.expression, self.zone.key)

    def to_json(self) -> dict[str, Any]:
        return {"kind": "cron", "expression": self.expression, "zone": self.zone.key}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Back from JSON-ready data; ValueError if this version cannot read it."""
        return cls(checked_cron(data["expression"]), zone_named(data["zone"]))

    def __str__(self) -> str:
        return self.expression.lower()


def _is_every_hour(field: str) -> bool:
    return CronSim(f"0 {field} * * *", _ANY).hours == set(range(24))
