"""Arabic: digits, Hijri dates, and what keeps its order between letters that go to the left."""

# ruff: noqa: RUF001 - the digits are what is tested

from datetime import date
from typing import Literal

import pytest

from engine.exporters.arabic import (
    CLOSE,
    OPEN,
    as_it_stands,
    direction,
    hijri_text,
    isolated,
    numerals,
    numerals_in,
    upright,
)
from engine.exporters.pdf.bidi import INVISIBLE, as_seen, levels_of


def visible(text: str) -> str:
    return text.replace(OPEN, "<").replace(CLOSE, ">").replace("\u202d", "").replace("\u202c", "")


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("دفعة (-45.00) بتاريخ 2026-11-24.", "دفعة <(-45.00)> بتاريخ <2026-11-24>."),
        ("سداد (تم في 2026-11-24)", "سداد (تم في <2026-11-24>)"),
        ("الحساب SA03 8000 0000 6080، شكرا", "الحساب <SA03 8000 0000 6080>، شكرا"),
        ("من 2026-11-01 إلى 2026-11-30", "من <2026-11-01> إلى <2026-11-30>"),
        ("شراء - مقصف", "شراء - مقصف"),
        ("W-7 محفظة", "W-7 محفظة"),
        ("plain (-45.00)", "plain (-45.00)"),
    ],
)
def test_what_is_read_to_the_right_is_held_together_in_arabic_text(text: str, held: str) -> None:
    assert visible(isolated(text)) == held


def test_what_is_held_is_not_held_twice() -> None:
    once = isolated("بتاريخ 2026-11-24")
    assert isolated(once) == once


def test_arabic_digits_are_kept_in_order_by_force() -> None:
    assert upright("٢٠٢٦-١١-٢٤") == f"{OPEN}\u202d٢٠٢٦-١١-٢٤\u202c{CLOSE}"


@pytest.mark.parametrize("digits", ["latin", "arabic"])
def test_an_era_stands_to_the_left_of_its_date(digits: Literal["latin", "arabic"]) -> None:
    at, hijri = (numerals_in(each, digits) for each in ("2026-11-01 09:02", "1448-05-21"))
    text = f"{at} · {hijri} هـ"
    said = upright(text)
    places = as_seen([*range(len(said))], levels_of(said, rtl=True))
    assert INVISIBLE.sub("", "".join(said[place] for place in places)) == f"{at} · ـه {hijri}"
    assert as_it_stands(text) == f"{at} · هـ {hijri}"
    assert as_it_stands(at) == at


def test_numbers_have_the_digits_and_points_of_their_reader() -> None:
    assert numerals("-1,234.50", "arabic") == "-١\u066c٢٣٤\u066b٥٠"
    assert numerals("12.5%", "arabic") == "١٢\u066b٥\u066a"
    assert numerals("-1,234.50", "latin") == "-1,234.50"
    assert numerals_in("2026-11-24 10:00", "arabic") == "٢٠٢٦-١١-٢٤ ١٠:٠٠"


@pytest.mark.parametrize(
    ("day", "english", "arabic"),
    [
        (date(2026, 11, 24), "1448-06-14 AH", "1448-06-14 هـ"),
        (date(2023, 3, 23), "1444-09-01 AH", "1444-09-01 هـ"),  # the first of Ramadan
        (date(1850, 1, 1), "", ""),
        (date(2100, 1, 1), "", ""),
    ],
)
def test_a_day_is_also_said_by_the_calendar_of_umm_al_qura(
    day: date, english: str, arabic: str
) -> None:
    assert hijri_text(day, "en") == english
    assert hijri_text(day, "ar") == arabic


def test_the_direction_of_a_text_is_that_of_its_first_letter() -> None:
    assert direction("محفظة 7") == "rtl"
    assert direction("12 محفظة") == "rtl"
    assert direction("W-7 محفظة") == "ltr"
    assert direction("-1,234.50") == "ltr"
