"""Periods: as people write them, and as files are named by them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from engine.reporting.period import WrongPeriod, read_period

RIYADH = ZoneInfo("Asia/Riyadh")
NOW = datetime(2026, 11, 24, 22, tzinfo=UTC)  # the 25th in Riyadh
A_DAY = read_period("2026-11-23", RIYADH, NOW)


@pytest.mark.parametrize(
    ("text", "first", "end", "name"),
    [
        ("2026-11-23", "2026-11-23", "2026-11-24", "2026-11-23"),
        ("2026-11", "2026-11-01", "2026-12-01", "2026-11"),
        ("2024-02", "2024-02-01", "2024-03-01", "2024-02"),
        ("2026-11-01/2026-11-30", "2026-11-01", "2026-12-01", "2026-11"),
        ("2026-11-15/2026-12-15", "2026-11-15", "2026-12-16", "2026-11-15_2026-12-15"),
        ("previous_day", "2026-11-24", "2026-11-25", "2026-11-24"),
        ("previous_week", "2026-11-15", "2026-11-22", "2026-11-15_2026-11-21"),
        ("previous_month", "2026-10-01", "2026-11-01", "2026-10"),
    ],
)
def test_a_period_begins_and_ends_at_midnight_where_the_report_is(
    text: str, first: str, end: str, name: str
) -> None:
    period = read_period(text, RIYADH, NOW)
    assert [period.start.isoformat(), period.end.isoformat()] == [
        f"{first}T00:00:00+03:00",
        f"{end}T00:00:00+03:00",
    ]
    assert period.name == name


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2026-13", "2026-02-30", "2026-11-23/2026-11-22", "20261123", "2026-11-1"],
)
def test_what_is_no_period_is_refused_with_examples(text: str) -> None:
    with pytest.raises(WrongPeriod, match="write a day"):
        read_period(text, RIYADH, NOW)


def test_a_day_begins_when_its_first_hour_exists() -> None:
    # In Cairo clocks went from 00:00 to 01:00 on that Friday.
    cairo = read_period("2026-04-24", ZoneInfo("Africa/Cairo"), NOW)
    assert cairo.start.isoformat() == "2026-04-24T01:00:00+03:00"
    assert cairo.name == "2026-04-24"
