"""Reviewing: a person approves of another attempt at a failed run, or rejects it."""

import json
from collections.abc import Collection, Sequence
from typing import Any

from engine.errors import EngineError, Invalid, Refused
from engine.operations.actor import Actor
from engine.operations.run_moves import Shown, move_text
from engine.states import RunState
from engine.store.operator_moves import RunBrief
from engine.store.reviews import Decision, Reviewed, ReviewStore
from engine.store.roles import Role
from engine.store.settling import Settlement
from engine.store.users import UserStore


class ReasonNeeded(Refused):
    """A decision without a reason helps nobody who looks at it later."""

    message = 'a review needs --reason "...": why may it run again, or why not?'


class ApproverUnknown(Refused):
    """With four eyes it takes a user to approve, not just a login."""

    message = (
        "with ENGINE_FOUR_EYES a user approves and another one retries: put your token in "
        "ENGINE_TOKEN; {users}"
    )


class NotAResult(Invalid):
    """What came of an effect is not given as JSON."""

    message = "--happened {text!r}: what follows the = must be JSON, the call's result: {error}"


class SaidTwice(Invalid):
    """An effect happened or it did not."""

    message = "{keys} cannot both have happened and not have happened; say one of the two"


class NotReviewed(EngineError):
    """The run waits for no such decision."""

    message = "run {id} {reference}: {why}; nothing was changed"


class SaidAlready(EngineError):
    """There is nothing new in what was said."""

    message = (
        "run {id} {reference}: that is known already; with ENGINE_FOUR_EYES another user says the "
        "same, or retries it; nothing was changed"
    )


def review_run(
    reviews: ReviewStore,
    run_id: int,
    decision: Decision,
    *,
    actor: Actor,
    reason: str | None,
    shown: Shown,
    settlement: Settlement,
    four_eyes: bool,
    users: UserStore,
) -> RunBrief:
    """Decide about a failed run, and say what is known of its effects; the run as it was before.

    Raises ReasonNeeded, and NotReviewed for a run that waits for no decision or has this one;
    NotOpen and Unsettled where too much or too little is said of its effects; ApproverUnknown.
    """
    why = _given(reason)
    if four_eyes and decision == "approved" and not actor.authenticated:
        names = ", ".join(users.with_role(Role.APPROVER))
        told = f"who can approve: {names}" if names else "there are none yet: `engine users add`"
        raise ApproverUnknown(users=told)
    done = reviews.decide(
        run_id,
        decision,
        actor=str(actor),
        reason=why,
        authenticated=actor.authenticated,
        four_eyes=four_eyes,
        settlement=settlement,
    )
    if not done.decided:
        run = done.run
        raise NotReviewed(id=run.id, reference=run.reference, why=_why(done, decision, shown))
    return done.run


def settle_effects(
    reviews: ReviewStore,
    run_id: int,
    *,
    actor: Actor,
    reason: str | None,
    settlement: Settlement,
    four_eyes: bool,
) -> RunBrief:
    """Say what came of effects of a run, or say it otherwise, and decide nothing; as it was before.

    Raises ReasonNeeded, SaidAlready, and what `settling.settle` does.
    """
    why = _given(reason)
    done = reviews.settle(
        run_id,
        settlement,
        actor=str(actor),
        reason=why,
        authenticated=actor.authenticated,
        four_eyes=four_eyes,
    )
    if not done.settled:
        raise SaidAlready(id=done.run.id, reference=done.run.reference)
    return done.run


def settlement_of(
    happened: Sequence[str], did_not_happen: Sequence[str], known: Collection[str]
) -> Settlement:
    """`KEY` or `KEY=JSON` of those that happened; raises NotAResult and SaidTwice.

    The `known` keys are told apart from what follows them, for a key may have a = of its own.
    """
    results: dict[str, Any] = {}
    for text in happened:
        key = max(
            (each for each in known if f"{text}=".startswith(f"{each}=")), key=len, default=""
        )
        key = key or text.partition("=")[0]
        result = text.removeprefix(key).removeprefix("=")
        try:
            results[key] = json.loads(result) if len(text) > len(key) else None
        except ValueError as error:
            raise NotAResult(text=text, error=error) from None
    if both := sorted(results.keys() & set(did_not_happen)):
        raise SaidTwice(keys=", ".join(map(repr, both)))
    return Settlement(happened=results, did_not_happen=frozenset(did_not_happen))


def _given(reason: str | None) -> str:
    if not (reason or "").strip():
        raise ReasonNeeded
    return str(reason).strip()


def _why(done: Reviewed, decision: Decision, shown: Shown) -> str:
    run, move = done.run, done.last_move
    told = f"; {move_text(move, shown)}" if move else ""
    if run.state is not RunState.FAILED:
        return f"it is {run.state}, and only a failed run is reviewed{told}"
    if run.review is None:
        return f"it waits for no review and may be retried: `engine queue retry {run.reference}`"
    return f"it is {decision} already{told}"
