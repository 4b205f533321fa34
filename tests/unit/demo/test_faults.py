import sqlite3
import tempfile
from collections import Counter
from contextlib import closing
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.demo.chance import chance
from engine.demo.faults.kinds import KINDS
from engine.demo.faults.planting import NoPlaceForFault, planned, plant
from engine.demo.truth import Fault, Truth, compare
from engine.demo.world import FAULTS, World
from tests.builders.world import a_world, rows_of

from .brute_force import chain_breaks, chains_by_id, differences


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return a_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def truth(world: World) -> Truth:
    return Truth.load(world.truth_path)


def test_every_order_tried_finds_what_was_planted_and_nothing_else(
    world: World, truth: Truth
) -> None:
    comparison = compare(differences(world), truth)
    assert comparison.missing == []
    assert comparison.unexpected == []
    assert len(comparison.matched) == len(truth.expected)


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 2**32), wallets=st.integers(50, 150), each=st.integers(15, 40))
def test_the_truth_is_complete_whatever_the_seed(seed: int, wallets: int, each: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = a_world(Path(folder), wallets=wallets, entries=wallets * each, seed=seed)
        comparison = compare(differences(world), Truth.load(world.truth_path))
    assert (comparison.missing, comparison.unexpected) == ([], [])
    assert comparison.matched


def test_there_are_more_than_forty_of_either_check_and_seconds_that_only_look_broken(
    truth: Truth,
) -> None:
    checks = Counter(expected.check for expected in truth.expected)
    assert checks["balance"] >= 40
    assert checks["chain"] >= 40
    assert truth.order_only >= 10
    assert len(truth.faults) == FAULTS


def test_every_kind_is_planted_and_no_wallet_has_two_faults(truth: Truth) -> None:
    assert Counter(fault.kind for fault in truth.faults) == dict.fromkeys(
        KINDS, FAULTS // len(KINDS)
    )
    wallets = [wallet for fault in truth.faults for wallet in fault.wallets]
    assert len(set(wallets)) == len(wallets)


def test_what_is_expected_of_a_fault_is_in_its_own_wallets(truth: Truth) -> None:
    for fault in truth.faults:
        elsewhere = [each for each in fault.expected if each.code == "ORPHAN_ENTRY"]
        assert not {each.wallet for each in elsewhere} & set(fault.wallets)
        others = {each.wallet for each in fault.expected if each not in elsewhere}
        assert others <= set(fault.wallets)
        assert fault.words


def test_what_is_innocent_is_nothing_to_find_and_the_rest_is(truth: Truth) -> None:
    nothing = {f.kind for f in truth.faults if not f.expected and not f.order_only}
    assert nothing == {"hungry", "returned_at_once", "in_small_letters", "emptied"}
    assert not [fault for fault in truth.faults if fault.expected and fault.order_only]


def test_every_code_is_planted(truth: Truth) -> None:
    codes = Counter(expected.code for expected in truth.expected)
    assert codes["BALANCE_DRIFT"] >= 40
    assert codes["CHAIN_BREAK"] >= 40
    assert {code for code, count in codes.items() if count >= 8} == {
        *("BALANCE_DRIFT", "CHAIN_BREAK", "DUPLICATE_EXACT", "DUPLICATE_SUSPECT"),
        *("ORPHAN_ENTRY", "ORPHAN_WALLET", "CURRENCY_MISMATCH", "NEGATIVE_BALANCE"),
    }


def test_seconds_that_only_look_broken_chain_in_some_order_but_not_by_id(
    world: World, truth: Truth
) -> None:
    looking = [fault for fault in truth.faults if fault.order_only]
    assert {fault.kind for fault in looking} == {"pair_reversed", "batch_reversed", "refund_first"}
    for fault in looking:
        opening, rows = _wallet(world, fault)
        assert not chains_by_id(opening, rows)
        assert chain_breaks(opening, rows) == ()


def test_the_broken_second_holds_four_rows_whose_ids_do_not_chain_either(
    world: World, truth: Truth
) -> None:
    for fault in (fault for fault in truth.faults if fault.kind in ("no_order", "loop_apart")):
        _, rows = _wallet(world, fault)
        seconds = [len(list(group)) for _, group in groupby(rows, lambda row: row["posted_at"])]
        assert sorted(seconds)[-2:] == [1, 4]


def test_a_drift_between_two_wallets_cancels_out(truth: Truth) -> None:
    for fault in (fault for fault in truth.faults if fault.kind == "charged_to_another"):
        assert len(fault.wallets) == 2
        assert sum(expected.amount_minor for expected in fault.expected) == 0


def test_more_faults_than_there_are_wallets_for_name_the_kind_without_a_place(
    tmp_path: Path,
) -> None:
    world = a_world(tmp_path, wallets=50, entries=500, faults=0)
    with (
        closing(sqlite3.connect(world.path)) as connection,
        pytest.raises(NoPlaceForFault, match=r"a fault of kind \w+ .* give the world more wallets"),
    ):
        plant(connection, planned(60), world.wallets, chance(1, "faults"))


def _wallet(world: World, fault: Fault) -> tuple[int, list[dict[str, object]]]:
    (wallet,) = fault.wallets
    opening = rows_of(world, f"SELECT opening_minor FROM wallets WHERE id = {wallet}")  # noqa: S608
    rows = rows_of(
        world,
        f"SELECT * FROM entries WHERE wallet_id = {wallet} ORDER BY posted_at, id",  # noqa: S608
    )
    return opening[0]["opening_minor"], rows
