"""Entries that are there twice, and those that only look as if they were."""

import random
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.reconciliation import marks, walk
from engine.reconciliation.result import Result
from tests.builders.canteen import Canteen, chain_breaks, drifts, found

NINE = "2026-11-01 09:00:00"
EXACT, SUSPECT = "DUPLICATE_EXACT", "DUPLICATE_SUSPECT"


def after(seconds: float) -> str:
    """An instant so many seconds after nine."""
    return (datetime(2026, 11, 1, 9, tzinfo=UTC) + timedelta(seconds=seconds)).isoformat(" ")


@pytest.fixture
def canteen(canteen: Canteen) -> Canteen:
    canteen.ask("duplicate: {}")
    canteen.wallets((1, 0, 0), (2, 0, 0))
    return canteen


def exact(result: Result) -> list[tuple[str, str | None, int]]:
    """Wallet, entry and amount of each exact copy."""
    return [(wallet, entry, amount) for wallet, entry, _, amount in found(result, EXACT)]


def suspects(result: Result) -> list[str | None]:
    """Entry of each suspect."""
    return [entry for _, entry, _, _ in found(result, SUSPECT)]


def test_the_same_facts_under_another_id_are_a_copy_of_the_lowest_id(canteen: Canteen) -> None:
    canteen.entries(
        (12, 1, "purchase", 20, 0, NINE, "SAR", "POS-1"),
        (7, 1, "purchase", 20, 0, NINE, "SAR", "POS-1"),
        (9, 1, "purchase", 20, 0, NINE, "SAR", "POS-1"),
    )
    result = canteen.find()
    assert exact(result) == [("1", "9", -20), ("1", "12", -20)]
    assert suspects(result) == []
    assert [each.details for each in result.differences] == [{"original": "7"}] * 2
    assert {each.severity for each in result.differences} == {"high"}


@pytest.mark.parametrize(
    "other",
    [
        (2, "purchase", 20, 0, NINE, "SAR", "POS-1"),
        (1, "topup", 20, 0, NINE, "SAR", "POS-1"),
        (1, "purchase", 21, 0, NINE, "SAR", "POS-1"),
        (1, "purchase", 20, 0, NINE, "KWD", "POS-1"),
        (1, "purchase", 20, 0, after(0.001), "SAR", "POS-1"),
        (1, "purchase", 20, 0, NINE, "SAR", "POS-2"),
        (1, "purchase", 20, 0, NINE, "SAR", None),
    ],
    ids=["wallet", "type", "amount", "currency", "instant", "reference", "no reference"],
)
def test_a_row_that_differs_in_one_fact_is_no_copy(
    canteen: Canteen, other: tuple[Any, ...]
) -> None:
    canteen.entries((1, 1, "purchase", 20, 0, NINE, "SAR", "POS-1"), (2, *other))
    assert exact(canteen.find()) == []


def test_what_both_rows_lack_counts_as_the_same(canteen: Canteen) -> None:
    canteen.entries((1, 1, "topup", 20, 0, NINE), (2, 1, "topup", 20, 0, NINE))
    assert exact(canteen.find()) == [("1", "2", 20)]


def test_without_a_reference_in_the_definition_the_other_facts_decide(canteen: Canteen) -> None:
    canteen.ask("duplicate: {}", change=lambda text: text.replace(", reference: reference", ""))
    canteen.entries(
        (1, 1, "topup", 20, 0, NINE, "SAR", "A"), (2, 1, "topup", 20, 0, NINE, "SAR", "B")
    )
    assert exact(canteen.find()) == [("1", "2", 20)]


def test_types_of_the_same_sign_are_told_apart_only_where_they_are_mapped(
    canteen: Canteen,
) -> None:
    def with_refunds(text: str) -> str:
        return text.replace("[topup]", "[topup, refund]")

    canteen.entries((1, 1, "topup", 20, 0, NINE), (2, 1, "refund", 20, 0, NINE))
    canteen.ask("duplicate: {}", change=with_refunds)
    assert canteen.find().differences == []
    canteen.ask("duplicate: {}", change=lambda t: with_refunds(t).replace(", code: type", ""))
    assert exact(canteen.find()) == [("1", "2", 20)]


def test_an_id_that_comes_twice_is_a_copy_whatever_it_says(canteen: Canteen) -> None:
    canteen.entries(
        (7, 2, "topup", 5, 0, after(86_400)),
        (7, 1, "purchase", 20, 0, NINE),
        (8, 1, "purchase", 20, 0, after(500)),
        (7, 2, "topup", 6, 0, after(86_400)),
    )
    result = canteen.find()
    assert exact(result) == [("2", "7 (2)", 5), ("2", "7 (3)", 6)]
    assert [each.details for each in result.differences] == [{"original": "7"}] * 2


