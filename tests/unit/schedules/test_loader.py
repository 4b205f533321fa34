"""schedules.yaml as Schedules: defaults, zones, params, and everything said at once."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from engine.documents.problem import InvalidDocument
from engine.schedules.cron import CronTrigger
from engine.schedules.interval import IntervalTrigger
from engine.schedules.loader import load_schedules
from engine.schedules.schedule import Schedule
from tests.builders.schedule import DEFINITIONS, JOBS, schedules_in


def schedule(tmp_path: Path, fields: str, top: str = "") -> Schedule:
    path = tmp_path / "schedules.yaml"
    indented = "".join(f"    {line}\n" for line in fields.splitlines())
    path.write_text(f"{top}schedules:\n  nightly:\n{indented}", encoding="utf-8")
    return schedules_in(path)["nightly"]


def test_a_schedule_with_every_field(tmp_path: Path) -> None:
    found = schedule(
        tmp_path,
        "job: reconcile\nparams: {definition: wallets}\ncron: 0 2 * * sun-thu\n"
        "timezone: Africa/Cairo\nenabled: false\nqueue: heavy_1\noverlap: queue\n"
        "missed: {policy: all, within: 6h}\nperiod: previous_week\npriority: -5",
        "timezone: Asia/Riyadh\n",
    )
    assert found == Schedule(
        name="nightly",
        job="reconcile",
        trigger=CronTrigger("0 2 * * SUN-THU", ZoneInfo("Africa/Cairo")),
        timezone=ZoneInfo("Africa/Cairo"),
        queue="heavy_1",
        params={"definition": "wallets"},
        enabled=False,
        overlap="queue",
        missed="all",
        within=timedelta(hours=6),
        period="previous_week",
        priority=-5,
    )


def test_what_is_not_said_has_its_default(tmp_path: Path) -> None:
    found = schedule(tmp_path, "job: reconcile\nparams: {definition: wallets}\nevery: 1h")
    assert (found.enabled, found.overlap, found.missed, found.within, found.period) == (
        *(True, "skip", "latest"),
        *(None, None),
    )
    assert found.timezone == ZoneInfo("UTC")
    assert found.queue == "nightly"  # the job's own
    assert found.priority is None


def test_missed_has_a_short_form(tmp_path: Path) -> None:
    found = schedule(tmp_path, "job: purge\nevery: 1h\nmissed: skip")
    assert (found.missed, found.within) == ("skip", None)
    found = schedule(tmp_path, "job: purge\nevery: 1h\nmissed: {within: 90m}")
    assert (found.missed, found.within) == ("latest", timedelta(minutes=90))


def test_a_start_without_an_offset_is_in_the_zone_of_the_schedule(tmp_path: Path) -> None:
    for start in ("2026-01-01", "2026-01-01T00:00", "2025-12-31T21:00:00Z"):
        found = schedule(tmp_path, f"job: purge\nevery: 2h\nstart: {start}\ntimezone: Asia/Riyadh")
        expected = datetime(2025, 12, 31, 21, tzinfo=UTC)
        assert found.trigger == IntervalTrigger(timedelta(hours=2), expected)


def test_schedules_keep_the_order_of_the_file_and_may_be_none(tmp_path: Path) -> None:
    path = tmp_path / "schedules.yaml"
    path.write_text("schedules:\n  b: {job: purge, every: 1h}\n  a: {job: purge, every: 1h}\n")
    assert [*schedules_in(path)] == ["b", "a"]
    for nothing in ("schedules: {}", "schedules:"):
        path.write_text(nothing)
        assert schedules_in(path) == {}


def test_entries_may_share_fields_through_an_anchor(tmp_path: Path) -> None:
    path = tmp_path / "schedules.yaml"
    path.write_text(
        "schedules:\n  a: &shared\n    job: purge\n    every: 1h\n    queue: slow\n"
        "  b:\n    <<: *shared\n    every: 2h\n"
    )
    found = schedules_in(path)
    assert (found["b"].queue, str(found["b"].trigger)) == ("slow", "every 2h")


def test_params_of_a_firing_have_their_tokens_filled(tmp_path: Path) -> None:
    found = schedule(
        tmp_path,
        "job: export\ncron: 0 2 * * *\nperiod: previous_day\ntimezone: Africa/Cairo\n"
        "params: {since: '${period.start}', until: '${period.end}', formats: ['$${x}']}",
    )
    firing = datetime(2024, 4, 26, 23, tzinfo=UTC)  # Saturday the 27th at two
    assert found.params_for(firing) == {
        "since": "2024-04-26T01:00:00+03:00",
        "until": "2024-04-27T00:00:00+03:00",
        "formats": ["${x}"],
    }
    assert JOBS["export"].validate(found.params_for(firing))["since"] == "2024-04-26T01:00:00+03:00"


def test_names_of_a_kind_that_the_caller_does_not_know_are_not_checked(tmp_path: Path) -> None:
    path = tmp_path / "schedules.yaml"
    path.write_text("schedules: {a: {job: reconcile, every: 1h, params: {definition: x}}}")
    assert "a" in load_schedules(path, JOBS, {})
    with pytest.raises(InvalidDocument, match="no reconciliation is named 'x'; known: payments"):
        load_schedules(path, JOBS, DEFINITIONS)


def test_a_file_that_is_not_there_is_an_invalid_document(tmp_path: Path) -> None:
    with pytest.raises(InvalidDocument, match="there is no such file"):
        schedules_in(tmp_path / "none.yaml")


def test_ten_thousand_schedules_load_in_seconds(tmp_path: Path) -> None:
    path = tmp_path / "schedules.yaml"
    entries = (
        f"  s-{n}:\n    job: reconcile\n    cron: {n % 60} {n % 24} * * *\n"
        f"    period: previous_day\n    params: {{definition: wallets}}\n"
        f"    missed: {{policy: latest, within: 6h}}\n"
        for n in range(10_000)
    )
    path.write_text("timezone: Asia/Riyadh\nschedules:\n" + "".join(entries))
    started = time.process_time()
    assert len(schedules_in(path)) == 10_000
    assert time.process_time() - started < 5  # about one on an idle machine
