"""A second opinion on cron, by walking every real minute of several years.

It shares nothing with the code under test. Each UTC minute has a wall-clock minute, found by
adding the zone's offset. A wall-clock minute counts as *reached* at the first real minute whose
clock shows it or more; so a minute that is skipped is reached by the skip, and one that comes twice
is reached once. Expressions with every hour are not about reaching: they fire whenever the clock
matches.
"""

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

DAY = 1440
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WEEKDAYS = "sun mon tue wed thu fri sat"
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec"
NAMES = {
    **{name: n for n, name in enumerate(WEEKDAYS.split())},
    **{name: n for n, name in enumerate(MONTHS.split(), start=1)},
}


def minutes_since_epoch(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(minutes=1)


@dataclass(frozen=True, eq=False)
class Walk:
    """Every minute from `start` to `end` in one zone, and what the clocks there show."""

    start: int
    walls: Any
    reached: Any
    first_day: int
    days: int

    @classmethod
    def through(cls, zone: ZoneInfo, start: datetime, end: datetime) -> "Walk":
        first, last = minutes_since_epoch(start), minutes_since_epoch(end)
        offsets = np.zeros(last - first, dtype=np.int64)
        # The zones tested change at whole hours of UTC, so one look at each hour is enough.
        for begin in range(0, last - first, 60):
            moment = (start + timedelta(minutes=begin)).astimezone(zone)
            offset = moment.utcoffset()
            assert offset is not None
            offsets[begin : begin + 60] = offset // timedelta(minutes=1)
        walls = np.arange(first, last) + offsets
        first_day = int(walls.min()) // DAY
        days = int(walls.max()) // DAY - first_day + 1
        walls = walls - first_day * DAY
        return cls(first, walls, np.maximum.accumulate(walls), first_day, days)

    @cache  # noqa: B019 - a handful of walks, kept for the module's tests
    def firings(self, expression: str) -> list[datetime]:
        minute, hour, day, month, weekday = expression.lower().split()
        minutes, hours = values(minute, 0, 59), values(hour, 0, 23)
        times = np.zeros(DAY, dtype=bool)
        times[[h * 60 + m for h in hours for m in minutes]] = True
        days = np.array(
            [
                matches(date(1970, 1, 1) + timedelta(days=self.first_day + n), day, month, weekday)
                for n in range(self.days)
            ]
        )
        matching = np.outer(days, times).ravel()
        if hours == set(range(24)):
            at = np.flatnonzero(matching[self.walls])
        else:
            counted = np.cumsum(matching, dtype=np.int32)[self.reached]
            at = np.flatnonzero(np.diff(counted) > 0) + 1
        return [EPOCH + timedelta(minutes=self.start + int(n)) for n in at]


@cache
def values(field: str, low: int, high: int) -> set[int]:
    found: set[int] = set()
    for term in field.split(","):
        span, _, step = term.partition("/")
        if span == "*":
            first, last = low, high
        elif "-" in span:
            first, last = (number(end) for end in span.split("-"))
        else:
            first = number(span)
            last = high if step else first
        found |= set(range(first, last + 1, int(step or 1)))
    return found


def number(text: str) -> int:
    return NAMES[text] if text in NAMES else int(text)


def matches(day: date, days: str, months: str, weekdays: str) -> bool:
    """As cron has always had it: either day field will do, unless one starts with a star."""
    if day.month not in values(months, 1, 12):
        return False
    by_day = any(matches_day(day, term) for term in days.split(","))
    by_weekday = any(matches_weekday(day, term) for term in weekdays.split(","))
    if days.startswith("*") or weekdays.startswith("*"):
        return by_day and by_weekday
    return by_day or by_weekday


def matches_day(day: date, term: str) -> bool:
    if term == "l":
        return (day + timedelta(days=1)).day == 1
    return day.day in values(term, 1, 31)


def matches_weekday(day: date, term: str) -> bool:
    today = (day.weekday() + 1) % 7
    if "#" in term:
        name, nth = term.split("#")
        return number(name) % 7 == today and (day.day - 1) // 7 + 1 == int(nth)
    if term.endswith("l"):
        last = calendar.monthrange(day.year, day.month)[1]
        return number(term[:-1]) % 7 == today and day.day + 7 > last
    return today in {value % 7 for value in values(term, 0, 7)}