def test_a_copy_by_id_and_by_facts_is_one_break(canteen: Canteen) -> None:
    row = (1, "topup", 5, 0, NINE, "SAR", "A")
    canteen.entries((7, *row), (7, *row), (9, *row))
    assert exact(canteen.find()) == [("1", "7 (2)", 5), ("1", "9", 5)]


def test_each_row_that_bears_an_id_has_its_own_reference_and_type(canteen: Canteen) -> None:
    canteen.entries(
        (7, 1, "topup", 5, 0, NINE, "SAR", "A"),
        (7, 1, "topup", 5, 0, after(500), "SAR", "B"),
        (8, 1, "topup", 5, 0, after(500), "SAR", "B"),
        (9, 1, "topup", 5, 0, after(500), "SAR", "A"),
    )
    result = canteen.find()
    assert exact(result) == [("1", "7 (2)", 5), ("1", "8", 5)]
    assert result.differences[1].details == {"original": "7 (2)"}
    assert suspects(result) == []


def test_a_row_after_the_cut_off_lends_its_reference_to_no_other(canteen: Canteen) -> None:
    canteen.entries(
        (7, 1, "topup", 5, 0, NINE, "SAR", "B"),
        (8, 1, "topup", 5, 0, NINE, "SAR", "B"),
        (7, 1, "topup", 5, 0, after(86_400), "SAR", "A"),
    )
    cut_off = datetime(2026, 11, 1, 12, tzinfo=UTC)
    assert exact(canteen.find(cut_off=cut_off)) == [("1", "8", 5)]


@pytest.mark.parametrize("check", ["chain: {}", "negative: {running: true}"])
def test_a_copy_that_bears_the_id_of_another_row_is_listed_for_nothing_else(
    canteen: Canteen, check: str
) -> None:
    canteen.ask("duplicate: {}", check)
    canteen.entries(
        (7, 1, "topup", 5, 5, NINE),
        (7, 1, "purchase", 9, -9, after(500)),
    )
    assert [(each.code, each.entry) for each in canteen.find().differences] == [(EXACT, "7 (2)")]


@pytest.mark.parametrize("ids", [("b", "a"), (10**12, 1), ("10", "9"), (b"\xff", b"\x01")])
def test_ids_may_be_anything_that_can_be_sorted(canteen: Canteen, ids: tuple[Any, Any]) -> None:
    canteen.entries(*((each, 1, "topup", 5, 0, NINE, "SAR", "A") for each in ids))
    canteen.entries((ids[0], 2, "topup", 8, 0, after(5000)))
    canteen.entries(("z", 2, "topup", 9, 0, after(5000))) if isinstance(ids[0], str) else None
    result = canteen.find()
    assert len(exact(result)) == 2
    assert len({each.identity("wallets") for each in result.differences}) == 2


def test_two_juices_within_a_minute_are_a_suspicion_and_no_more(canteen: Canteen) -> None:
    canteen.entries(
        (1, 1, "purchase", 5, 0, NINE, "SAR", "POS-1"),
        (2, 1, "purchase", 5, 0, after(60), "SAR", "POS-2"),
    )
    (suspect,) = canteen.find().differences
    assert (suspect.code, suspect.entry, suspect.amount_minor) == (SUSPECT, "2", -5)
    assert (suspect.severity, suspect.expected_minor) == ("low", None)
    assert suspect.details == {"looks_like": "1", "seconds_apart": 60}


@pytest.mark.parametrize(
    "second",
    [
        (1, "purchase", 5, 0, after(60.000001)),
        (1, "topup", 5, 0, after(5)),
        (2, "purchase", 5, 0, after(5)),
        (1, "purchase", 6, 0, after(5)),
        (1, "purchase", 5, 0, after(5), "KWD"),
    ],
    ids=["later", "the other way", "another wallet", "another amount", "another currency"],
)
def test_what_only_resembles_it_is_no_suspect(canteen: Canteen, second: tuple[Any, ...]) -> None:
    canteen.entries((1, 1, "purchase", 5, 0, NINE), (2, *second))
    assert canteen.find().differences == []


def test_the_same_reference_again_is_the_graver_suspicion(canteen: Canteen) -> None:
    canteen.entries(
        (1, 1, "topup", 5, 0, NINE, "SAR", "MADA-1"),
        (2, 1, "topup", 5, 0, after(3), "SAR", "MADA-1"),
    )
    (suspect,) = canteen.find().differences
    assert (suspect.code, suspect.severity) == (SUSPECT, "medium")
    assert suspect.details["same_reference"] is True


