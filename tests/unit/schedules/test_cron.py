"""Cron expressions: what is understood, and the days on which clocks change."""

from bisect import bisect
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest

from engine.schedules.cron import CronTrigger, checked_cron
from tests.unit.schedules.brute_force import Walk

ZONES = ("Asia/Riyadh", "Africa/Cairo", "Europe/Berlin", "America/New_York")
START = datetime(2021, 1, 1, tzinfo=UTC)
END = datetime(2027, 1, 1, tzinfo=UTC)

EXPRESSIONS = (
    "0 2 * * *",
    "30 2 * * *",
    "0 0 * * *",
    "30 0 * * *",
    "59 23 * * *",
    "0 * * * *",
    "*/15 * * * *",
    "7-59/13 0-23 * * *",
    "*/20 2 * * *",
    "*/30 0,23 * * *",
    "0 */2 * * *",
    "15 1-3 * * *",
    "0,30 0-2,23 * * *",
    "0 7 * * sun-thu",
    "0 7 * * 0-4",
    "5 1 * * 7",
    "5 1 * * 5-7",
    "0 6 1 * *",
    "0 6 L * *",
    "0 6 1,L * *",
    "0 0 L jan,jun *",
    "0 8 * * sun#2",
    "0 8 * * 5L",
    "0 8 1,15 * fri",
    "0 8 */10 * mon",
    "0 8 13 * */2",
    "*/5 0 26-30 4,10 *",
    "0 0 29 2 *",
    "45 3/6 10-20/5 mar-dec/3 *",
)


@pytest.fixture(scope="module", params=ZONES)
def walk(request: pytest.FixtureRequest) -> tuple[ZoneInfo, Walk]:
    zone = ZoneInfo(request.param)
    return zone, Walk.through(zone, START - timedelta(days=1), END)


def trigger(expression: str, zone: ZoneInfo | str) -> CronTrigger:
    zone = ZoneInfo(zone) if isinstance(zone, str) else zone
    return CronTrigger(checked_cron(expression), zone)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_the_first_two_thousand_firings_are_those_of_a_walk_through_every_minute(
    walk: tuple[ZoneInfo, Walk], expression: str
) -> None:
    zone, every_minute = walk
    expected = [each for each in every_minute.firings(expression) if each > START][:2000]
    until = expected[-1] if len(expected) == 2000 else END - timedelta(minutes=1)
    assert [*trigger(expression, zone).firings(START, until)] == expected


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_two_days_around_every_change_of_the_clocks_agree_too(
    walk: tuple[ZoneInfo, Walk], expression: str
) -> None:
    zone, every_minute = walk
    firings = every_minute.firings(expression)
    cron = trigger(expression, zone)
    for change in changes(zone):
        around = (change - timedelta(days=2), change + timedelta(days=2))
        expected = firings[bisect(firings, around[0]) : bisect(firings, around[1])]
        assert [*cron.firings(*around)] == expected
        # And asked one by one, from instants in the middle of it all.
        for minutes in range(-150, 151, 30):
            asked = change + timedelta(minutes=minutes)
            if (later := bisect(expected, asked)) < len(expected):
                assert cron.next_after(asked) == expected[later]


@cache
def changes(zone: ZoneInfo) -> list[datetime]:
    """The instants at which the zone's offset changes."""
    hours = [START + timedelta(hours=n) for n in range(24, (END - START).days * 24 - 48)]
    offsets = [hour.astimezone(zone).utcoffset() for hour in hours[::24]]
    found = []
    for n, (before, after) in enumerate(pairwise(offsets)):
        if before != after:
            day = hours[n * 24 : n * 24 + 25]
            found += [hour for hour in day if hour.astimezone(zone).utcoffset() == after][:1]
    return found


def local(expression: str, zone: str, after: str, count: int) -> list[str]:
    start = datetime.fromisoformat(after).replace(tzinfo=ZoneInfo(zone))
    firings = trigger(expression, zone).firings(start, start + timedelta(days=400))
    return [f"{each.astimezone(ZoneInfo(zone)):%m-%d %H:%M%z}" for each in islice(firings, count)]


def test_a_midnight_that_cairo_skips_fires_at_one() -> None:
    assert local("0 0 * * *", "Africa/Cairo", "2024-04-24T12:00", 3) == [
        "04-25 00:00+0200",
        "04-26 01:00+0300",
        "04-27 00:00+0300",
    ]


def test_times_of_the_skipped_hour_fire_once_together() -> None:
    assert local("*/15 0 * * *", "Africa/Cairo", "2024-04-25T12:00", 2) == [
        "04-26 01:00+0300",
        "04-27 00:00+0300",
    ]
    assert local("0,30 0,1 * * *", "Africa/Cairo", "2024-04-25T12:00", 3) == [
        "04-26 01:00+0300",
        "04-26 01:30+0300",
        "04-27 00:00+0300",
    ]


def test_an_hour_that_comes_twice_in_cairo_fires_the_first_time_only() -> None:
    assert local("30 23 * * *", "Africa/Cairo", "2024-10-31T12:00", 2) == [
        "10-31 23:30+0300",
        "11-01 23:30+0200",
    ]


