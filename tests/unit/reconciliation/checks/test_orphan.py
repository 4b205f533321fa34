"""Entries of wallets that do not exist, and wallets of owners that do not."""

from datetime import UTC, datetime

import pytest

from tests.builders.canteen import Canteen, chain_breaks, drifts, found, with_owners

NINE, TEN = "2026-11-01 09:00:00", "2026-11-01 10:00:00"
ENTRY, WALLET = "ORPHAN_ENTRY", "ORPHAN_WALLET"


@pytest.fixture
def canteen(canteen: Canteen) -> Canteen:
    canteen.ask("balance: {}", "chain: {}", "orphan: {}")
    canteen.wallets((1, 0, 5))
    canteen.entries((1, 1, "topup", 5, 5, NINE))
    return canteen


def test_each_entry_of_an_unknown_wallet_is_a_break_of_its_amount(canteen: Canteen) -> None:
    canteen.entries(
        (4, 77, "topup", 7, 7, NINE),
        (3, 77, "purchase", 2, 0, TEN),
        (5, 78, "topup", 9, 9, NINE, "KWD"),
    )
    result = canteen.find()
    assert found(result, ENTRY) == [
        ("77", "3", "SAR", -2),
        ("77", "4", "SAR", 7),
        ("78", "5", "KWD", 9),
    ]
    assert len(result.differences) == 3
    assert {(each.kind, each.severity) for each in result.differences} == {("orphan", "high")}
    totals = [(t.currency, t.orphans_minor, t.gap_minor) for t in result.totals]
    assert totals == [("KWD", 9, 0), ("SAR", 5, 0)]


def test_wallets_are_the_same_whether_their_ids_are_numbers_or_texts(canteen: Canteen) -> None:
    canteen.run("UPDATE entries SET wallet = '1'")
    canteen.entries((2, "one", "topup", 7, 7, NINE))
    assert found(canteen.find(), ENTRY) == [("one", "2", "SAR", 7)]


def test_a_chain_of_an_unknown_wallet_breaks_for_no_second_reason(canteen: Canteen) -> None:
    canteen.entries((4, 77, "topup", 7, 7, NINE), (5, 77, "topup", 7, 99, TEN))
    result = canteen.find()
    assert [entry for _, entry, _, _ in found(result, ENTRY)] == ["4", "5"]
    assert chain_breaks(result) == []
    canteen.ask("chain: {}")
    assert chain_breaks(canteen.find()) == [("77", "5", 85)]


def test_a_copy_of_an_orphan_is_a_duplicate_and_the_totals_hold_both(canteen: Canteen) -> None:
    canteen.ask("balance: {}", "duplicate: {}", "orphan: {}")
    canteen.entries(*((i, 77, "topup", 7, 7, NINE, "SAR", "A") for i in (4, 5)))
    result = canteen.find()
    assert found(result, ENTRY) == [("77", "4", "SAR", 7)]
    assert found(result, "DUPLICATE_EXACT") == [("77", "5", "SAR", 7)]
    assert len(result.differences) == 2
    assert [(t.orphans_minor, t.gap_minor) for t in result.totals] == [(14, 0)]


def test_a_look_alike_of_an_orphan_is_an_orphan(canteen: Canteen) -> None:
    canteen.ask("duplicate: {}", "orphan: {}")
    canteen.entries(*((i, 77, "topup", 7, 7, NINE, "SAR", f"R{i}") for i in (4, 5)))
    assert [(each.code, each.entry) for each in canteen.find().differences] == [
        (ENTRY, "4"),
        (ENTRY, "5"),
    ]


def test_orphans_that_share_an_id_keep_a_break_each(canteen: Canteen) -> None:
    canteen.entries((4, 77, "topup", 7, 7, NINE), (4, 77, "topup", 8, 15, TEN))
    result = canteen.find()
    assert found(result, ENTRY) == [("77", "4", "SAR", 7), ("77", "4 (2)", "SAR", 8)]


