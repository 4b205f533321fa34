"""A row that lacks something is a finding; the rows around it are no breaks for that."""

from pathlib import Path

import pytest

from tests.builders.canteen import Canteen, chain_breaks, drifts

AT = [f"2026-11-01 {hour:02d}:00:00" for hour in range(24)]


@pytest.fixture
def canteen(tmp_path: Path) -> Canteen:
    """One wallet with five entries, an hour apart."""
    canteen = Canteen(tmp_path)
    canteen.wallets((1, 100, 85))
    canteen.entries(
        (1, 1, "purchase", 10, 90, AT[1]),
        (2, 1, "purchase", 20, 70, AT[2]),
        (3, 1, "topup", 30, 100, AT[3]),
        (4, 1, "purchase", 10, 90, AT[4]),
        (5, 1, "purchase", 5, 85, AT[5]),
    )
    return canteen


@pytest.mark.parametrize("column", ["balance_after", "posted_at", "id"])
@pytest.mark.parametrize("rows", [[1], [3], [5], [2, 3], [2, 4], [1, 2, 3, 4, 5]])
@pytest.mark.parametrize("together", [False, True])
def test_the_rows_around_it_are_no_breaks(
    canteen: Canteen, column: str, rows: list[int], together: bool
) -> None:
    if together:
        canteen.run("UPDATE entries SET posted_at = ? WHERE id IN (2, 3)", [AT[3]])
    listed = ", ".join(map(str, rows))
    canteen.run(f"UPDATE entries SET {column} = NULL WHERE id IN ({listed})")  # noqa: S608
    result = canteen.find()
    assert len(result.findings) == len(rows)
    assert result.differences == []
    assert [total.gap_minor for total in result.totals] == [0]


def test_a_row_without_instant_and_balance_is_no_break_either(canteen: Canteen) -> None:
    canteen.run("UPDATE entries SET posted_at = NULL, balance_after = NULL WHERE id = 3")
    assert canteen.find().differences == []


@pytest.mark.parametrize("column", ["balance_after", "posted_at"])
def test_a_break_further_on_is_found_all_the_same(canteen: Canteen, column: str) -> None:
    canteen.run(f"UPDATE entries SET {column} = NULL WHERE id = 2")  # noqa: S608
    canteen.run("UPDATE entries SET balance_after = 86 WHERE id = 5")
    assert chain_breaks(canteen.find()) == [("1", "5", 1)]


def test_a_row_without_an_instant_hides_one_jump_of_its_own_only(canteen: Canteen) -> None:
    canteen.run("UPDATE entries SET posted_at = NULL WHERE id = 3")
    canteen.run("UPDATE entries SET balance_after = balance_after + 1 WHERE id > 3")
    assert chain_breaks(canteen.find()) == [("1", "4", 31)]


def test_the_balance_that_was_said_last_counts_as_stored(canteen: Canteen) -> None:
    canteen.define(stored="last_balance_after")
    canteen.run("UPDATE entries SET balance_after = NULL WHERE id = 5")
    # Nothing says that the balance moved by the last entry.
    assert drifts(canteen.find()) == [("1", "SAR", 5)]


def test_the_order_of_rows_in_the_source_changes_nothing(canteen: Canteen) -> None:
    canteen.define(stored="last_balance_after")
    canteen.run("UPDATE entries SET posted_at = ? WHERE id IN (2, 3, 4, 5)", [AT[3]])
    canteen.run("UPDATE entries SET balance_after = NULL WHERE id = 3")
    results = []
    for order in ("id", "-id", "id % 3"):
        canteen.run(f"CREATE TABLE other AS SELECT * FROM entries ORDER BY {order}")  # noqa: S608
        canteen.run("DROP TABLE entries")
        canteen.run("ALTER TABLE other RENAME TO entries")
        results.append(canteen.find())
    assert {len(result.findings) for result in results} == {1}
    assert chain_breaks(results[0]) == []
    assert [result.differences for result in results[1:]] == [results[0].differences] * 2
