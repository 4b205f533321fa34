"""The stretch of calendar that a firing reports on: the day, week or month before it."""

from datetime import date, datetime, time, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from engine.schedules.zones import instant_of

PeriodKind = Literal["previous_day", "previous_week", "previous_month"]


class Period(NamedTuple):
    """Half open: `start` is in it, `end` is not. Both carry the offset of the schedule's zone."""

    start: datetime
    end: datetime


def period_before(scheduled_for: datetime, kind: PeriodKind, zone: ZoneInfo) -> Period:
    """The last whole day, week (from Sunday) or month before the day of `scheduled_for`."""
    today = scheduled_for.astimezone(zone).date()
    match kind:
        case "previous_day":
            first, last = today - timedelta(days=1), today
        case "previous_week":
            last = today - timedelta(days=today.isoweekday() % 7)
            first = last - timedelta(days=7)
        case "previous_month":
            last = today.replace(day=1)
            first = (last - timedelta(days=1)).replace(day=1)
    return Period(_start_of(first, zone), _start_of(last, zone))


def _start_of(day: date, zone: ZoneInfo) -> datetime:
    # Not always midnight: in Cairo a Friday of April begins at one o'clock.
    return instant_of(datetime.combine(day, time()), zone).astimezone(zone)
