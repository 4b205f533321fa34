import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cli.table import fits, lay_out, width_of, wrapped

HEADS = ("ID", "REFERENCE", "WHY")
LINES = (
    ("1", "MQ4A-WW2P", "RuntimeError: the gateway did not answer within thirty seconds"),
    ("12", "8F3K-Q0ZT", ""),
)
RIGHT = (True, False, False)
WORDS = st.text(alphabet="ab-_/. 漢é", max_size=60)


def test_a_table_is_whole_where_nobody_looks_at_its_width() -> None:
    assert [*lay_out(HEADS, LINES, RIGHT, None)] == [
        "ID  REFERENCE  WHY",
        " 1  MQ4A-WW2P  RuntimeError: the gateway did not answer within thirty seconds",
        "12  8F3K-Q0ZT",
    ]


def test_a_reason_is_wrapped_to_its_end_where_nothing_may_be_cut() -> None:
    reason = "RuntimeError: " + "the gateway did not answer, " * 12 + "at all"
    said = " ".join(lay_out(HEADS, [("1", "A", reason)], RIGHT, 40, most_lines=1_000))
    assert "\u2026" not in said
    assert said.endswith("all")


def test_the_widest_column_is_wrapped_at_its_words() -> None:
    assert [*lay_out(HEADS, LINES, RIGHT, 45)] == [
        "ID  REFERENCE  WHY",
        " 1  MQ4A-WW2P  RuntimeError: the gateway did",
        "               not answer within thirty",
        "               seconds",
        "12  8F3K-Q0ZT",
    ]


def test_what_no_column_can_be_made_narrow_enough_for_is_one_fact_a_line() -> None:
    assert [*lay_out(HEADS, LINES, RIGHT, 22)] == [
        "ID         1",
        "REFERENCE  MQ4A-WW2P",
        "WHY        RuntimeErro",
        "           r: the",
        "           gateway did",
        "           not answer",
        "           within",
        "           thirty",
        "           seconds",
        "",
        "ID         12",
        "REFERENCE  8F3K-Q0ZT",
    ]


def test_a_cell_of_too_many_lines_ends_with_an_ellipsis() -> None:
    assert wrapped("one two three four", 5, most_lines=2) == ["one", "two…"]


def test_a_date_and_a_name_break_where_a_person_would_break_them() -> None:
    assert wrapped("2026-11-24 06:00:00", 10) == ["2026-11-24", "06:00:00"]
    assert wrapped("nightly-wallets", 10) == ["nightly-", "wallets"]


@given(st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=1, max_size=4), st.integers(20, 90))
def test_no_line_is_wider_than_the_terminal(lines: list[tuple[str, str, str]], width: int) -> None:
    assert all(width_of(line) <= width for line in lay_out(HEADS, lines, RIGHT, width))


@given(WORDS, st.integers(2, 30))
def test_wrapping_loses_nothing_but_spaces(text: str, width: int) -> None:
    lines = wrapped(text, width, most_lines=1_000)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize("text", ["", "short"])
def test_what_fits_is_left_alone(text: str) -> None:
    assert wrapped(text, 5) == [text]


def test_prose_is_wrapped_before_anything_else() -> None:
    lines = [("2026-11-24 06:00:00", "RuntimeError: the gateway did not answer")]
    assert [*lay_out(("AT", "WHY"), lines, (False, False), 40)] == [
        "AT                   WHY",
        "2026-11-24 06:00:00  RuntimeError: the",
        "                     gateway did not",
        "                     answer",
    ]


@pytest.mark.parametrize(("width", "enough"), [(40, True), (33, True), (32, False)])
def test_a_table_fits_as_long_as_no_more_than_prose_is_wrapped(width: int, enough: bool) -> None:
    lines = [("2026-11-24 06:00:00", "RuntimeError: the gateway did not answer")]
    assert fits(("AT", "WHY"), lines, width) is enough


def test_a_fingerprint_is_never_broken_over_lines() -> None:
    lines = [("e50951a4f7f5a9a4", "2026-11-24 06:00:00", "2026-11-24 07:00:00")]
    heads = ("FINGERPRINT", "FIRST", "LAST")
    assert [*lay_out(heads, lines, (False,) * 3, 45)] == [
        "FINGERPRINT       FIRST         LAST",
        "e50951a4f7f5a9a4  2026-11-24    2026-11-24",
        "                  06:00:00      07:00:00",
    ]
