"""Breaks of the row checks, from night to night: closed when mended, reopened when they return."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from engine.reconciliation.recording import as_reconciled
from engine.store.breaks import Break, BreakStore
from engine.store.reconciliations import ReconciliationStore
from tests.builders.canteen import Canteen, with_owners
from tests.builders.database import a_database
from tests.builders.run import a_run

NINE, TEN = "2026-11-01 09:00:00", "2026-11-01 09:00:30"

BREAKS = {
    "DUPLICATE_EXACT": ("DELETE FROM entries WHERE id = 2", (2, 1, "topup", 5, 5, NINE)),
    "DUPLICATE_SUSPECT": ("DELETE FROM entries WHERE id = 3", (3, 1, "topup", 5, 5, TEN)),
    "ORPHAN_ENTRY": ("DELETE FROM entries WHERE id = 4", (4, 77, "topup", 5, 5, NINE)),
    "CURRENCY_MISMATCH": ("DELETE FROM entries WHERE id = 5", (5, 1, "topup", 9, 5, NINE, "USD")),
}


@pytest.fixture
def canteen(tmp_path: Path) -> Canteen:
    """One break of every kind."""
    canteen = Canteen(tmp_path)
    canteen.ask("duplicate: {}", "orphan: {}", "currency: {}", "negative: {}", change=with_owners)
    canteen.owners(10)
    canteen.wallets((1, 0, 5), (2, 0, -1), (3, 0, 0))
    canteen.run("UPDATE wallets SET owner = CASE id WHEN 3 THEN 11 ELSE 10 END")
    canteen.entries((1, 1, "topup", 5, 5, NINE), *(row for _, row in BREAKS.values()))
    return canteen


class Nights:
    """A ledger that keeps what each night finds in the canteen."""

    def __init__(self, canteen: Canteen) -> None:
        self.canteen = canteen
        self.database = a_database(canteen.folder)

    def pass_by(self) -> Mapping[str, Break]:
        """Another night, and every break that is known after it, by its code."""
        self.canteen.clock.advance(timedelta(days=1))
        result = self.canteen.find()
        found = as_reconciled(a_run(self.database), result)
        store = ReconciliationStore(self.database)
        with self.database.begin() as connection:
            store.record(connection, found, at=self.canteen.clock.now())
        return {each.code: each for each in BreakStore(self.database).list()}


def test_each_is_closed_when_it_is_mended_and_reopened_when_it_returns(canteen: Canteen) -> None:
    nights = Nights(canteen)
    first = nights.pass_by()
    assert {*first} == {*BREAKS, "NEGATIVE_BALANCE", "ORPHAN_WALLET"}
    for mend, _ in BREAKS.values():
        canteen.run(mend)
    canteen.run("UPDATE wallets SET balance = max(balance, 0), owner = 10")
    assert {each.status for each in nights.pass_by().values()} == {"auto_closed"}
    canteen.entries(*(row for _, row in BREAKS.values()))
    canteen.run("UPDATE wallets SET balance = -3 WHERE id = 2")
    canteen.run("UPDATE wallets SET owner = NULL WHERE id = 3")
    last = nights.pass_by()
    assert {each.status for each in last.values()} == {"open"}
    assert {code: each.id for code, each in last.items()} == {
        code: each.id for code, each in first.items()
    }
    assert last["NEGATIVE_BALANCE"].amount_minor == -3


def test_two_breaks_of_one_night_never_share_an_identity(canteen: Canteen) -> None:
    canteen.ask(
        *("balance: {}", "chain: {}", "duplicate: {}", "orphan: {}", "currency: {}"),
        "negative: {running: true}",
        change=with_owners,
    )
    found = canteen.find().differences
    assert len({each.identity("wallets") for each in found}) == len(found) >= 8