def test_every_hour_is_every_real_hour_through_both_changes() -> None:
    for change in ("2024-03-30T12:00", "2024-10-26T12:00"):
        start = datetime.fromisoformat(change).replace(tzinfo=ZoneInfo("Europe/Berlin"))
        for expression, minutes in (("0 * * * *", 60), ("*/15 * * * *", 15), ("0 0-23 * * *", 60)):
            firings = [*trigger(expression, "Europe/Berlin").firings(start, start + timedelta(2))]
            assert {b - a for a, b in pairwise(firings)} == {timedelta(minutes=minutes)}


def test_every_second_hour_names_its_hours() -> None:
    assert local("0 */2 * * *", "Europe/Berlin", "2024-03-30T23:00", 3) == [
        "03-31 00:00+0100",
        "03-31 03:00+0200",
        "03-31 04:00+0200",
    ]
    assert local("0 */2 * * *", "Europe/Berlin", "2024-10-26T23:00", 3) == [
        "10-27 00:00+0200",
        "10-27 02:00+0200",
        "10-27 04:00+0100",
    ]


def test_sunday_is_zero_and_seven() -> None:
    for sunday in ("0", "7", "sun", "SUN", "7-7"):
        assert local(f"0 7 * * {sunday}", "Asia/Riyadh", "2026-01-01T00:00", 1)[0][:5] == "01-04"


def test_firings_are_later_than_after_and_not_later_than_until() -> None:
    daily = trigger("0 2 * * *", "UTC")
    first = datetime(2026, 1, 1, 2, tzinfo=UTC)
    second = first + timedelta(days=1)
    assert [*daily.firings(first, second)] == [second]
    assert [*daily.firings(first - timedelta(microseconds=1), first)] == [first]
    assert [*daily.firings(first, first + timedelta(microseconds=1))] == []
    assert daily.next_after(first + timedelta(microseconds=1)) == second


def test_a_fingerprint_changes_with_the_expression_and_the_zone() -> None:
    one = trigger("0 2 * * sun", "Asia/Riyadh")
    assert one.fingerprint == trigger(" 0  2 * * SUN ", "Asia/Riyadh").fingerprint
    assert one.fingerprint != trigger("0 2 * * sun", "Asia/Kuwait").fingerprint
    assert one.fingerprint != trigger("0 3 * * sun", "Asia/Riyadh").fingerprint
    assert one.fingerprint == "4fbe8fa5d926f4e2"  # stored beside watermarks: it may not change


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("", "0 fields, but exactly five are due: minute hour day month weekday"),
        ("0 2 * *", "4 fields, but exactly five are due: minute hour day month weekday"),
        ("0 0 2 * * *", "a cron has no seconds, for those use 'every', as in every: 30s"),
        ("0 0 2 * * * 2026", "7 fields, but exactly five"),
        ("@daily", "@daily is not known; write '0 0 * * *'"),
        ("@reboot", "@reboot is not known; write five fields"),
        ("60 2 * * *", "the minute '60': values are 0 to 59"),
        ("0 24 * * *", "the hour '24': values are 0 to 23"),
        ("0 2 0 * *", "the day '0': values are 1 to 31"),
        ("0 2 * 13 *", "the month '13': values are 1 to 12 or jan to dec"),
        ("0 2 * * 8", "the weekday '8': values are 0 to 7 or sun to sat"),
        ("0 2 * * sunday", "the weekday 'sunday': values are 0 to 7 or sun to sat"),
        ("0 2 * * fri-sun", "the weekday 'fri-sun': the range runs backwards; write fri-sat,sun"),
        ("0 2 * * 6-4", "the weekday '6-4': the range runs backwards; write 6,0-4"),
        ("0 2 * nov-FEB *", "the month 'nov-FEB': the range runs backwards; write nov-dec,jan-feb"),
        ("50-10 2 * * *", "the range runs backwards; write 50-59,0-10"),
        ("*/0 2 * * *", "a step must be 1 to 59"),
        ("*/90 * * * *", "a step must be 1 to 59; for other paces use 'every'"),
        ("*/x * * * *", "a step is a whole number after the '/'"),
        ("1,,2 * * * *", "a value is missing beside a comma"),
        ("-1 * * * *", "the minute '-1': values are 0 to 59"),
        ("\u0661 * * * *", "values are 0 to 59"),
        ("0 2 ? * *", "the day '?': '?' is not known; write '*'"),
        ("0 2 15W * *", "'W' is not known, as weekends differ; list the weekdays"),
        ("0 2 L/2 * *", "the day 'L/2': values are 1 to 31"),
        ("0 2 * * sun#6", "after '#' comes 1 to 5, as in sun#2 for the second Sunday"),
        ("0 2 * * L", "write the weekday before it, as in 5L for the last Friday"),
        ("0 0 30 2 *", "'0 0 30 2 *' can never fire: no such day is in any year"),
        ("0 0 31 4,6,9,11 *", "can never fire"),
        ("0 0 */30 2 mon#5", "can never fire"),
    ],
)
def test_a_wrong_expression_is_told_its_fix(expression: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is what is tested
        checked_cron(expression)
    assert message in str(caught.value)
