"""Steady paces: pure arithmetic from a fixed instant."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.schedules.durations import duration, written
from engine.schedules.interval import EPOCH, IntervalTrigger

instants = st.datetimes(
    min_value=datetime(1960, 1, 1),  # noqa: DTZ001 - hypothesis wants it so
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001 - hypothesis wants it so
    timezones=st.just(UTC),
)
paces = st.integers(1, 366 * 86400).map(lambda seconds: timedelta(seconds=seconds))
triggers = st.builds(IntervalTrigger, paces, st.just(EPOCH) | instants)


@given(triggers, instants)
def test_the_next_firing_is_later_and_at_most_one_pace_away(
    trigger: IntervalTrigger, instant: datetime
) -> None:
    firing = trigger.next_after(instant)
    assert firing > instant
    assert firing == trigger.start or firing - instant <= trigger.every
    assert firing >= trigger.start
    assert (firing - trigger.start) % trigger.every == timedelta(0)


@given(triggers, instants, st.integers(0, 50))
def test_however_the_time_is_cut_the_firings_are_the_same(
    trigger: IntervalTrigger, after: datetime, count: int
) -> None:
    until = after + count * trigger.every
    middle = after + (until - after) / 3
    whole = [*trigger.firings(after, until)]
    assert whole == [*trigger.firings(after, middle), *trigger.firings(middle, until)]
    assert all(after < firing <= until for firing in whole)
    assert all(later - earlier == trigger.every for earlier, later in pairwise(whole))
    if trigger.start <= after:
        assert len(whole) == count


def test_a_fingerprint_changes_with_the_pace_and_the_start() -> None:
    hourly = IntervalTrigger(timedelta(hours=1))
    assert hourly.fingerprint == "d9819ef2032414d6"  # stored beside watermarks: it may not change
    others = {
        IntervalTrigger(timedelta(hours=2)).fingerprint,
        IntervalTrigger(timedelta(hours=1), EPOCH + timedelta(minutes=1)).fingerprint,
    }
    assert len(others | {hourly.fingerprint}) == 3


def test_a_trigger_reads_as_in_the_file() -> None:
    assert str(IntervalTrigger(timedelta(minutes=90))) == "every 1h30m"
    later = IntervalTrigger(timedelta(days=1), datetime(2026, 1, 1, tzinfo=UTC))
    assert str(later) == "every 1d from 2026-01-01T00:00:00+00:00"


@given(st.integers(1, 3660 * 86400))
def test_a_length_is_read_as_it_was_written(seconds: int) -> None:
    assert duration(written(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "s", "1", "0s", "-1h", "1.5h", "1 h", "1H", "1h1d", "9999d", "999999999d", "1w"]
)
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        duration(text)
