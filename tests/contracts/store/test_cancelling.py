"""Cancelling: what waits ends at once, what is running ends however its attempt does."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import update

from engine.states import UNFINISHED_RUNS, RunState
from engine.store.cancelled_runs import CancelStore
from engine.store.database import Database
from engine.store.failed_run_reader import FailedRuns
from engine.store.failed_runs import FailedRunStore
from engine.store.operator_moves import RunMoveStore
from engine.store.reviews import ReviewStore
from engine.store.run import Claim, Run, RunError
from engine.store.runs import RunStore
from engine.store.tables import runs as runs_table
from tests.builders.at_once import at_once
from tests.builders.booking import BROKEN, a_claim, a_firing, a_run, let_leases_run_out
from tests.contracts.store.test_failed_runs import retry

HOUR = timedelta(hours=1)
WHY = RunError(type="Quarantined", message="crashed 3 times", fingerprint="q" * 16)

End = Callable[[RunStore, Claim], RunState | None]
# Each way for an attempt to end other than well.
ENDS: dict[str, End] = {
    "cancel": lambda runs, claim: runs.cancel(claim),
    "fail": lambda runs, claim: runs.fail(claim, BROKEN),
    "fail for review": lambda runs, claim: runs.fail(claim, BROKEN, needs_review=True),
    "retry_later": lambda runs, claim: runs.retry_later(claim, BROKEN, HOUR),
    "put_off": lambda runs, claim: runs.put_off(claim, BROKEN, HOUR),
    "crash": lambda runs, claim: runs.crash(claim, BROKEN, timedelta()),
    "quarantine": lambda runs, claim: runs.crash(claim, BROKEN, None, quarantined=WHY),
    "hand_back": lambda runs, claim: runs.hand_back(claim, BROKEN),
    "rescue": lambda runs, claim: rescue(runs, claim),
}


def rescue(runs: RunStore, claim: Claim) -> RunState | None:
    """Its worker died."""
    let_leases_run_out(runs.database)
    return runs.rescue(runs.get(claim.run_id), BROKEN, timedelta())


@pytest.fixture
def cancelling(database: Database) -> CancelStore:
    """What is cancelled."""
    return CancelStore(database)


@pytest.fixture
def moves(database: Database) -> RunMoveStore:
    """What was done."""
    return RunMoveStore(database)


def put_in(runs: RunStore, state: RunState) -> Run:
    """A run in this state."""
    run = a_run(runs)
    if state is RunState.RUNNING:
        a_claim(runs, run)
    else:
        with runs.database.begin() as connection:
            here = update(runs_table).where(runs_table.c.id == run.id)
            connection.execute(here.values(state=state))
    return run


@pytest.mark.parametrize("state", [RunState.QUEUED, RunState.WAITING, RunState.RETRYING])
def test_a_run_that_waits_is_cancelled_at_once(
    runs: RunStore, cancelling: CancelStore, moves: RunMoveStore, state: RunState
) -> None:
    run = put_in(runs, state)
    done = cancelling.cancel([run.id], actor="sara", reason="wrong month")
    assert [each.id for each in done.cancelled] == [run.id]
    ended = runs.get(run.id)
    assert (ended.state, ended.cancelled_by) == (RunState.CANCELLED, "sara")
    assert ended.reason == "cancelled by sara: wrong month"
    assert ended.finished_at is not None
    (moved,) = moves.of_run(run.id)
    assert (moved.source, moved.target, moved.reason) == (state, "cancelled", "wrong month")
    assert runs.claim(run.id, "worker-1") is None
    assert runs.due(silent_for=HOUR) == []


def test_a_running_run_is_told_to_stop_and_its_worker_finds_it(
    runs: RunStore, cancelling: CancelStore
) -> None:
    claim, other = a_claim(runs), a_claim(runs)
    assert cancelling.to_stop([claim, other]) == []
    done = cancelling.cancel([claim.run_id], actor="sara", reason=None)
    assert [each.id for each in done.stopping] == [claim.run_id]
    assert cancelling.to_stop([claim, other]) == [claim]
    running = runs.get(claim.run_id)
    assert (running.state, running.cancelled_by) == (RunState.RUNNING, "sara")
    assert running.cancel_requested_at is not None


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
def test_a_run_that_is_to_stop_ends_cancelled_however_its_attempt_ends(
    runs: RunStore, cancelling: CancelStore, moves: RunMoveStore, end: End
) -> None:
    claim = a_claim(runs)
    cancelling.cancel([claim.run_id], actor="sara", reason="wrong month")
    assert end(runs, claim)
    run = runs.get(claim.run_id)
    assert (run.state, run.review) == (RunState.CANCELLED, None)
    assert run.reason == "cancelled by sara: wrong month"
    assert run.finished_at is not None
    assert run.lease_token is None
    assert [(each.source, each.target) for each in moves.of_run(run.id)] == [
        ("running", "cancel requested"),
        ("running", "cancelled"),
    ]
    (attempt,) = runs.attempts_of(run.id)
    assert attempt.outcome is not None
    assert attempt.finished_at is not None
    assert runs.claim(run.id, "worker-2") is None


def test_a_run_that_succeeds_before_it_is_stopped_has_succeeded(
    runs: RunStore, cancelling: CancelStore
) -> None:
    claim = a_claim(runs)
    cancelling.cancel([claim.run_id], actor="sara", reason=None)
    assert runs.succeed(claim, 1)
    run = runs.get(claim.run_id)
    assert (run.state, run.reason) == (RunState.SUCCEEDED, None)


@pytest.mark.parametrize("state", sorted(set(RunState) - UNFINISHED_RUNS))
def test_a_run_that_has_ended_is_left(
    runs: RunStore, cancelling: CancelStore, state: RunState
) -> None:
    run = put_in(runs, state)
    ((left, move),) = cancelling.cancel([run.id], actor="sara", reason=None).left
    assert (left.id, left.state, move) == (run.id, state, None)
    assert runs.get(run.id).state is state


def test_who_cancels_a_run_after_somebody_else_is_told(
    runs: RunStore, cancelling: CancelStore
) -> None:
    queued, running = a_run(runs), a_claim(runs)
    both = [queued.id, running.run_id]
    cancelling.cancel(both, actor="omar", reason=None)
    done = cancelling.cancel(both, actor="sara", reason=None)
    ((left, ended),) = done.left
    ((asked, told),) = done.asked_before
    assert (left.id, asked.id) == (queued.id, running.run_id)
    assert ended is not None
    assert told is not None
    assert (ended.actor, told.actor) == ("omar", "omar")
    assert runs.get(running.run_id).cancelled_by == "omar"


def test_a_claim_and_a_cancellation_do_not_both_have_the_run(
    runs: RunStore, cancelling: CancelStore
) -> None:
    for _ in range(10):
        run = a_run(runs)
        cancel = partial(cancelling.cancel, [run.id], actor="sara", reason=None)
        claim, done = at_once(partial(runs.claim, run.id, "worker-1"), cancel)
        assert (claim is None) == bool(done.cancelled)  # type: ignore[union-attr]
        if claim is not None:
            assert cancelling.to_stop([claim]) == [claim]  # type: ignore[list-item]


def test_clearing_a_queue_cancels_what_waits_in_it_and_nothing_else(
    runs: RunStore, cancelling: CancelStore, moves: RunMoveStore
) -> None:
    queued, later = a_run(runs), a_run(runs)
    assert runs.retry_later(a_claim(runs, later), BROKEN, HOUR)
    running, other = a_claim(runs), a_run(runs, queue="payouts")
    waiting = cancelling.waiting("default")
    assert waiting == [queued.id, later.id]
    named = [*waiting, running.run_id]
    cleared = cancelling.cancel_waiting(named, actor="sara", reason="booked twice")
    assert [run.id for run in cleared.cancelled] == waiting
    assert cancelling.waiting("default") == []
    assert runs.get(running.run_id).state is RunState.RUNNING
    assert runs.get(other.id).state is RunState.QUEUED
    assert [move.source for run in cleared.cancelled for move in moves.of_run(run.id)] == [
        "queued",
        "retrying",
    ]


def test_a_cancelled_run_makes_way_for_the_next_one_of_its_schedule(
    runs: RunStore, cancelling: CancelStore
) -> None:
    first, second = (a_run(runs, firing=a_firing(hour, overlap="queue")) for hour in range(2))
    assert runs.claim(second.id, "worker-1") is None
    cancelling.cancel([first.id], actor="sara", reason=None)
    a_claim(runs, second)


@pytest.mark.parametrize("time", range(3))
def test_people_and_workers_who_move_the_same_runs_never_wait_in_a_circle(
    runs: RunStore, cancelling: CancelStore, database: Database, time: int
) -> None:
    failed, reviews = FailedRunStore(database), ReviewStore(database)
    claims = [a_claim(runs) for _ in range(30)]
    for number, claim in enumerate(claims[:20]):
        assert runs.fail(claim, BROKEN, needs_review=number % 3 == time)
    ids = [claim.run_id for claim in claims]
    some = FailedRuns(ids=ids[5:15])

    def ring() -> object:
        for _ in range(5):
            runs.rung(ids)
        return None

    at_once(
        lambda: retry(failed, FailedRuns(ids=ids)),
        lambda: retry(failed),
        lambda: failed.discard(some, actor="omar", reason=None),
        lambda: cancelling.cancel(ids[::-1], actor="sara", reason=None),
        lambda: cancelling.cancel_waiting(ids, actor="sara", reason=None),
        lambda: [reviews.decide(each, "approved", actor="s", reason="r") for each in ids],
        lambda: [runs.renew(claims[::-1]) for _ in range(5)],
        ring,
    )
    over = {RunState.CANCELLED, RunState.DISCARDED, RunState.RUNNING, RunState.QUEUED}
    assert {runs.get(each).state for each in ids} <= over | {RunState.FAILED}
