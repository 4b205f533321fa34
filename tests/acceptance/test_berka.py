"""A real bank's ledger, cut in the middle of a row: what is known to be in it is found."""

import random
from collections import Counter
from pathlib import Path

import pytest

from engine.reconciliation.definitions import Definitions
from engine.reconciliation.reconcile import Reconciler
from engine.reconciliation.result import Result
from engine.sources.catalog import Sources
from tests.builders.clock import FakeClock

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "berka"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the Berka ledger is not here")

DEFINITION = """
title: Berka
timezone: Europe/Prague
currency: CZK
source: berka
sides:
  entries:
    file: trans.asc
    delimiter: ";"
    encoding: ascii
    unit: major
    dates: "%y%m%d"
    columns: {wallet: account_id, entry: trans_id, amount: amount, balance_after: balance,
              posted_at: date}
sign: {column: type, plus: [PRIJEM], minus: [VYDAJ, VYBER]}
stored: last_balance_after
checks:
  balance: {tolerance: 0}
  chain: {tolerance: 0}
"""


def reconciled(data: Path, folder: Path) -> Result:
    """The ledger in `data`, reconciled."""
    (folder / "berka.yaml").write_text(DEFINITION, encoding="utf-8")
    definitions = Definitions(folder, Sources({"berka": str(data)}, folder))
    return Reconciler(definitions=definitions, clock=FakeClock()).find("berka")


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return reconciled(DATA, tmp_path_factory.mktemp("berka"))


@pytest.mark.parametrize(("tolerance", "accounts"), [(0, 631), (10, 166), (50, 29), (100, 28)])
def test_accounts_drift(result: Result, tolerance: int, accounts: int) -> None:
    drifts = [abs(d.amount_minor) for d in result.differences if d.check == "balance"]
    assert sum(drift > tolerance for drift in drifts) == accounts


def test_the_chain_breaks_where_no_order_explains_it(result: Result) -> None:
    gaps = Counter(abs(d.amount_minor) for d in result.differences if d.check == "chain")
    others = sorted(gap for gap in gaps.elements() if gap != 10)
    assert gaps.total() == 2353
    assert gaps[10] == 2325
    assert (len(others), others[0], others[-1]) == (28, 6050, 33220)


def test_the_cut_is_said_first(result: Result) -> None:
    first = result.findings[0]
    assert (first.code, first.where) == ("SOURCE_TRUNCATED", "trans.asc:49104")
    assert len(result.findings) == 1


def test_every_whole_row_counts_and_the_totals_tie_out(result: Result) -> None:
    (totals,) = result.totals
    assert (totals.wallets, totals.entries, totals.gap_minor) == (1229, 49102, 0)
    assert result.sides[0].rows == 49102


def test_rows_shuffled_within_each_day_give_the_same_answer(result: Result, tmp_path: Path) -> None:
    header, *rows, cut = (DATA / "trans.asc").read_text(encoding="ascii").split("\n")
    shuffle = random.Random(7)  # noqa: S311
    rows.sort(key=lambda row: (row.split(";")[2], shuffle.random()))
    text = "\n".join([header, *rows, cut])
    (tmp_path / "trans.asc").write_text(text, encoding="ascii")
    shuffled = reconciled(tmp_path, tmp_path)
    assert shuffled.differences == result.differences
    assert shuffled.counts == result.counts
    identities = [difference.identity("berka") for difference in shuffled.differences]
    assert len(set(identities)) == len(identities) == 631 + 2353
