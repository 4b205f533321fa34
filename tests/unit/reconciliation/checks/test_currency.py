"""Entries in a currency that their wallet does not hold."""

import pytest

from engine.reconciliation.definitions import Definitions
from engine.reconciliation.reconcile import Reconciler
from engine.sources.catalog import Sources
from tests.builders.canteen import Canteen, chain_breaks, drifts, found
from tests.builders.clock import FakeClock

NINE, TEN = "2026-11-01 09:00:00", "2026-11-01 10:00:00"
CODE = "CURRENCY_MISMATCH"


@pytest.fixture
def canteen(canteen: Canteen) -> Canteen:
    canteen.ask("balance: {}", "chain: {}", "currency: {}", "duplicate: {}", "orphan: {}")
    canteen.wallets((1, 0, 5), (2, 0, 0, "KWD"), (2, 0, 0, "JPY"))
    canteen.entries((1, 1, "topup", 5, 5, NINE))
    return canteen


def test_an_entry_in_a_currency_its_wallet_does_not_hold_is_a_break_in_that_currency(
    canteen: Canteen,
) -> None:
    canteen.entries((2, 1, "topup", 7, 7, TEN, "USD"), (3, 2, "topup", 1500, 1500, TEN))
    result = canteen.find()
    assert found(result, CODE) == [("1", "2", "USD", 7), ("2", "3", "SAR", 1500)]
    assert [each.details for each in result.differences] == [
        {"wallet_holds": "SAR"},
        {"wallet_holds": "JPY, KWD"},
    ]
    totals = [(t.currency, t.mismatched_minor, t.gap_minor) for t in result.totals]
    assert totals == [("JPY", 0, 0), ("KWD", 0, 0), ("SAR", 1500, 0), ("USD", 7, 0)]


def test_a_wallet_may_hold_several_currencies(canteen: Canteen) -> None:
    canteen.run("UPDATE wallets SET balance = 3 WHERE id = 2")
    canteen.entries((2, 2, "topup", 3, 3, NINE, "KWD"), (3, 2, "topup", 3, 3, NINE, "JPY"))
    assert canteen.find().differences == []


def test_an_entry_of_an_unknown_wallet_is_an_orphan_in_any_currency(canteen: Canteen) -> None:
    canteen.entries((2, 77, "topup", 7, 7, NINE, "USD"))
    assert [each.code for each in canteen.find().differences] == ["ORPHAN_ENTRY"]


def test_a_copy_of_a_mismatch_is_a_duplicate(canteen: Canteen) -> None:
    canteen.entries(*((i, 1, "topup", 7, 7, NINE, "USD", "A") for i in (2, 3)))
    result = canteen.find()
    assert [(each.code, each.entry) for each in result.differences] == [
        (CODE, "2"),
        ("DUPLICATE_EXACT", "3"),
    ]
    assert [(t.mismatched_minor, t.gap_minor) for t in result.totals][-1] == (14, 0)


def test_a_balance_that_moved_all_the_same_drifts_and_names_the_entry(canteen: Canteen) -> None:
    canteen.entries((2, 1, "topup", 7, 12, TEN, "USD"))
    canteen.run("UPDATE wallets SET balance = 12 WHERE id = 1")
    result = canteen.find()
    assert found(result, CODE) == [("1", "2", "USD", 7)]
    assert drifts(result) == [("1", "SAR", 7)]
    assert chain_breaks(result) == []
    assert result.differences[0].details == {"explained_by": {CODE: ["2"]}}
    assert [(t.currency, t.gap_minor) for t in result.totals][-2:] == [("SAR", 0), ("USD", 0)]


def test_a_copy_of_the_entry_does_not_hide_that_it_explains_the_drift(canteen: Canteen) -> None:
    canteen.entries(*((i, 1, "topup", 7, 12, TEN, "USD", "A") for i in (2, 3)))
    canteen.run("UPDATE wallets SET balance = 12 WHERE id = 1")
    (drift,) = (each for each in canteen.find().differences if each.code == "BALANCE_DRIFT")
    assert drift.details == {"explained_by": {CODE: ["2"]}}


@pytest.mark.parametrize("spelled", ["sar", " SAR", "SAR   ", "Sar"])
def test_a_code_is_the_same_however_it_is_spelled(canteen: Canteen, spelled: str) -> None:
    canteen.run("UPDATE wallets SET balance = 12 WHERE id = 1")
    canteen.entries((2, 1, "topup", 7, 12, TEN, spelled))
    result = canteen.find()
    assert (result.differences, result.findings) == ([], [])
    (sar,) = (t for t in result.totals if t.currency == "SAR")
    assert (sar.entries_minor, sar.entries, sar.gap_minor) == (12, 2, 0)


@pytest.mark.parametrize("unlike", ["SR", "ريال", "S AR", ""])
def test_nothing_else_is_guessed(canteen: Canteen, unlike: str) -> None:
    canteen.entries((2, 1, "topup", 7, 12, TEN, unlike))
    result = canteen.find()
    assert found(result, CODE) == [("1", "2", unlike, 7)]
    assert [t.gap_minor for t in result.totals] == [0] * 4


def test_a_file_in_small_letters_is_read_with_the_decimals_of_its_currency(
    canteen: Canteen,
) -> None:
    (canteen.folder / "w.csv").write_text("w,c,o,b\n1,kwd ,0.000,1.500\n", encoding="utf-8")
    (canteen.folder / "e.csv").write_text("w,e,a,c\n1,1,1.500,kwd\n", encoding="utf-8")
    (canteen.folder / "reconciliations" / "files.yaml").write_text(
        """
        title: Files
        currency: SAR
        source: files
        sides:
          wallets: {file: w.csv, columns: {wallet: w, currency: c, opening: o, balance: b}}
          entries: {file: e.csv, columns: {wallet: w, entry: e, amount: a, currency: c}}
        checks: {balance: {}, currency: {}}
        """,
        encoding="utf-8",
    )
    sources = Sources({"files": "."}, canteen.folder)
    definitions = Definitions(canteen.folder / "reconciliations", sources)
    result = Reconciler(definitions=definitions, clock=FakeClock()).find("files")
    assert (result.differences, result.findings) == ([], [])
    assert [(t.currency, t.stored_minor) for t in result.totals] == [("KWD", 1500)]


def test_entries_without_a_currency_of_their_own_are_in_that_of_the_definition(
    canteen: Canteen,
) -> None:
    def without(text: str) -> str:
        return text.replace("amount: amount, currency: currency", "amount: amount")

    canteen.ask("balance: {}", "currency: {}", change=without)
    canteen.entries((2, 2, "topup", 7, 7, TEN))
    assert found(canteen.find(), CODE) == [("2", "2", "SAR", 7)]


def test_there_may_be_more_currencies_than_are_asked_for_at_once(canteen: Canteen) -> None:
    codes = [f"X{i:02d}" for i in range(70)]
    canteen.entries(*((i + 10, 1, "topup", i, 0, NINE, code) for i, code in enumerate(codes)))
    result = canteen.find()
    assert len(found(result, CODE)) == 70
    assert [t.mismatched_minor for t in result.totals if t.currency in codes] == [*range(70)]
