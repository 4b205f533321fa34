"""Typesetting: which way letters go, where lines end, and how wide numbers may be."""

import pytest

from engine.exporters.arabic import isolated
from engine.exporters.pdf.bidi import as_seen, levels_of
from engine.exporters.pdf.typesetter import Typesetter
from engine.exporters.pdf.typography import Typography


@pytest.fixture(scope="module")
def setter() -> Typesetter:
    return Typography().of("regular", 8)


def seen(text: str, *, rtl: bool) -> str:
    """The letters from left to right, as they are printed."""
    shown = as_seen(text, [*levels_of(text, rtl=rtl)])
    return "".join(letter for letter in shown if letter not in "\u2066\u2069")


@pytest.mark.parametrize(
    ("text", "rtl", "expected"),
    [
        ("plain", False, "plain"),
        ("abc ABC", False, "abc ABC"),
        ("\u0627\u0628\u062a", True, "\u062a\u0628\u0627"),
        ("\u0627\u0628 W-7", True, "W-7 \u0628\u0627"),
        ("W-7 \u0627\u0628", False, "W-7 \u0628\u0627"),
    ],
)
def test_letters_stand_where_they_are_read(text: str, rtl: bool, expected: str) -> None:
    assert seen(text, rtl=rtl) == expected


def test_only_what_is_held_together_keeps_its_order_in_arabic() -> None:
    sentence = "\u0641\u064a 2026-11-24 \u0628\u0645\u0628\u0644\u063a (-45.00)"
    plain = seen(sentence, rtl=True)
    assert "24-11-2026" in plain
    assert "(-45.00)" not in plain
    held = seen(isolated(sentence), rtl=True)
    assert "2026-11-24" in held
    assert "(-45.00)" in held


def test_a_text_fills_lines_and_ends_with_an_ellipsis(setter: Typesetter) -> None:
    words = "all the words of a text that is much too long for the lines that it has"
    lines = setter.lines(words, 60.0, 3)
    assert len(lines) == 3
    assert all(line.width <= 60.0 for line in lines)
    assert len(setter.lines(words, 1_000.0, 3)) == 1
    assert setter.lines("", 60.0, 3) == []


def test_a_word_without_a_place_to_break_is_broken(setter: Typesetter) -> None:
    lines = setter.lines("x" * 200, 60.0, 4)
    assert len(lines) == 4
    assert all(line.width <= 60.0 for line in lines)


def test_a_number_is_set_narrower_and_never_broken(setter: Typesetter) -> None:
    roomy, narrow = setter.number("-1,234,567.89"), setter.number("-1,234,567.89", 20.0)
    assert narrow.width == 20.0
    assert narrow.operators == f"{20.0 / roomy.width * 100:.1f} Tz {roomy.operators} 100 Tz"


def test_digits_are_all_as_wide_so_that_amounts_stand_in_columns(setter: Typesetter) -> None:
    assert len({setter.number(str(digit)).width for digit in range(10)}) == 1


def test_letters_that_the_family_lacks_come_from_another(setter: Typesetter) -> None:
    (line,) = setter.lines("Łódź Привет", 1_000.0, 1)
    assert "/FRx 8 Tf" in line.operators
    assert line.operators.endswith("/FR 8 Tf")
