"""Moments and rates as people type them."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.operations.moments import WrongMoment, moment
from engine.operations.spacing import WrongRate, spacing

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("24h", NOW - timedelta(days=1)),
        (" 90s ", NOW - timedelta(seconds=90)),
        ("1h30m", NOW - timedelta(minutes=90)),
        ("2026-11-24T03:00:00+03:00", datetime(2026, 11, 24, tzinfo=UTC)),
        ("2026-11-24T00:00:00Z", datetime(2026, 11, 24, tzinfo=UTC)),
    ],
)
def test_a_moment_is_an_instant_or_how_long_ago_it_was(text: str, expected: datetime) -> None:
    assert moment(text, NOW, option="--since") == expected


@pytest.mark.parametrize(
    "text",
    ["", "24", "yesterday", "-24h", "0s", "24x", "2026-11-24", "2026-11-24T03:00:00", "9999999d"],
)
def test_what_is_no_moment_is_refused_with_its_option(text: str) -> None:
    with pytest.raises(WrongMoment, match="--until: "):
        moment(text, NOW, option="--until")


@pytest.mark.parametrize(
    ("text", "apart"),
    [
        ("5/s", timedelta(milliseconds=200)),
        ("60/m", timedelta(seconds=1)),
        ("100/h", timedelta(seconds=36)),
    ],
)
def test_a_rate_says_how_far_apart_runs_start(text: str, apart: timedelta) -> None:
    assert spacing(text) == apart


@pytest.mark.parametrize("text", ["", "5", "0/s", "5/d", "-5/s", "5/ s", "1.5/s", "5/s/m"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(WrongRate, match="--rate"):
        spacing(text)
