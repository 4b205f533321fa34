"""Money: integers of the minor unit, exactly, both ways."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.money import NotAnAmount, PrecisionLost, format_minor, minor_digits, to_minor

CURRENCIES = ["SAR", "KWD", "JPY", "USD", "BHD"]
minors = st.integers(-(10**24), 10**24)


@pytest.mark.parametrize(
    ("currency", "digits"), [("SAR", 2), ("KWD", 3), ("BHD", 3), ("OMR", 3), ("JPY", 0)]
)
def test_a_currency_has_its_digits(currency: str, digits: int) -> None:
    assert minor_digits(currency) == digits


@given(minor=minors, currency=st.sampled_from(CURRENCIES))
def test_what_is_written_reads_back_as_the_same(minor: int, currency: str) -> None:
    written = format_minor(minor, currency)
    assert to_minor(written.replace(",", ""), currency) == minor


@given(minor=minors, currency=st.sampled_from(CURRENCIES))
def test_a_decimal_is_the_integer_it_stands_for(minor: int, currency: str) -> None:
    amount = Decimal(minor).scaleb(-minor_digits(currency))
    if len(str(abs(minor))) <= 28:
        assert to_minor(amount, currency) == minor


@given(minor=minors, currency=st.sampled_from(CURRENCIES))
def test_a_digit_too_many_is_refused_not_rounded(minor: int, currency: str) -> None:
    digits = minor_digits(currency)
    text = format_minor(minor, currency).replace(",", "")
    with pytest.raises(PrecisionLost):
        to_minor(f"{text}{'' if digits else '.'}1", currency)


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (-123450, "SAR", "-1,234.50"),
        (5, "SAR", "0.05"),
        (0, "JPY", "0"),
        (1234567, "KWD", "1,234.567"),
        (-1, "KWD", "-0.001"),
    ],
)
def test_amounts_are_written_with_their_digits(minor: int, currency: str, text: str) -> None:
    assert format_minor(minor, currency) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "-",
        "1,234.50",
        "12 SAR",
        "NaN",
        "-Infinity",
        "1_000",
        "1E999999999",
        "1E-999999999",
    ],
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(NotAnAmount, match="is not an amount"):
        to_minor(text, "SAR")