def test_orphans_after_the_cut_off_are_neither_listed_nor_totalled(canteen: Canteen) -> None:
    canteen.entries((4, 77, "topup", 7, 7, NINE), (5, 77, "topup", 2, 9, TEN))
    canteen.entries((6, 1, "topup", 3, 8, TEN))
    canteen.run("UPDATE wallets SET balance = 8")
    result = canteen.find(cut_off=datetime(2026, 11, 1, 9, 30, tzinfo=UTC))
    assert found(result, ENTRY) == [("77", "4", "SAR", 7)]
    (total,) = result.totals
    assert (total.stored_minor, total.entries_minor, total.orphans_minor) == (5, 12, 7)
    assert (total.gap_minor, total.entries) == (0, 2)


def test_an_orphan_that_lacks_its_id_is_a_finding_and_its_money_is_totalled(
    canteen: Canteen,
) -> None:
    canteen.entries((None, 77, "topup", 7, 7, NINE))
    result = canteen.find()
    assert (result.differences, len(result.findings)) == ([], 1)
    assert [(t.orphans_minor, t.gap_minor) for t in result.totals] == [(7, 0)]


def test_entries_need_no_instant_to_be_orphans(canteen: Canteen) -> None:
    canteen.ask("orphan: {}", change=lambda text: text.replace("posted_at: posted_at, ", ""))
    canteen.entries((4, 77, "topup", 7, 7, NINE))
    assert found(canteen.find(), ENTRY) == [("77", "4", "SAR", 7)]


def test_balances_of_no_wallet_are_not_drifts(canteen: Canteen) -> None:
    canteen.entries((4, 77, "topup", 7, 7, NINE))
    assert drifts(canteen.find()) == []


def test_a_wallet_of_nobody_known_is_a_break_of_what_it_stores(canteen: Canteen) -> None:
    canteen.ask("balance: {}", "orphan: {}", change=with_owners)
    canteen.owners(10, 11)
    canteen.wallets((2, 0, 7), (3, 0, 0, "KWD"), (4, 0, 0))
    canteen.run(
        "UPDATE wallets SET owner = CASE id WHEN 1 THEN 10 WHEN 2 THEN 12 WHEN 4 THEN 11 END"
    )
    canteen.entries((2, 2, "topup", 7, 7, NINE))
    result = canteen.find()
    assert found(result, WALLET) == [("2", None, "SAR", 7), ("3", None, "KWD", 0)]
    assert [each.details for each in result.differences] == [{"owner": "12"}, {"owner": None}]
    assert result.findings == []
    assert [side.name for side in result.sides] == ["owners", "wallets", "entries"]
    assert [total.gap_minor for total in result.totals] == [0, 0]


def test_a_wallet_of_nobody_is_a_break_beside_its_drift(canteen: Canteen) -> None:
    canteen.ask("balance: {}", "orphan: {}", change=with_owners)
    canteen.run("UPDATE wallets SET balance = 6")
    assert [each.code for each in canteen.find().differences] == ["BALANCE_DRIFT", WALLET]


def test_owners_may_come_more_than_once_and_as_texts(canteen: Canteen) -> None:
    canteen.ask("orphan: {}", change=with_owners)
    canteen.run("UPDATE wallets SET owner = 10")
    canteen.owners("10", "10", "x", None)
    assert canteen.find().differences == []


def test_without_owners_nobody_is_asked_for(canteen: Canteen) -> None:
    assert canteen.find().differences == []


def test_progress_never_goes_back_however_many_sides_there_are(canteen: Canteen) -> None:
    canteen.ask("orphan: {}", change=with_owners)
    told: list[tuple[int, int, str]] = []
    canteen.reconciler().find("wallets", progress=lambda *step: told.append(step))
    assert told == sorted(told, key=lambda step: step[0])
    assert told[-1] == (5, 5, "done")
