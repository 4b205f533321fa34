"""The state machines."""

import pytest

from engine.states import BREAK, RUN, UNFINISHED_RUNS, BreakState, ForbiddenMove, RunState

ENDS = {RunState.SUCCEEDED, RunState.CANCELLED, RunState.DISCARDED}


def test_every_state_says_where_it_leads() -> None:
    assert set(RUN.moves) == set(RunState)
    assert set(BREAK.moves) == set(BreakState)


def test_a_run_that_is_over_stays_so() -> None:
    assert {state for state, targets in RUN.moves.items() if not targets} == ENDS


def test_every_state_can_be_reached() -> None:
    reached = {target for targets in RUN.moves.values() for target in targets}
    assert set(RunState) - reached == {RunState.WAITING}
    assert {target for targets in BREAK.moves.values() for target in targets} == set(BreakState)


def test_what_is_unfinished_can_still_move() -> None:
    assert all(RUN.moves[state] for state in UNFINISHED_RUNS)
    assert not UNFINISHED_RUNS & ENDS


@pytest.mark.parametrize("target", [RunState.QUEUED, RunState.RUNNING, RunState.SUCCEEDED])
def test_a_move_that_is_not_drawn_is_a_bug(target: RunState) -> None:
    with pytest.raises(ForbiddenMove, match=f"a run cannot go from succeeded to {target}"):
        RUN.require(RunState.SUCCEEDED, target)


def test_a_person_may_queue_a_failed_run_but_not_a_running_one_again() -> None:
    RUN.require(RunState.FAILED, RunState.QUEUED)
    RUN.require(RunState.RUNNING, RunState.QUEUED)  # handed back
    with pytest.raises(ForbiddenMove):
        RUN.require(RunState.SUCCEEDED, RunState.QUEUED)
