"""JSON Lines: an object a row, money as whole numbers, instants in UTC, null for nothing."""

import io
import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

from engine.exporters.document import Column, Document, Kind
from engine.exporters.jsonl import JsonLinesExporter
from tests.builders.document import AMOUNT, AT, COUNT, CURRENCY, NAME, SHARE, a_document

DAY = Column(name="day", title="Day", kind=Kind.DATE)
SETTLED = Column(name="settled", title="Settled", kind=Kind.BOOLEAN)
FEE = Column(name="fee", title="Fee", kind=Kind.MONEY, currency="KWD")


def lines(document: Document) -> list[str]:
    target = io.BytesIO()
    JsonLinesExporter().write(document, target)
    *whole, rest = target.getvalue().decode().split("\n")
    assert rest == ""
    return whole


def test_a_row_is_an_object_with_every_key() -> None:
    at = datetime(2026, 1, 5, 6, 30, tzinfo=timezone(timedelta(hours=3)))
    columns = [NAME, CURRENCY, AMOUNT, FEE, SHARE, DAY, AT, SETTLED]
    rows = [
        ("محفظة", "SAR", -150, 5, Decimal("0.1250"), date(2026, 1, 5), at, True),
        (None,) * len(columns),
    ]
    first, second = lines(a_document(columns, rows))
    assert first == (
        '{"name":"محفظة","currency":"SAR","amount":{"minor":-150,"currency":"SAR"},'
        '"fee":{"minor":5,"currency":"KWD"},"share":0.125,"day":"2026-01-05",'
        '"at":"2026-01-05T03:30:00Z","settled":true}'
    )
    assert json.loads(second) == dict.fromkeys(column.name for column in columns)


def test_an_amount_whose_currency_is_not_known_says_so() -> None:
    assert lines(a_document([CURRENCY, AMOUNT], [(None, 5), ("", 7)])) == [
        '{"currency":null,"amount":{"minor":5,"currency":null}}',
        '{"currency":"","amount":{"minor":7,"currency":null}}',
    ]


def test_a_fraction_of_a_second_is_kept() -> None:
    at = datetime(2026, 1, 5, 3, 0, 0, 250_000, tzinfo=UTC)
    assert lines(a_document([AT], [[at]])) == ['{"at":"2026-01-05T03:00:00.250000Z"}']


def test_texts_never_break_a_line_and_names_are_escaped() -> None:
    column = Column(name='a "name"', title="A")
    (line,) = lines(a_document([column, COUNT], [['two\nlines "\\" \x00 \ud800', 1]]))
    assert json.loads(line) == {'a "name"': 'two\nlines "\\" \x00 \ufffd', "count": 1}
