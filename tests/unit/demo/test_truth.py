from pathlib import Path

import pytest

from engine.demo.faults.findings import Expected
from engine.demo.truth import Fault, NoTruth, Tally, Truth, compare
from engine.store.breaks import Difference

DRIFT = Expected(
    check="balance",
    code="BALANCE_DRIFT",
    wallet="700001",
    entry=None,
    currency="SAR",
    amount_minor=500,
)
BREAK = Expected(
    check="chain",
    code="CHAIN_BREAK",
    wallet="700002",
    entry="12",
    currency="SAR",
    amount_minor=-100,
)


def a_truth(*expected: Expected) -> Truth:
    fault = Fault(kind="removed", words="it vanished", wallets=["700001"], expected=expected)
    looking = Fault(kind="pair", words="it looks", wallets=["700003"], expected=[], order_only=1)
    return Truth(seed=3, as_of="2026-11-23T21:00:00+00:00", faults=[fault, looking])


def as_row(expected: Expected, **changes: object) -> dict[str, object]:
    return {**vars(expected), "id": 7, "status": "open", **changes}


def test_what_was_planted_and_found_agrees() -> None:
    comparison = compare([as_row(BREAK), as_row(DRIFT)], a_truth(DRIFT, BREAK))
    assert comparison.agrees
    assert comparison.matched == [DRIFT, BREAK]


def test_differences_compare_as_well_as_rows() -> None:
    found = Difference(
        check="chain",
        code="CHAIN_BREAK",
        kind="amount",
        wallet="700002",
        entry="12",
        currency="SAR",
        amount_minor=-100,
        expected_minor=300,
        actual_minor=200,
    )
    assert compare([found], a_truth(BREAK)).agrees


def test_ids_may_be_numbers() -> None:
    assert compare([as_row(BREAK, wallet=700002, entry=12)], a_truth(BREAK)).agrees


def test_a_fault_that_was_not_found_is_missing() -> None:
    comparison = compare([as_row(DRIFT)], a_truth(DRIFT, BREAK))
    assert not comparison.agrees
    assert (comparison.missing, comparison.unexpected) == ([BREAK], [])


def test_a_false_alarm_is_unexpected() -> None:
    comparison = compare([as_row(DRIFT), as_row(BREAK)], a_truth(DRIFT))
    assert not comparison.agrees
    assert (comparison.missing, comparison.unexpected) == ([], [BREAK])


def test_a_difference_found_twice_is_unexpected_once() -> None:
    assert compare([as_row(DRIFT), as_row(DRIFT)], a_truth(DRIFT)).unexpected == [DRIFT]


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_minor": -99},
        {"amount_minor": 100},
        {"entry": "13"},
        {"entry": None},
        {"wallet": "700001"},
        {"currency": "KWD"},
        {"code": "ORDER_ONLY"},
        {"check": "balance"},
    ],
)
def test_nearly_right_is_one_missing_and_one_unexpected(changes: dict[str, object]) -> None:
    comparison = compare([as_row(BREAK, **changes)], a_truth(BREAK))
    assert (len(comparison.missing), len(comparison.unexpected)) == (1, 1)


def test_tallies_have_a_line_for_each_check_and_code() -> None:
    comparison = compare([as_row(DRIFT), as_row(BREAK, entry="13")], a_truth(DRIFT, BREAK))
    assert comparison.tallies == [
        Tally(check="balance", code="BALANCE_DRIFT", planted=1, found=1, missing=0, unexpected=0),
        Tally(check="chain", code="CHAIN_BREAK", planted=1, found=1, missing=1, unexpected=1),
    ]


def test_the_file_gives_back_what_was_saved(tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    a_truth(DRIFT, BREAK).save(path)
    loaded = Truth.load(path)
    assert loaded.expected == [DRIFT, BREAK]
    assert loaded.order_only == 1
    assert [fault.words for fault in loaded.faults] == ["it vanished", "it looks"]


@pytest.mark.parametrize("text", [None, "", "[]", '{"faults": [{}]}', '{"faults": []}'])
def test_a_file_that_is_no_truth_is_named(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "truth.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(NoTruth, match=r"truth\.json does not hold the truth"):
        Truth.load(path)