def test_of_a_series_every_row_but_the_first_is_a_suspect(canteen: Canteen) -> None:
    rows = [(i, 1, "purchase", 5, 0, after(i * 50), "SAR", f"P{i}") for i in range(5)]
    canteen.entries(*rows, (9, 1, "purchase", 5, 0, after(1000), "SAR", "P9"))
    assert suspects(canteen.find()) == ["1", "2", "3", "4"]


def test_the_later_one_is_the_suspect_even_if_its_id_is_lower(canteen: Canteen) -> None:
    canteen.entries(
        (9, 1, "topup", 5, 0, NINE, "SAR", "A"), (3, 1, "topup", 5, 0, after(1), "SAR", "B")
    )
    assert suspects(canteen.find()) == ["3"]


def test_a_copy_is_no_suspect_and_makes_none(canteen: Canteen) -> None:
    canteen.entries(
        (1, 1, "topup", 5, 0, NINE, "SAR", "A"),
        (2, 1, "topup", 5, 0, NINE, "SAR", "A"),
        (3, 1, "topup", 5, 0, after(70), "SAR", "B"),
        (4, 1, "topup", 5, 0, after(10), "SAR", "C"),
        (5, 1, "topup", 5, 0, after(10), "SAR", "C"),
    )
    result = canteen.find()
    assert [entry for _, entry, _ in exact(result)] == ["2", "5"]
    assert suspects(result) == ["3", "4"]
    alike = [each.details["looks_like"] for each in result.differences if each.code == SUSPECT]
    assert alike == ["4", "1"]


def test_the_window_is_as_the_definition_says(canteen: Canteen) -> None:
    canteen.entries((1, 1, "topup", 5, 0, NINE), (2, 1, "topup", 5, 0, after(600)))
    canteen.ask("duplicate: {within: 10m}")
    assert suspects(canteen.find()) == ["2"]
    canteen.ask("duplicate: {within: 9m59s}")
    assert suspects(canteen.find()) == []


