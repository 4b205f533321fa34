"""Wallets below their floor."""

import random
from datetime import UTC, datetime

import pytest

from tests.builders.canteen import Canteen, found

EIGHT, NINE, TEN, ELEVEN = (f"2026-11-01 {hour:02d}:00:00" for hour in (8, 9, 10, 11))
BALANCE, RUNNING = "NEGATIVE_BALANCE", "NEGATIVE_RUNNING"


def with_floors(text: str) -> str:
    """The definition, with a floor of each wallet."""
    return text.replace("balance: balance}", "balance: balance, floor: floor}")


def test_a_wallet_below_zero_is_a_break_of_what_it_lacks(canteen: Canteen) -> None:
    canteen.ask("negative: {}")
    canteen.wallets((1, 0, -5), (2, 0, 0), (3, 0, 1), (4, 0, -1, "JPY"))
    result = canteen.find()
    assert found(result, BALANCE) == [("1", None, "SAR", -5), ("4", None, "JPY", -1)]
    first = result.differences[0]
    assert (first.expected_minor, first.actual_minor, first.kind) == (0, -5, "sign")
    assert (first.severity, first.details) == ("high", {})


@pytest.mark.parametrize(("floor", "below"), [(-5000, []), (-4999, ["1"]), (10, ["1", "2"])])
def test_the_floor_is_as_the_definition_says(
    canteen: Canteen, floor: int, below: list[str]
) -> None:
    canteen.ask(f"negative: {{floor: {floor}}}")
    canteen.wallets((1, 0, -5000), (2, 0, 9), (3, 0, 10))
    assert [wallet for wallet, *_ in found(canteen.find(), BALANCE)] == below


def test_a_wallet_may_have_a_floor_of_its_own(canteen: Canteen) -> None:
    canteen.ask("negative: {floor: -10}", change=with_floors)
    canteen.wallets((1, 0, -100), (2, 0, -101), (3, 0, -11), (4, 0, 19))
    canteen.run(
        "UPDATE wallets SET floor = CASE id WHEN 1 THEN -100 WHEN 2 THEN -100 WHEN 4 THEN 20 END"
    )
    result = canteen.find()
    assert found(result, BALANCE) == [
        ("2", None, "SAR", -1),
        ("3", None, "SAR", -1),
        ("4", None, "SAR", -1),
    ]
    assert result.findings == []


def test_a_floor_that_is_no_whole_number_is_a_finding(canteen: Canteen) -> None:
    canteen.ask("negative: {}", change=with_floors)
    canteen.wallets((1, 0, -5))
    canteen.run("UPDATE wallets SET floor = '-10'")
    result = canteen.find()
    assert [finding.where for finding in result.findings] == ["row 1, column floor"]


def test_at_an_earlier_cut_off_the_balance_of_that_time_counts(canteen: Canteen) -> None:
    canteen.ask("balance: {}", "negative: {}")
    canteen.wallets((1, 0, 5))
    canteen.entries((1, 1, "purchase", 5, -5, NINE), (2, 1, "topup", 10, 5, TEN))
    assert canteen.find().differences == []
    earlier = canteen.find(cut_off=datetime(2026, 11, 1, 9, 30, tzinfo=UTC))
    assert found(earlier, BALANCE) == [("1", None, "SAR", -5)]


def test_a_balance_that_only_its_drift_takes_below_says_so(canteen: Canteen) -> None:
    canteen.ask("balance: {}", "negative: {}")
    canteen.wallets((1, 10, -5), (2, -7, -9))
    details = {
        each.wallet: each.details for each in canteen.find().differences if each.code == BALANCE
    }
    assert details == {"1": {"explained_by": {"BALANCE_DRIFT": ["1"]}}, "2": {}}


def test_the_last_balance_after_is_a_stored_balance_too(canteen: Canteen) -> None:
    def alone(text: str) -> str:
        start, end = text.index("  wallets:"), text.index("  entries:")
        return text[:start] + text[end:]

    canteen.ask("negative: {}", change=alone, stored="last_balance_after")
    canteen.entries((1, 1, "purchase", 5, -5, NINE), (2, 2, "topup", 5, 5, NINE))
    assert found(canteen.find(), BALANCE) == [("1", None, "SAR", -5)]


