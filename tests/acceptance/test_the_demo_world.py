"""The demo world, reconciled: everything that was planted is found, and nothing else."""

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
