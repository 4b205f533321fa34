"""The day, week or month before a firing, in the zone of the schedule."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.schedules.period import PeriodKind, period_before
from engine.schedules.zones import instant_of
from tests.builders.schedule import a_schedule

ZONES = st.sampled_from(
    ["UTC", "Asia/Riyadh", "Africa/Cairo", "Europe/Berlin", "America/New_York", "America/Havana"]
).map(ZoneInfo)
KINDS = st.sampled_from(["previous_day", "previous_week", "previous_month"])
INSTANTS = st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001 - hypothesis wants it so
    max_value=datetime(2060, 1, 1),  # noqa: DTZ001 - hypothesis wants it so
    timezones=st.just(UTC),
)


@given(INSTANTS, KINDS, ZONES)
def test_a_period_has_ended_and_is_followed_by_the_next(
    firing: datetime, kind: PeriodKind, zone: ZoneInfo
) -> None:
    start, end = period_before(firing, kind, zone)
    assert start < end <= firing
    # Asked at its own end, the answer is the same; just after it began, the one before.
    assert period_before(end, kind, zone) == (start, end)
    assert period_before(start, kind, zone).end == start
    # A firing a period later goes on where this one stopped: no gap, nothing twice.
    later = {"previous_day": 1, "previous_week": 7, "previous_month": 31}[kind]
    if kind != "previous_month":
        following = instant_of(
            end.replace(tzinfo=None, hour=12, fold=0) + timedelta(days=later), zone
        )
        assert period_before(following, kind, zone).start == end


@given(INSTANTS, ZONES)
def test_weeks_begin_on_sunday_and_months_on_the_first(firing: datetime, zone: ZoneInfo) -> None:
    week = period_before(firing, "previous_week", zone)
    assert {week.start.strftime("%a"), week.end.strftime("%a")} == {"Sun"}
    month = period_before(firing, "previous_month", zone)
    assert (month.start.day, month.end.day) == (1, 1)
    assert (month.end.date() - month.start.date()).days in {28, 29, 30, 31}


@pytest.mark.parametrize(
    ("firing", "kind", "zone", "expected"),
    [
        ("2026-03-01T00:30+03:00", "previous_day", "Asia/Riyadh",
         ("2026-02-28T00:00:00+03:00", "2026-03-01T00:00:00+03:00")),
        ("2026-03-01T00:30+03:00", "previous_week", "Asia/Riyadh",
         ("2026-02-22T00:00:00+03:00", "2026-03-01T00:00:00+03:00")),
        ("2026-03-01T00:30+03:00", "previous_month", "Asia/Riyadh",
         ("2026-02-01T00:00:00+03:00", "2026-03-01T00:00:00+03:00")),
        ("2026-03-07T23:59+03:00", "previous_week", "Asia/Riyadh",
         ("2026-02-22T00:00:00+03:00", "2026-03-01T00:00:00+03:00")),
        ("2024-04-27T02:00+03:00", "previous_day", "Africa/Cairo",
         ("2024-04-26T01:00:00+03:00", "2024-04-27T00:00:00+03:00")),
        ("2024-11-01T02:00+02:00", "previous_day", "Africa/Cairo",
         ("2024-10-31T00:00:00+03:00", "2024-11-01T00:00:00+02:00")),
        ("2024-11-03T02:00-05:00", "previous_day", "America/Havana",
         ("2024-11-02T00:00:00-04:00", "2024-11-03T00:00:00-04:00")),
    ],
)  # fmt: skip
def test_a_period_is_half_open_and_carries_the_offset_of_its_zone(
    firing: str, kind: PeriodKind, zone: str, expected: tuple[str, str]
) -> None:
    start, end = period_before(datetime.fromisoformat(firing), kind, ZoneInfo(zone))
    assert (start.isoformat(), end.isoformat()) == expected


def test_a_schedule_without_a_period_has_none() -> None:
    assert a_schedule().period_for(datetime(2026, 1, 1, tzinfo=UTC)) is None
