"""Documents refuse what would fail only after half a file is written."""

from dataclasses import replace

import pytest

from engine.exporters.document import Column, Kind, Table
from tests.builders.document import AMOUNT, NAME, a_document


def test_money_needs_exactly_one_currency() -> None:
    for currency, column in ((None, None), ("SAR", "currency")):
        with pytest.raises(ValueError, match="money needs one currency"):
            Column(name="a", title="A", kind=Kind.MONEY, currency=currency, currency_column=column)
    with pytest.raises(ValueError, match="other kinds none"):
        Column(name="a", title="A", currency="SAR")


def test_rows_that_can_be_read_only_once_are_refused() -> None:
    with pytest.raises(ValueError, match="give a Stream"):
        Table(name="people", title="People", columns=[NAME], rows=iter([["Aisha"]]))


def test_columns_need_names_of_their_own_and_a_currency_that_is_there() -> None:
    with pytest.raises(ValueError, match="each of its own name"):
        Table(name="people", title="People", columns=[NAME, NAME], rows=[])
    with pytest.raises(ValueError, match="needs columns"):
        Table(name="people", title="People", columns=[], rows=[])
    with pytest.raises(ValueError, match="no such currency column"):
        Table(name="people", title="People", columns=[AMOUNT], rows=[])


def test_a_document_is_about_something() -> None:
    with pytest.raises(ValueError, match="at least one table"):
        replace(a_document(), tables=[])
