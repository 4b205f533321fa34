from datetime import UTC, datetime

import pytest

from engine.cli.output import print_facts, print_table, text_of
from engine.cli.plain import clause, on_one_line, plain


def test_a_cell_is_one_line_and_steers_no_terminal() -> None:
    assert text_of("red\x1b[31m\n  alert\x07") == r"red\x1b[31m alert\x07"


@pytest.mark.parametrize("sign", ["\u202e", "\u202a", "\u2066", "\u2069", "\u2028"])
def test_nothing_turns_the_order_of_what_is_read(sign: str) -> None:
    assert plain(f"paid {sign}007") == f"paid \\u{ord(sign):04x}007"


def test_a_traceback_keeps_its_lines_and_steers_no_terminal() -> None:
    assert plain("a\n\tb\r\x1b[2J\x9b") == "a\n\tb\\x0d\\x1b[2J\\x9b"
    assert on_one_line("a\r\nb\x1b]0;c\x07") == r"a b\x1b]0;c\x07"


def test_a_sentence_goes_on_after_the_error_of_others() -> None:
    assert clause("Connection refused.") == "Connection refused"
    assert clause("line\n two") == "line two"


def test_arabic_with_its_joiners_is_left_as_it_is() -> None:
    name = "\u0645\u062d\u0641\u0638\u0629\u200c\u0646\u0648\u0631\u0629"
    assert text_of(name) == name


def test_nothing_is_no_text() -> None:
    assert text_of(None) == ""


def test_what_is_piped_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([{"id": 1, "why": "long " * 60}], ["id", "why"], empty="none", spare=("why",))
    print_facts({"made": datetime(2026, 11, 24, tzinfo=UTC), "why": "long " * 60, "who": None})
    lines = capsys.readouterr().out.splitlines()
    assert [len(line) > 290 for line in lines] == [False, True, False, True]
