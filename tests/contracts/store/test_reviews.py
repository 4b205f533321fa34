"""Reviews: a person decides whether a failed run may be retried, once, and with a reason."""

from functools import partial

import pytest

from engine.states import RunState
from engine.store.database import Database
from engine.store.failed_run_reader import FailedRuns
from engine.store.failed_runs import FailedRunStore
from engine.store.operator_moves import RunMoveStore
from engine.store.reviews import Decision, ReviewStore
from engine.store.runs import RunStore
from tests.builders.at_once import at_once
from tests.builders.booking import BROKEN, a_claim, a_run, let_leases_run_out
from tests.contracts.store.test_failed_runs import a_failed_run, a_quarantined_run, retry


@pytest.fixture
def reviews(database: Database) -> ReviewStore:
    """The reviews."""
    return ReviewStore(database)


def test_an_approved_run_may_be_retried_and_needs_no_review_then(
    runs: RunStore, reviews: ReviewStore, database: Database
) -> None:
    run = a_quarantined_run(runs)
    assert runs.get(run.id).review == "required"
    done = reviews.decide(run.id, "approved", actor="sara", reason="the file is mended")
    assert (done.decided, done.run.review) == (True, "required")
    assert runs.get(run.id).review == "approved"
    assert runs.get(run.id).touched_at is not None
    assert retry(FailedRunStore(database), FailedRuns(ids=[run.id])).left == []
    queued = runs.get(run.id)
    assert (queued.state, queued.review) == (RunState.QUEUED, None)
    moves = [(each.source, each.target) for each in RunMoveStore(database).of_run(run.id)]
    assert moves == [("required", "approved"), ("failed", "queued")]


def test_a_rejected_run_stays_failed_until_somebody_approves(
    runs: RunStore, reviews: ReviewStore, database: Database
) -> None:
    run, failed = a_quarantined_run(runs), FailedRunStore(database)
    assert reviews.decide(run.id, "rejected", actor="sara", reason="paid by hand").decided
    (left,) = retry(failed, FailedRuns(ids=[run.id])).left
    assert (left.obstacle, left.run.review) == ("needs_review", "rejected")
    assert reviews.decide(run.id, "approved", actor="omar", reason="it was not").decided
    assert retry(failed, FailedRuns(ids=[run.id])).moved


@pytest.mark.parametrize("decision", ["approved", "rejected"])
def test_a_decision_that_was_made_is_not_made_again(
    runs: RunStore, reviews: ReviewStore, decision: Decision
) -> None:
    run = a_quarantined_run(runs)
    assert reviews.decide(run.id, decision, actor="sara", reason="seen").decided
    again = reviews.decide(run.id, decision, actor="omar", reason="seen too")
    assert again.decided is False
    assert again.last_move is not None
    assert again.last_move.actor == "sara"


def test_only_a_failed_run_that_waits_for_a_review_is_reviewed(
    runs: RunStore, reviews: ReviewStore
) -> None:
    for run in (a_run(runs), a_failed_run(runs)):
        assert reviews.decide(run.id, "approved", actor="sara", reason="why not").decided is False
        assert runs.get(run.id).review is None


def test_of_many_who_approve_one_does(
    runs: RunStore, reviews: ReviewStore, database: Database
) -> None:
    for _ in range(5):
        run = a_quarantined_run(runs)
        each = partial(reviews.decide, run.id, "approved", actor="sara", reason="seen")
        assert [done.decided for done in at_once(*[each] * 8)].count(True) == 1
        assert len(RunMoveStore(database).of_run(run.id)) == 1


@pytest.mark.parametrize("needed", [True, False])
def test_a_run_whose_effect_is_unknown_waits_for_a_review(
    runs: RunStore, database: Database, needed: bool
) -> None:
    lost, stopped = a_claim(runs), a_claim(runs)
    assert runs.fail(stopped, BROKEN, needs_review=needed)
    let_leases_run_out(database)
    assert runs.rescue(runs.get(lost.run_id), BROKEN, None, needs_review=needed)
    for claim in (lost, stopped):
        assert runs.get(claim.run_id).review == ("required" if needed else None)
