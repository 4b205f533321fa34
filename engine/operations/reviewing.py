"""Reviewing: a person approves of another attempt at a failed run, or rejects it."""

from engine.errors import EngineError, Refused
from engine.operations.run_moves import Shown, move_text
from engine.states import RunState
from engine.store.operator_moves import RunBrief
from engine.store.reviews import Decision, Reviewed, ReviewStore


class ReasonNeeded(Refused):
    """A decision without a reason helps nobody who looks at it later."""

    message = 'a review needs --reason "...": why may it run again, or why not?'


class NotReviewed(EngineError):
    """The run waits for no such decision."""

    message = "run {id} {reference}: {why}; nothing was changed"


def review_run(
    reviews: ReviewStore,
    run_id: int,
    decision: Decision,
    *,
    actor: str,
    reason: str | None,
    shown: Shown,
) -> RunBrief:
    """Decide about a failed run; the run as it was before.

    Raises ReasonNeeded, and NotReviewed for a run that waits for no decision or has this one.
    """
    if not (reason or "").strip():
        raise ReasonNeeded
    done = reviews.decide(run_id, decision, actor=actor, reason=str(reason).strip())
    if not done.decided:
        run = done.run
        raise NotReviewed(id=run.id, reference=run.reference, why=_why(done, decision, shown))
    return done.run


def _why(done: Reviewed, decision: Decision, shown: Shown) -> str:
    run, move = done.run, done.last_move
    told = f"; {move_text(move, shown)}" if move else ""
    if run.state is not RunState.FAILED:
        return f"it is {run.state}, and only a failed run is reviewed{told}"
    if run.review is None:
        return f"it waits for no review and may be retried: `engine queue retry {run.reference}`"
    return f"it is {decision} already{told}"