def test_what_was_below_only_for_a_while_is_said_only_if_asked(canteen: Canteen) -> None:
    canteen.wallets((1, 0, 5))
    canteen.entries((1, 1, "purchase", 5, -5, NINE), (2, 1, "topup", 10, 5, TEN))
    canteen.ask("negative: {}")
    assert canteen.find().differences == []
    canteen.ask("negative: {running: true}")
    (spell,) = canteen.find().differences
    assert (spell.code, spell.entry, spell.amount_minor) == (RUNNING, "1", -5)
    assert (spell.expected_minor, spell.actual_minor, spell.severity) == (0, -5, "low")


def test_each_spell_is_the_break_of_the_entry_that_began_it(canteen: Canteen) -> None:
    canteen.ask("negative: {running: true, floor: -10}")
    canteen.wallets((1, 0, -12))
    canteen.entries(
        (1, 1, "purchase", 11, -11, EIGHT),
        (2, 1, "purchase", 4, -15, NINE),
        (3, 1, "topup", 10, -5, TEN),
        (4, 1, "purchase", 7, -12, ELEVEN),
    )
    result = canteen.find()
    assert found(result, RUNNING) == [("1", "1", "SAR", -1), ("1", "4", "SAR", -2)]
    assert found(result, BALANCE) == [("1", None, "SAR", -2)]


def test_rows_of_one_instant_are_one_moment_of_a_spell(canteen: Canteen) -> None:
    canteen.ask("negative: {running: true}")
    canteen.wallets((1, 0, 1))
    rows = [
        (5, 1, "purchase", 5, -5, NINE),
        (4, 1, "topup", 7, 2, NINE),
        (3, 1, "purchase", 8, -6, NINE),
        (2, 1, "purchase", 1, -7, TEN),
        (1, 1, "topup", 8, 1, ELEVEN),
    ]
    dice = random.Random(1)  # noqa: S311
    for _ in range(4):
        canteen.run("DELETE FROM entries")
        canteen.entries(*rows)
        assert found(canteen.find(), RUNNING) == [("1", "3", "SAR", -6)]
        dice.shuffle(rows)


def test_an_entry_at_which_the_chain_breaks_is_listed_as_that(canteen: Canteen) -> None:
    canteen.ask("chain: {}", "negative: {running: true}")
    canteen.wallets((1, 0, 5))
    canteen.entries((1, 1, "topup", 5, 5, NINE), (2, 1, "topup", 5, -40, TEN))
    assert [each.code for each in canteen.find().differences] == ["CHAIN_BREAK"]


def test_each_currency_of_a_wallet_has_spells_of_its_own(canteen: Canteen) -> None:
    canteen.ask("negative: {running: true}")
    canteen.wallets((1, 0, 0), (1, 0, 0, "KWD"))
    canteen.entries(
        (1, 1, "purchase", 5, -5, NINE),
        (2, 1, "purchase", 6, -6, TEN, "KWD"),
        (3, 1, "topup", 5, 0, ELEVEN),
    )
    assert found(canteen.find(), RUNNING) == [("1", "2", "KWD", -6), ("1", "1", "SAR", -5)]


def test_entries_without_a_currency_touch_no_other_currency_of_their_wallet(
    canteen: Canteen,
) -> None:
    def without(text: str) -> str:
        return text.replace("amount: amount, currency: currency", "amount: amount")

    canteen.ask("negative: {running: true}", change=without)
    canteen.wallets((1, 0, 0), (1, 0, 0, "KWD"))
    canteen.entries((1, 1, "purchase", 5, -5, NINE), (2, 1, "topup", 5, 0, TEN))
    assert found(canteen.find(), RUNNING) == [("1", "1", "SAR", -5)]


def test_a_drift_within_the_tolerance_is_no_break_and_explains_nothing(canteen: Canteen) -> None:
    canteen.ask("balance: {tolerance: 2}", "negative: {}")
    canteen.wallets((1, 0, -1))
    (broken,) = canteen.find().differences
    assert (broken.code, broken.details) == (BALANCE, {})
