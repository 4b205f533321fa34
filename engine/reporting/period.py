"""The stretch of calendar that a report is about: as people give it, and in names of files."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

from engine.errors import Invalid
from engine.schedules.period import PeriodKind, period_before
from engine.schedules.zones import instant_of

_MONTH = re.compile(r"\d{4}-\d{2}")
_KINDS: tuple[PeriodKind, ...] = get_args(PeriodKind)


class WrongPeriod(Invalid):
    """A text that should be a period is none."""

    message = (
        "{text!r} is no period; write a day (2026-01-31), a month (2026-01), the first and the "
        "last day (2026-01-01/2026-01-15), or previous_day, previous_week or previous_month"
    )


@dataclass(frozen=True, kw_only=True)
class ReportPeriod:
    """Half open, in the report's zone: `start` is in it, `end` is not."""

    start: datetime
    end: datetime

    @property
    def name(self) -> str:
        """As files are named: a day, a month, or the first and the last day."""
        first, last = self.start.date(), self.last_day
        if first.day == 1 and last == _end_of_month(first):
            return f"{first:%Y-%m}"
        return f"{first}" if first == last else f"{first}_{last}"

    @property
    def last_day(self) -> date:
        """The day that its last instant is in."""
        return (self.end - timedelta(microseconds=1)).astimezone(self.end.tzinfo).date()

    @property
    def facts(self) -> dict[str, str]:
        """What `${period.start}` and `${period.end}` stand for."""
        return {"period.start": self.start.isoformat(), "period.end": self.end.isoformat()}


def read_period(text: str, zone: ZoneInfo, now: datetime) -> ReportPeriod:
    """The period that `text` says; raises WrongPeriod."""
    if text in _KINDS:
        return previous(text, zone, now)
    try:
        first, last = _days(text)
        if last < first:
            raise ValueError("it ends before it begins")
        return ReportPeriod(start=_midnight(first, zone), end=_midnight(_after(last), zone))
    except (ValueError, OverflowError):
        raise WrongPeriod(text=text) from None


def previous(kind: PeriodKind, zone: ZoneInfo, now: datetime) -> ReportPeriod:
    """The last whole day, week or month before the day of `now`."""
    return between(*period_before(now, kind, zone), zone)


def between(start: datetime, end: datetime, zone: ZoneInfo) -> ReportPeriod:
    """The period between two instants."""
    return ReportPeriod(start=start.astimezone(zone), end=end.astimezone(zone))


def _days(text: str) -> tuple[date, date]:
    if _MONTH.fullmatch(text):
        first = date.fromisoformat(f"{text}-01")
        return first, _end_of_month(first)
    first_day, slash, last_day = text.partition("/")
    return _day(first_day), _day(last_day if slash else first_day)


def _day(text: str) -> date:
    if len(text) != len("2026-01-31"):
        raise ValueError("no day")
    return date.fromisoformat(text)


def _after(day: date) -> date:
    return day + timedelta(days=1)


def _end_of_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    # Not always midnight: in Cairo a Friday of April begins at one o'clock.
    return instant_of(datetime.combine(day, time()), zone).astimezone(zone)
