"""Balances of a payments company that are known to be right: one false alarm is a failure."""

from pathlib import Path

import pytest

from engine.reconciliation.definitions import Definitions
from engine.reconciliation.reconcile import Reconciler
from engine.reconciliation.result import Result
from engine.sources.catalog import Sources
from tests.builders.clock import FakeClock

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "kamierding"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the Kamierding balances are not here")

# Each day of a customer stands for itself: it opens, moves, and closes.
BY_DAY = """
title: Customer balances by day
currency: USD
source: kamierding
sides:
  wallets:
    file: customer_balances.csv
    columns: {wallet: [customer_id, balance_date], currency: currency, opening: opening_balance,
              balance: customer_balance}
  entries:
    file: customer_balances.csv
    columns:
      wallet: [customer_id, balance_date]
      entry: [customer_id, balance_date]
      posted_at: balance_date
      currency: currency
      amount: {plus: [funding_inflows], minus: [accepted_payment_debits]}
      balance_after: customer_balance
checks: {balance: {}, chain: {}}
"""

# And the days of a customer follow from each other.
BY_CUSTOMER = """
title: Customer balances
currency: USD
source: kamierding
sides:
  entries:
    file: customer_balances.csv
    columns:
      wallet: customer_id
      entry: [customer_id, balance_date]
      posted_at: balance_date
      currency: currency
      amount: {plus: [funding_inflows], minus: [accepted_payment_debits]}
      balance_after: customer_balance
checks: {chain: {}}
"""


@pytest.fixture(params=[BY_DAY, BY_CUSTOMER], ids=["by day", "by customer"])
def result(request: pytest.FixtureRequest, tmp_path: Path) -> Result:
    (tmp_path / "balances.yaml").write_text(request.param, encoding="utf-8")
    definitions = Definitions(tmp_path, Sources({"kamierding": str(DATA)}, tmp_path))
    return Reconciler(definitions=definitions, clock=FakeClock()).find("balances")


def test_there_is_no_break_in_any_row(result: Result) -> None:
    assert [side.rows for side in result.sides if side.name == "entries"] == [2250]
    assert result.differences == []
    assert result.findings == []
    assert result.counts == {}
