"""The canteen's calendar: which days have school, and what happens in which minutes of them.

School days are Sunday to Thursday without the two national days. The other holidays follow the
moon or the ministry and are left out: in this world every week is a school week.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from zoneinfo import ZoneInfo

RIYADH = ZoneInfo("Asia/Riyadh")
WEEKEND = {4, 5}  # Friday and Saturday, as `date.weekday()` counts
ATTENDANCE = {6: 100, 0: 104, 1: 102, 2: 98, 3: 86, 4: 100, 5: 100}  # Thursdays are long weekends
NATIONAL_DAYS = {(2, 22), (9, 23)}  # Founding Day and National Day
FEWEST_DAYS, MOST_DAYS = 5, 180  # a week; a school year
MINUTE = timedelta(minutes=1)


class Trade(Enum):
    """What mostly happens in a window of the day."""

    TOPUPS = "guardians top up"
    CANTEEN = "students buy"
    OFFICE = "the office refunds, charges and pays out"


@dataclass(frozen=True)
class Window:
    """A stretch of a day in which one kind of trade happens; `share` is of 1,000 in a day."""

    trade: Trade
    start: time
    end: time
    share: int
    stage: str | None = None

    def minutes(self, day: date) -> tuple[datetime, int]:
        """When it starts on that day, in UTC, and how many minutes it has."""
        start, end = (datetime.combine(day, at, RIYADH) for at in (self.start, self.end))
        return start.astimezone(UTC), (end - start) // MINUTE


SCHOOL_DAY = (
    Window(Trade.TOPUPS, time(6, 0), time(7, 0), 15),
    Window(Trade.CANTEEN, time(9, 0), time(9, 25), 560, "primary"),
    Window(Trade.CANTEEN, time(9, 45), time(10, 10), 560, "intermediate"),
    Window(Trade.CANTEEN, time(10, 30), time(10, 55), 560, "secondary"),
    Window(Trade.CANTEEN, time(11, 30), time(11, 45), 360, "primary"),
    Window(Trade.CANTEEN, time(11, 50), time(12, 5), 360, "intermediate"),
    Window(Trade.CANTEEN, time(12, 10), time(12, 25), 360, "secondary"),
    Window(Trade.OFFICE, time(13, 0), time(13, 30), 30),
    Window(Trade.TOPUPS, time(16, 0), time(22, 0), 35),
)
DAY_OFF = (Window(Trade.TOPUPS, time(10, 0), time(22, 0), 40),)


@dataclass(frozen=True)
class Minute:
    """One minute of trade: which students (from 0) may take part, and how many entries it has."""

    trade: Trade
    starts_at: datetime
    students: range
    entries: int


def is_school_day(day: date) -> bool:
    """Whether the canteens are open."""
    return day.weekday() not in WEEKEND and (day.month, day.day) not in NATIONAL_DAYS


def days_before(as_of: datetime, *, school_days: int) -> list[date]:
    """The days up to `as_of`, days off included, that hold so many school days before it."""
    wanted = min(max(school_days, FEWEST_DAYS), MOST_DAYS)
    day = (as_of.astimezone(RIYADH) - timedelta(microseconds=1)).date()
    days, held = [day], int(is_school_day(day))
    while held < wanted:
        day -= timedelta(days=1)
        days.append(day)
        held += is_school_day(day)
    return days[::-1]


def minutes_of_trade(
    days: list[date], as_of: datetime, stages: Mapping[str, range], entries: int
) -> Iterator[Minute]:
    """Every minute of trade that is over by `as_of`, in order, with `entries` spread over them."""
    students = sum(len(stage) for stage in stages.values())
    windows = []
    for day in days:
        for window in SCHOOL_DAY if is_school_day(day) else DAY_OFF:
            start, minutes = window.minutes(day)
            if start + minutes * MINUTE <= as_of:
                present = stages[window.stage] if window.stage else range(students)
                weight = window.share * len(present) * ATTENDANCE[day.weekday()]
                windows.append((window.trade, start, minutes, present, weight))
    total, before = sum(weight for *_, weight in windows), 0
    for trade, start, minutes, present, weight in windows:
        # Differences of floors add up exactly, so the world has the entries that were asked for.
        count = entries * (before + weight) // total - entries * before // total
        before += weight
        for minute in range(minutes):
            here = count * (minute + 1) // minutes - count * minute // minutes
            if here:
                yield Minute(trade, start + minute * MINUTE, present, here)
