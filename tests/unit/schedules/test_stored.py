"""A schedule as data: nothing that decides a firing or its run is lost on the way."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.schedules.cron import CronTrigger
from engine.schedules.interval import IntervalTrigger
from engine.schedules.schedule import Schedule
from engine.schedules.stored import (
    UnreadableSchedule,
    schedule_from_json,
    schedule_to_json,
    version_of,
)
from tests.builders.schedule import a_schedule

RIYADH = ZoneInfo("Asia/Riyadh")
CHANGES: list[dict[str, Any]] = [
    {"job": "export"},
    {"trigger": CronTrigger("0 2 * * SUN-THU", RIYADH)},
    {"trigger": CronTrigger("0 2 * * SUN-THU", ZoneInfo("UTC"))},
    {"trigger": IntervalTrigger(timedelta(minutes=90))},
    {"trigger": IntervalTrigger(timedelta(hours=1), datetime(2026, 1, 1, 0, 7, tzinfo=UTC))},
    {"timezone": ZoneInfo("Africa/Cairo")},
    {"queue": "slow"},
    {"params": {"limits": [Decimal("0.10"), {"a": None}], "since": "${period.start}"}},
    {"params": {"limits": [Decimal("0.1"), {"a": None}], "since": "${period.start}"}},
    {"enabled": False},
    {"overlap": "queue"},
    {"missed": "all"},
    {"within": timedelta(hours=6)},
    {"period": "previous_week"},
    {"priority": 0},
    {"priority": -5},
]


@pytest.mark.parametrize("changes", [{}, *CHANGES])
def test_a_schedule_is_read_back_as_it_was(changes: dict[str, Any]) -> None:
    schedule = a_schedule(**changes)
    text = json.dumps(schedule_to_json(schedule))
    assert schedule_from_json(schedule.name, json.loads(text)) == schedule


def test_each_change_is_another_version() -> None:
    versions = {version_of(a_schedule(**changes)) for changes in [{}, *CHANGES]}
    assert len(versions) == len(CHANGES) + 1
    assert version_of(a_schedule()) in versions
    assert version_of(a_schedule(name="other")) == version_of(a_schedule())


def test_every_field_of_a_schedule_is_stored() -> None:
    stored = schedule_to_json(a_schedule(priority=1))
    assert {"name", *stored} == set(Schedule.__dataclass_fields__)


def test_a_schedule_that_says_no_priority_is_the_version_that_it_was_before_there_were_any() -> (
    None
):
    assert "priority" not in schedule_to_json(a_schedule())


@pytest.mark.parametrize(
    "changes",
    [
        {"jitter": "5m"},
        {"trigger": {"kind": "calendar"}},
        {"trigger": {"kind": "cron", "expression": "61 * * * *", "zone": "UTC"}},
        {"timezone": "Mars/Olympus"},
    ],
)
def test_what_this_version_does_not_know_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(UnreadableSchedule, match="the stored schedule 'hourly' cannot be read"):
        schedule_from_json("hourly", schedule_to_json(a_schedule()) | changes)
    with pytest.raises(UnreadableSchedule):
        schedule_from_json("hourly", {})
