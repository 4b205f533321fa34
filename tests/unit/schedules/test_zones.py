"""Zones by name, and wall-clock times as instants."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from engine.schedules.zones import instant_of, zone_named


@pytest.mark.parametrize(
    ("wall", "zone", "expected"),
    [
        ("2026-01-01T00:00", "Asia/Riyadh", "2025-12-31T21:00:00+00:00"),
        ("2024-03-31T02:30", "Europe/Berlin", "2024-03-31T01:00:00+00:00"),
        ("2024-10-27T02:30", "Europe/Berlin", "2024-10-27T00:30:00+00:00"),
        ("2024-04-26T00:00", "Africa/Cairo", "2024-04-25T22:00:00+00:00"),
        ("2024-04-26T00:59:59", "Africa/Cairo", "2024-04-25T22:00:00+00:00"),
        ("2024-10-31T23:30", "Africa/Cairo", "2024-10-31T20:30:00+00:00"),
        ("2024-10-06T02:10", "Australia/Lord_Howe", "2024-10-05T15:30:00+00:00"),
        ("2011-12-30T12:00", "Pacific/Apia", "2011-12-30T10:00:00+00:00"),
    ],
)
def test_a_skipped_time_is_the_skip_and_a_doubled_one_its_first_coming(
    wall: str, zone: str, expected: str
) -> None:
    assert instant_of(datetime.fromisoformat(wall), ZoneInfo(zone)).isoformat() == expected


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Asia/Ryadh", "did you mean 'Asia/Riyadh'"),
        ("Riyadh", "did you mean 'Asia/Riyadh'"),
        ("asia/riyadh", "did you mean 'Asia/Riyadh'"),
        ("Europe/berlin ", "did you mean 'Europe/Berlin'"),
        ("UTC+3", "no time zone is named 'UTC\\+3'"),
        ("", "write it like Asia/Riyadh"),
        ("localtime", "no time zone is named"),
        ("posix/Asia/Riyadh", "did you mean 'Asia/Riyadh'"),
        ("Asia", "no time zone is named 'Asia'"),
        ("../Asia/Riyadh", "did you mean 'Asia/Riyadh'"),
        ("/etc/passwd", "no time zone is named"),
        ("a\x00b", "no time zone is named"),
        ("x" * 5000, "no time zone is named 'xxx"),
    ],
)
def test_only_names_of_iana_are_zones(name: str, hint: str) -> None:
    with pytest.raises(ValueError, match=hint):
        zone_named(name)


def test_a_zone_keeps_its_name() -> None:
    assert zone_named("Africa/Cairo").key == "Africa/Cairo"