def test_other_rows_in_between_hide_nothing(canteen: Canteen) -> None:
    # More of them than the walk looks at one by one.
    between = [(10 + i, 1, "topup", 100 + i, 0, after(1 + i / 10)) for i in range(40)]
    canteen.entries((1, 1, "topup", 5, 0, NINE), *between, (2, 1, "topup", 5, 0, after(50)))
    assert suspects(canteen.find()) == ["2"]


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_rows_that_a_batch_ends_between_are_still_found(
    canteen: Canteen, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(walk, "_BATCH", batch)
    rows = [(i, 1, "topup", 5 if i in {2, 5} else i * 10, 0, after(i)) for i in range(1, 9)]
    canteen.entries(*rows)
    assert suspects(canteen.find()) == ["5"]


def test_rows_at_the_cut_off_and_later_take_no_part(canteen: Canteen) -> None:
    canteen.entries(
        (1, 1, "topup", 5, 0, NINE, "SAR", "A"),
        (2, 1, "topup", 5, 0, NINE, "SAR", "A"),
        (3, 1, "topup", 5, 0, after(30), "SAR", "B"),
        (3, 1, "topup", 7, 0, after(30), "SAR", "B"),
    )
    result = canteen.find(cut_off=datetime(2026, 11, 1, 9, 0, 30, tzinfo=UTC))
    assert [(each.code, each.entry) for each in result.differences] == [(EXACT, "2")]


@pytest.mark.parametrize("column", ["id", "posted_at"])
def test_a_row_that_lacks_something_is_a_finding_and_no_copy(canteen: Canteen, column: str) -> None:
    canteen.entries((1, 1, "topup", 5, 0, NINE), (2, 1, "topup", 5, 0, NINE))
    canteen.run(f"UPDATE entries SET {column} = NULL WHERE id = 2")  # noqa: S608
    result = canteen.find()
    assert result.differences == []
    assert len(result.findings) == 1


def test_the_order_of_rows_in_the_source_changes_nothing(canteen: Canteen) -> None:
    dice = random.Random(5)  # noqa: S311
    rows = [
        (
            dice.randrange(200),
            dice.randrange(1, 3),
            dice.choice(["topup", "purchase"]),
            dice.randrange(1, 4),
            dice.randrange(3),
            after(dice.randrange(0, 900)),
            "SAR",
            dice.choice(["A", "B", None]),
        )
        for _ in range(150)
    ]
    results = []
    canteen.ask("balance: {}", "chain: {}", "duplicate: {}")
    for _ in range(4):
        canteen.run("DELETE FROM entries")
        canteen.entries(*rows)
        results.append(canteen.find().differences)
        dice.shuffle(rows)
    assert results[1:] == results[:1] * 3
    assert {each.code for each in results[0]} >= {EXACT, SUSPECT}
    identities = [each.identity("wallets") for each in results[0]]
    assert len(set(identities)) == len(identities)


def test_a_copy_that_moved_no_balance_makes_its_wallet_drift_but_breaks_no_chain(
    canteen: Canteen,
) -> None:
    canteen.ask("balance: {}", "chain: {}", "duplicate: {}")
    canteen.run("UPDATE wallets SET opening = 100, balance = 75 WHERE id = 1")
    canteen.entries(
        (1, 1, "purchase", 20, 80, NINE, "SAR", "A"),
        (2, 1, "purchase", 20, 80, NINE, "SAR", "A"),
        (3, 1, "purchase", 5, 75, after(100), "SAR", "B"),
    )
    result = canteen.find()
    assert exact(result) == [("1", "2", -20)]
    assert chain_breaks(result) == []
    assert drifts(result) == [("1", "SAR", 20)]
    (drift,) = (each for each in result.differences if each.code == "BALANCE_DRIFT")
    assert drift.details == {"explained_by": {"DUPLICATE_EXACT": ["2"]}}
    assert drift.severity == "low"
    assert [total.gap_minor for total in result.totals] == [0]


def test_a_copy_among_other_rows_of_its_instant_breaks_the_chain_of_none_of_them(
    canteen: Canteen,
) -> None:
    canteen.ask("chain: {}", "duplicate: {}")
    canteen.run("UPDATE wallets SET opening = 100 WHERE id = 1")
    canteen.entries(
        (1, 1, "purchase", 20, 80, NINE, "SAR", "A"),
        (2, 1, "purchase", 10, 70, NINE, "SAR", "B"),
        (3, 1, "purchase", 20, 80, NINE, "SAR", "A"),
        (4, 1, "purchase", 5, 65, after(100), "SAR", "C"),
    )
    assert [(each.code, each.entry) for each in canteen.find().differences] == [(EXACT, "3")]


def test_a_copy_that_moved_the_balance_again_is_a_copy_and_nothing_else(canteen: Canteen) -> None:
    canteen.ask("balance: {}", "chain: {}", "duplicate: {}")
    canteen.run("UPDATE wallets SET opening = 100, balance = 55 WHERE id = 1")
    canteen.entries(
        (1, 1, "purchase", 20, 80, NINE, "SAR", "A"),
        (2, 1, "purchase", 20, 60, NINE, "SAR", "A"),
        (3, 1, "purchase", 5, 55, after(100), "SAR", "B"),
    )
    result = canteen.find()
    assert [(each.code, each.entry) for each in result.differences] == [(EXACT, "2")]


def test_a_drift_that_copies_do_not_come_to_is_not_explained_by_them(canteen: Canteen) -> None:
    canteen.ask("balance: {}", "duplicate: {}")
    canteen.run("UPDATE wallets SET opening = 100, balance = 79 WHERE id = 1")
    canteen.entries(*((i, 1, "purchase", 20, 80, NINE, "SAR", "A") for i in (1, 2)))
    (drift,) = (each for each in canteen.find().differences if each.code == "BALANCE_DRIFT")
    assert (drift.amount_minor, drift.details, drift.severity) == (19, {}, "medium")


def test_marks_are_found_whatever_the_source_makes_of_the_ids(
    canteen: Canteen, monkeypatch: pytest.MonkeyPatch
) -> None:
    canteen.entries(
        *((i, 1, "topup", 5, 0, NINE, "SAR", "A" if i < 3 else "B") for i in range(1, 5))
    )
    with closing(sqlite3.connect(canteen.path)) as connection, connection:
        connection.execute("UPDATE entries SET id = CAST(id AS TEXT)")
    once = canteen.find().differences
    monkeypatch.setattr(marks, "_FEW", 0)
    assert canteen.find().differences == once
    assert [entry for _, entry, _ in exact(canteen.find())] == ["2", "4"]


def test_a_definition_without_balances_after_has_duplicates_too(canteen: Canteen) -> None:
    canteen.ask("duplicate: {}", change=lambda t: t.replace("balance_after: balance_after, ", ""))
    canteen.entries(*((i, 1, "topup", 5, 0, NINE, "SAR", "A") for i in (1, 2)))
    assert exact(canteen.find()) == [("1", "2", 5)]
