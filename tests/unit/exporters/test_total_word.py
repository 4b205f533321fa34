"""Every row of totals says that it is one, whatever columns there are."""

import pytest

from engine.exporters.document import Column, Kind, Row
from engine.exporters.total_word import total_word

AMOUNT = Column(name="amount", title="Amount", kind=Kind.MONEY, currency_column="currency")
CURRENCY = Column(name="currency", title="Currency", kind=Kind.TEXT)
DAY = Column(name="day", title="Day", kind=Kind.DATE)
NAME = Column(name="name", title="Name", kind=Kind.TEXT)
NUMBER = Column(name="number", title="No.", kind=Kind.INTEGER, hidden=True)


@pytest.mark.parametrize(
    ("columns", "row", "expected"),
    [
        ([CURRENCY, NAME, AMOUNT], ["SAR", "Total", 1], None),
        ([CURRENCY, NAME, AMOUNT], ["SAR", None, 1], (1, "Total")),
        ([NUMBER, CURRENCY, DAY, AMOUNT], [None, "SAR", None, 1], (2, "Total")),
        ([AMOUNT, CURRENCY], [1, "SAR"], (1, "Total SAR")),
    ],
)
def test_the_word_has_a_place(
    columns: list[Column], row: Row, expected: tuple[int, str] | None
) -> None:
    assert total_word(columns, row, "Total") == expected
