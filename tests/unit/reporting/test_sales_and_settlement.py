"""The queries of daily_sales and gateway_settlement count to the last halala."""

import sqlite3
from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from tests.builders.reports import definitions_in
from tests.unit.reporting.test_the_reports import REPORTS

A_DAY = {"from": "2026-11-21T21:00:00+00:00", "to": "2026-11-22T21:00:00+00:00", "stage": None}
A_MONTH = {"first": "2026-11-01", "end": "2026-12-01"}


@pytest.fixture
def canteen() -> Iterator[sqlite3.Connection]:
    """A school, a student with a wallet, a gateway with two days; no entries."""
    found = sqlite3.connect(":memory:")
    found.row_factory = sqlite3.Row
    found.executescript("""
        CREATE TABLE schools (id, name_en, name_ar, city_en, city_ar, stage);
        CREATE TABLE students (id, school_id);
        CREATE TABLE wallets (id, student_id);
        CREATE TABLE entries (wallet_id, type, status, amount_minor, currency, posted_at,
            reference);
        CREATE TABLE gateways (code, name_en, name_ar);
        CREATE TABLE settlements (id INTEGER PRIMARY KEY, day, gateway, reference, settled_on,
            payments, gross_minor, fee_minor, vat_minor, net_minor, currency);
        INSERT INTO schools VALUES (1, 'Najd', 'نجد', 'Riyadh', 'الرياض', 'primary');
        INSERT INTO students VALUES (1, 1);
        INSERT INTO wallets VALUES (1, 1);
        INSERT INTO gateways VALUES ('MOY', 'Moyasar', 'ميسر');
    """)
    yield found
    found.close()


def asked(canteen: sqlite3.Connection, report: str, values: dict[str, Any]) -> Sequence[Any]:
    """The rows of a report's query."""
    return canteen.execute(definitions_in(REPORTS).load(report).main.query, values).fetchall()


def post(canteen: sqlite3.Connection, kind: str, amount: int, currency: str, at: str) -> None:
    """An entry of the wallet."""
    row = (1, kind, "posted", amount, currency, at, "MOY-1")
    canteen.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)", row)


@pytest.mark.parametrize(
    "amounts",
    [[758, 759, 759], [1, 2], [-1, -2], [1, 1, 2], [-1, -1, -2], [-5], [0, 0], [7, 8, 8, 8]],
)
def test_an_average_is_rounded_and_not_cut_off(
    canteen: sqlite3.Connection, amounts: list[int]
) -> None:
    for amount in amounts:
        post(canteen, "purchase", amount, "SAR", "2026-11-22T06:00:00Z")
    (row,) = asked(canteen, "daily_sales", A_DAY)
    exact = Decimal(sum(amounts)) / len(amounts)
    assert type(row["average"]) is int
    assert row["average"] == exact.quantize(Decimal(1), ROUND_HALF_UP)


def test_a_currency_is_one_however_it_is_spelled(canteen: sqlite3.Connection) -> None:
    for currency in ("SAR", "sar", " Sar", "SAR "):
        post(canteen, "purchase", 5, currency, "2026-11-22T06:00:00Z")
    (row,) = asked(canteen, "daily_sales", A_DAY)
    assert (row["currency"], row["sales"], row["purchases"]) == ("SAR", 20, 4)


@pytest.mark.parametrize("second", ["00Z", "00.5Z", "00.000001Z", "00+00:00"])
def test_a_settled_day_begins_at_midnight_whatever_its_fractions(
    canteen: sqlite3.Connection, second: str
) -> None:
    for day in ("2026-11-22", "2026-11-23"):
        row = (None, day, "MOY", day, day, 1, 500, 0, 0, 500, "SAR")
        canteen.execute("INSERT INTO settlements VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    post(canteen, "topup", 500, "sar", f"2026-11-22T21:00:{second}")
    found = {row["day"]: row["topups"] for row in asked(canteen, "gateway_settlement", A_MONTH)}
    assert found == {"2026-11-22": 0, "2026-11-23": 500}
