"""The demo world, reconciled: everything that was planted is found, and nothing else."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from engine.demo.truth import Truth, compare
from tests.builders.app import a_canteen
from tests.builders.clock import FakeClock
from tests.builders.world import AS_OF, a_world


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_what_was_planted_is_found_and_nothing_else(tmp_path: Path, seed: int) -> None:
    world = a_world(tmp_path, seed=seed)
    app = a_canteen(tmp_path, world, FakeClock(AS_OF))
    result = app.reconciliations.reconciler.find("wallets", cut_off=world.as_of)
    comparison = compare(result.differences, Truth.load(world.truth_path))
    assert comparison.missing == []
    assert comparison.unexpected == []
    assert len(comparison.matched) >= 40
    assert {totals.gap_minor for totals in result.totals} == {0}
    app.close()


def test_rows_shuffled_in_the_source_give_the_same_answer(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    app = a_canteen(tmp_path, world, FakeClock(AS_OF))
    find = app.reconciliations.reconciler.find
    before = find("wallets", cut_off=world.as_of)
    with closing(sqlite3.connect(world.path)) as connection, connection:
        for table, key in (("entries", "id * 7919 % 10007"), ("wallets", "id * 101 % 641")):
            connection.execute(f"CREATE TABLE other AS SELECT * FROM {table} ORDER BY {key}")  # noqa: S608
            connection.execute(f"DROP TABLE {table}")
            connection.execute(f"ALTER TABLE other RENAME TO {table}")
    after = find("wallets", cut_off=world.as_of)
    assert after.differences == before.differences
    assert (after.counts, after.totals) == (before.counts, before.totals)
    assert len({each.code for each in before.differences}) == 8
    identities = {each.identity("wallets") for each in before.differences}
    assert len(identities) == len(before.differences)
    app.close()


def test_each_term_of_the_equation_is_the_sum_of_what_is_listed(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    app = a_canteen(tmp_path, world, FakeClock(AS_OF))
    result = app.reconciliations.reconciler.find("wallets", cut_off=world.as_of)
    for totals in result.totals:

        def listed(code: str, currency: str = totals.currency) -> int:
            return sum(
                each.amount_minor
                for each in result.differences
                if (each.code, each.currency) == (code, currency)
            )

        assert totals.drift_minor == listed("BALANCE_DRIFT")
        assert totals.orphans_minor == listed("ORPHAN_ENTRY")
        assert totals.mismatched_minor == listed("CURRENCY_MISMATCH")
        left = totals.stored_minor - totals.opening_minor - totals.entries_minor
        assert left == totals.explained_minor
    app.close()
