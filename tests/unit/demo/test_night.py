"""Which night the demo runs: the last one, whatever the hour."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from engine.demo.night import NeverFired, last_night, midnight_before
from engine.schedules.cron import CronTrigger

RIYADH = ZoneInfo("Asia/Riyadh")


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (datetime(2026, 11, 24, 21, 0, tzinfo=UTC), 24),  # midnight in Riyadh
        (datetime(2026, 11, 24, 23, 29, tzinfo=UTC), 24),
        (datetime(2026, 11, 24, 23, 30, tzinfo=UTC), 25),
        (datetime(2026, 11, 25, 20, 59, tzinfo=UTC), 25),
    ],
)
def test_the_world_ends_where_the_night_that_has_fired_looks_back_from(
    now: datetime, day: int
) -> None:
    fired_at = last_night(CronTrigger("30 2 * * *", RIYADH), now)
    assert fired_at <= now
    assert midnight_before(fired_at) == datetime(2026, 11, day, tzinfo=RIYADH)


def test_a_night_that_is_weeks_ago_is_found() -> None:
    trigger = CronTrigger("30 2 1 * *", RIYADH)
    fired_at = last_night(trigger, datetime(2026, 11, 24, 21, 0, tzinfo=UTC))
    assert fired_at == datetime(2026, 11, 1, 2, 30, tzinfo=RIYADH)


def test_a_schedule_that_has_not_fired_yet_is_named() -> None:
    leap_day = CronTrigger("30 2 29 2 *", RIYADH)
    with pytest.raises(NeverFired, match="'nightly-wallets' has not fired within a year"):
        last_night(leap_day, datetime(2026, 11, 24, tzinfo=UTC))
