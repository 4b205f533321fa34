"""`${...}` in params: a fixed list of words."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.schedules.tokens import TOKENS, fill, wrong_tokens

FACTS = {"period.start": "S", "period.end": "${period.start}"}
texts = st.text(alphabet="a$}{. ")
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def test_tokens_are_filled_wherever_text_is_but_not_in_keys_and_not_twice() -> None:
    value = {"${period.start}": ["a ${period.start}-${period.end} b", 1, None, {"x": "$5 {y}"}]}
    assert fill(value, FACTS) == {
        "${period.start}": ["a S-${period.start} b", 1, None, {"x": "$5 {y}"}]
    }


def test_two_dollars_stand_for_one() -> None:
    assert fill("$${period.start} $${ $$ $", FACTS) == "${period.start} ${ $$ $"


@given(values)
def test_what_has_no_wrong_token_can_be_filled_and_other_text_stays(value: Any) -> None:
    if not [*wrong_tokens(value, has_period=True)]:
        filled = fill(value, FACTS)
        assert type(filled) is type(value)
        if "${" not in repr(value):
            assert filled == value


@given(texts, st.sampled_from(TOKENS), texts)
def test_a_token_between_any_other_text_is_filled(before: str, token: str, after: str) -> None:
    before, after = before.replace("$", ""), after.replace("$", "")
    filled = fill(f"{before}${{{token}}}{after}", FACTS)
    assert filled == f"{before}{FACTS[token]}{after}"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("${period.strat}", "there is no ${period.strat}; did you mean 'period.start'?"),
        ("${ period.end }", "there is no ${ period.end }; did you mean 'period.end'?"),
        ("${}", "there is no ${}; known: period.end, period.start"),
        ("${env:HOME}", "there is no ${env:HOME}; known: period.end, period.start"),
        ("x ${period.end", "'${period.end' lacks its '}'; for a plain text write $${"),
    ],
)
def test_a_wrong_token_is_told_its_fix(value: str, expected: str) -> None:
    found = [*wrong_tokens({"a": [0, value]}, has_period=True)]
    assert found == [(("a", 1), expected)]


def test_a_token_of_the_period_needs_a_period() -> None:
    (found,) = wrong_tokens({"a": "${period.end}"}, has_period=False)
    assert found == (("a",), "${period.end} needs a 'period' beside 'params': period: previous_day")
