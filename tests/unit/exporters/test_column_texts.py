"""Columns as texts: whatever the numbers are, they say what Python says of each."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.exporters.arrays import bytes_of
from engine.exporters.cells import money_text, percent_plain, percent_text
from engine.exporters.column_texts import (
    joined,
    money_texts,
    percent_texts,
    which_begin,
    which_hold,
)
from engine.exporters.instant_texts import InstantTexts, OutOfCalendar, date_texts

ANY_TIME = settings(deadline=None)
NUMBERS = st.integers(-(2**63), 2**63 - 1)
ZONES = ["UTC", "Asia/Riyadh", "Europe/London", "Africa/Casablanca", "Pacific/Apia"]
_FIRST, _LAST = datetime(1, 1, 3), datetime(9999, 12, 29)  # noqa: DTZ001 - hypothesis asks so
INSTANTS = st.datetimes(_FIRST, _LAST, timezones=st.just(UTC))
TEXTS = st.lists(st.none() | st.text(max_size=8), max_size=40)


@ANY_TIME
@given(st.lists(st.none() | NUMBERS), st.sampled_from(["SAR", "KWD", "JPY", "CLF"]))
def test_amounts(minors: list[int | None], currency: str) -> None:
    said = money_texts(pa.array(minors, pa.int64()), currency).to_pylist()
    assert said == [None if m is None else money_text(m, currency) for m in minors]


@ANY_TIME
@given(st.lists(st.tuples(NUMBERS, st.none() | st.sampled_from(["SAR", "KWD", "JPY", "CLF", ""]))))
def test_amounts_in_several_currencies(pairs: list[tuple[int, str | None]]) -> None:
    minors, currencies = [m for m, _ in pairs], [c for _, c in pairs]
    said = money_texts(pa.array(minors, pa.int64()), pa.array(currencies, pa.string()))
    assert said.to_pylist() == [money_text(m, c or "") for m, c in pairs]


@ANY_TIME
@given(st.lists(st.none() | st.decimals(-(10**18), 10**18, places=9), max_size=20))
def test_fractions(fractions: list[Decimal | None]) -> None:
    column = pa.array(fractions, pa.decimal128(28, 9))
    said = percent_texts(column).to_pylist()
    assert said == [None if f is None else percent_plain(f) for f in fractions]
    said = percent_texts(column, people=True).to_pylist()
    assert said == [None if f is None else percent_text(f) for f in fractions]


@ANY_TIME
@given(st.lists(st.none() | st.dates()))
def test_days(days: list[date | None]) -> None:
    said = date_texts(pa.array(days, pa.date32())).to_pylist()
    assert said == [None if day is None else day.isoformat() for day in days]


@ANY_TIME
@given(st.lists(st.none() | INSTANTS, max_size=20), st.sampled_from(ZONES))
def test_instants(instants: list[datetime | None], zone: str) -> None:
    column = pa.array(instants, pa.timestamp("us", "UTC"))
    there = ZoneInfo(zone)
    said = InstantTexts(there).of(column).to_pylist()
    assert said == [None if at is None else at.astimezone(there).isoformat() for at in instants]


@pytest.mark.parametrize("zone", ["Europe/London", "Pacific/Apia", "Antarctica/Troll"])
def test_every_second_around_a_change_of_the_clock(zone: str) -> None:
    there = ZoneInfo(zone)
    hours = [datetime(2011, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(24 * 366)]
    offsets = [at.astimezone(there).utcoffset() for at in hours]
    changes = [
        at
        for at, before, after in zip(hours, offsets, offsets[1:], strict=False)
        if before != after
    ]
    assert changes
    seconds = [at + timedelta(seconds=n) for at in changes for n in range(-5, 3_700)]
    said = InstantTexts(there).of(pa.array(seconds, pa.timestamp("us", "UTC"))).to_pylist()
    assert said == [at.astimezone(there).isoformat() for at in seconds]


def test_an_instant_of_no_year_is_refused() -> None:
    column = pa.array([2**62], pa.timestamp("us", "UTC"))
    with pytest.raises(OutOfCalendar, match="outside of the years 1 to 9999"):
        InstantTexts(ZoneInfo("Asia/Riyadh")).of(column)
    with pytest.raises(OutOfCalendar):
        InstantTexts(UTC).of(column)


@ANY_TIME
@given(TEXTS, st.integers(0, 5))
def test_what_texts_hold_and_begin_with_is_found_in_any_part_of_an_array(
    texts: list[str | None], skipped: int
) -> None:
    column = pa.array(texts, pa.string()).slice(skipped)
    rest = [text or "" for text in texts[skipped:]]
    held, begun = which_hold(column, b',"\n'), which_begin(column, b"0=")
    due = np.array([bool(set(text) & set(',"\n')) for text in rest], bool)
    assert np.array_equal(due, np.zeros(len(rest), bool) if held is None else held)
    due = np.array([text[:1] in ("0", "=") and text != "" for text in rest], bool)
    assert np.array_equal(due, np.zeros(len(rest), bool) if begun is None else begun)
    assert bytes(bytes_of(joined(column, ";", null="-"))).decode() == "".join(
        f"{'-' if text is None else text};" for text in texts[skipped:]
    )
