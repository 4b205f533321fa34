"""What a person said of an effect: said otherwise later, and with four eyes by two people."""

from typing import Any

import pytest

from engine.effects.effects import Effects
from engine.effects.faults import EffectUnconfirmed
from engine.states import RunState
from engine.store.audit_entries import AuditStore
from engine.store.cancelled_runs import CancelStore
from engine.store.database import Database
from engine.store.effects import EffectStore
from engine.store.failed_run_reader import FailedRuns
from engine.store.failed_runs import FailedRunStore
from engine.store.operator_moves import RunMoveStore
from engine.store.reviews import Reviewed, ReviewStore
from engine.store.run import Claim
from engine.store.runs import RunStore
from engine.store.settling import BeingDone, NotOpen, Settlement, SettlerUnknown, Unsettled
from engine.store.tables import effects as effects_table
from tests.builders.audit import a_journal
from tests.builders.booking import BROKEN, a_claim
from tests.contracts.store.test_approvals import approve, in_doubt_of_two, left_of
from tests.contracts.store.test_failed_runs import retry
from tests.contracts.store.test_open_effects import open_of

NOT_DONE = Settlement(did_not_happen=["a"])
DONE = Settlement(happened={"a": {"charge": 7}})
BOTH = Settlement(did_not_happen=["a", "b"])
OMAR: dict[str, Any] = {"actor": "omar", "authenticated": True, "four_eyes": True}
SARA: dict[str, Any] = {"actor": "sara", "authenticated": True, "four_eyes": True}


@pytest.fixture
def reviews(database: Database) -> ReviewStore:
    """The reviews."""
    return ReviewStore(database)


@pytest.fixture
def failed(database: Database) -> FailedRunStore:
    """The failed runs."""
    return FailedRunStore(database)


@pytest.fixture
def claim(runs: RunStore, database: Database) -> Claim:
    """Of a run that failed with the effects a and b open; c is done."""
    return in_doubt_of_two(runs, database)


def say(reviews: ReviewStore, claim: Claim, known: Settlement, **by: Any) -> Reviewed:
    """Omar says what is known, and decides nothing."""
    said: dict[str, Any] = {"actor": "omar", "reason": "seen", **by}
    return reviews.settle(claim.run_id, known, **said)


def states(database: Database, claim: Claim) -> dict[str, str]:
    """What is known of each effect."""
    return {each.key: each.state for each in EffectStore(database).of_run(claim.run_id)}


def asks(database: Database, runs: RunStore, key: str = "a") -> str:
    """What comes of it when another run asks for the same."""
    other = a_claim(runs)
    found = EffectStore(database).start(other, key, "hash", repeatable=False)
    return "called" if found is None else found.state


def test_what_is_known_may_be_said_without_a_decision(
    runs: RunStore, reviews: ReviewStore, database: Database, claim: Claim
) -> None:
    done = say(reviews, claim, DONE)
    assert (done.settled, done.decided) == (True, False)
    assert states(database, claim) == {"a": "done", "b": "started", "c": "done"}
    run = runs.get(claim.run_id)
    assert (run.state, run.review) == (RunState.FAILED, "required")
    (move,) = RunMoveStore(database).of_run(run.id)
    assert (move.source, move.target, move.actor) == ("required", "settled", "omar")
    (effect,) = [each for each in EffectStore(database).of_run(run.id) if each.key == "a"]
    assert (effect.result, effect.settled_by) == ({"charge": 7}, "omar")
    assert say(reviews, claim, DONE).settled is False
    with pytest.raises(Unsettled, match="whether 'b' happened"):
        approve(reviews, claim)
    assert approve(reviews, claim, settlement=Settlement(happened={"b": None}))


def test_what_was_said_wrongly_is_said_again_and_an_approval_is_void_then(
    runs: RunStore, reviews: ReviewStore, failed: FailedRunStore, database: Database, claim: Claim
) -> None:
    assert approve(reviews, claim, settlement=BOTH)
    assert say(reviews, claim, DONE).settled
    assert states(database, claim) == {"a": "done", "b": "not_done", "c": "done"}
    assert runs.get(claim.run_id).review == "required"
    left = left_of(failed, claim)
    assert left is not None
    assert left.obstacle == "needs_review"
    assert approve(reviews, claim)
    assert left_of(failed, claim) is None
    assert asks(database, runs) == "done"


def test_who_approves_again_may_say_it_otherwise(
    runs: RunStore, reviews: ReviewStore, database: Database, claim: Claim
) -> None:
    assert approve(reviews, claim, settlement=BOTH)
    assert not approve(reviews, claim, settlement=NOT_DONE, actor="sara")
    assert approve(reviews, claim, settlement=DONE, actor="sara")
    run = runs.get(claim.run_id)
    assert run.review == "approved"
    assert states(database, claim)["a"] == "done"


def test_who_rejected_may_say_it_otherwise(
    runs: RunStore, reviews: ReviewStore, database: Database, claim: Claim
) -> None:
    by: dict[str, Any] = {"actor": "omar", "reason": "seen"}
    assert reviews.decide(claim.run_id, "rejected", settlement=BOTH, **by).decided
    assert not reviews.decide(claim.run_id, "rejected", **by).decided
    assert reviews.decide(claim.run_id, "rejected", settlement=DONE, **by).decided
    assert say(reviews, claim, NOT_DONE).settled
    assert runs.get(claim.run_id).review == "rejected"
    assert states(database, claim)["a"] == "not_done"


def test_a_correction_is_audited_as_one(
    reviews: ReviewStore, database: Database, claim: Claim
) -> None:
    a_journal(database)
    say(reviews, claim, NOT_DONE)
    say(reviews, claim, DONE, actor="sara")
    first, second = AuditStore(database).in_order()
    assert (first.act, first.actor, first.subject) == (
        "settle effects",
        "omar",
        f"run {claim.run_id}",
    )
    assert (second.act, second.actor, second.reason) == ("correct effects", "sara", "seen")
    assert (second.facts["before"], second.facts["after"]) == ({"a": "not_done"}, {"a": "done"})
    database.journal = None


def test_it_is_corrected_whatever_became_of_the_run_until_an_attempt_has_come_to_it(
    runs: RunStore, reviews: ReviewStore, failed: FailedRunStore, database: Database, claim: Claim
) -> None:
    assert approve(reviews, claim, settlement=BOTH)
    assert left_of(failed, claim) is None
    assert say(reviews, claim, DONE).settled
    assert runs.get(claim.run_id).state is RunState.QUEUED
    again = a_claim(runs, runs.get(claim.run_id))
    assert say(reviews, claim, NOT_DONE).settled
    store = EffectStore(database)
    assert store.start(again, "a", "hash", repeatable=False) is None
    with pytest.raises(BeingDone, match="an attempt is at 'a'"):
        say(reviews, claim, DONE)
    store.finish(again, "a", None)
    with pytest.raises(NotOpen, match="it has none that are open"):
        say(reviews, claim, DONE)
    assert open_of(database, claim.run_id) == (0, 0)
    assert runs.succeed(again, None) is RunState.SUCCEEDED
    assert say(reviews, claim, Settlement(happened={"b": 1})).settled


def test_another_run_that_has_taken_the_key_is_the_one_that_knows(
    runs: RunStore, reviews: ReviewStore, database: Database, claim: Claim
) -> None:
    say(reviews, claim, NOT_DONE)
    assert asks(database, runs) == "called"
    with pytest.raises(NotOpen):
        say(reviews, claim, DONE)


def test_what_an_attempt_is_just_taking_is_not_waited_for(
    runs: RunStore, reviews: ReviewStore, database: Database, claim: Claim
) -> None:
    if database.upgrades_itself:
        return  # there is one writer, so there is no such moment
    say(reviews, claim, NOT_DONE)
    with database.begin() as connection:
        here = effects_table.c.key == "a"
        connection.execute(effects_table.update().where(here).values(attempt=2))
        with pytest.raises(BeingDone):
            say(reviews, claim, DONE)


def test_with_four_eyes_one_word_frees_no_key(
    runs: RunStore, reviews: ReviewStore, database: Database, claim: Claim
) -> None:
    assert say(reviews, claim, NOT_DONE, **OMAR).settled
    assert say(reviews, claim, NOT_DONE, **OMAR).settled is False
    assert states(database, claim)["a"] == "unconfirmed"
    assert open_of(database, claim.run_id) == (2, 2)
    assert asks(database, runs) == "unconfirmed"


def test_a_job_that_asks_for_it_is_told_whose_word_is_missing(
    runs: RunStore, reviews: ReviewStore, database: Database
) -> None:
    first, effects = a_claim(runs), Effects(database)

    def charge() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        effects.once(first, "a", None, charge)
    runs.fail(first, BROKEN)
    say(reviews, first, NOT_DONE, **OMAR)
    with pytest.raises(EffectUnconfirmed, match="omar said that it did not, and with ENGINE_FOUR"):
        effects.once(a_claim(runs), "a", None, charge)


def test_the_second_word_may_be_the_retry_of_what_the_first_one_approved(
    runs: RunStore, reviews: ReviewStore, failed: FailedRunStore, database: Database, claim: Claim
) -> None:
    assert approve(reviews, claim, settlement=BOTH, **OMAR)
    assert asks(database, runs) == "unconfirmed"
    alone = left_of(failed, claim, **OMAR)
    assert alone is not None
    assert alone.obstacle == "same_person"
    assert asks(database, runs) == "unconfirmed"
    assert left_of(failed, claim, **SARA) is None
    assert states(database, claim)["a"] == "not_done"
    assert open_of(database, claim.run_id) == (0, 0)


def test_the_second_word_may_be_the_same_of_another_user(
    runs: RunStore, reviews: ReviewStore, database: Database, claim: Claim
) -> None:
    say(reviews, claim, NOT_DONE, **OMAR)
    with pytest.raises(SettlerUnknown):
        say(reviews, claim, NOT_DONE, actor="sara")
    # Also by one whose process does not ask for four eyes.
    assert say(reviews, claim, NOT_DONE, actor="sara", authenticated=True).settled
    assert asks(database, runs) == "called"


def test_what_was_once_asked_of_two_is_asked_of_two_by_every_process(
    reviews: ReviewStore, failed: FailedRunStore, database: Database, claim: Claim
) -> None:
    omar: dict[str, Any] = {"actor": "omar", "authenticated": True}
    say(reviews, claim, BOTH, **OMAR)
    for known in (DONE, NOT_DONE, Settlement(happened={"b": 1}), BOTH):
        say(reviews, claim, known, **omar)
        assert "not_done" not in states(database, claim).values()
    # Nor does an approval forget it that is taken back and given again.
    assert approve(reviews, claim, **omar)
    assert reviews.decide(claim.run_id, "rejected", reason="no", **omar).decided
    assert approve(reviews, claim, **omar)
    alone = left_of(failed, claim, **omar)
    assert alone is not None
    assert alone.obstacle == "same_person"
    # Nor a retry, by whomever.
    assert left_of(failed, claim, actor="sara", authenticated=True) is None
    say(reviews, claim, DONE, **omar)
    say(reviews, claim, NOT_DONE, **omar)
    assert states(database, claim)["a"] == "unconfirmed"


def test_an_approval_that_was_given_with_four_eyes_is_of_two_when_it_is_given_again(
    reviews: ReviewStore, failed: FailedRunStore, claim: Claim
) -> None:
    omar: dict[str, Any] = {"actor": "omar", "authenticated": True}
    assert approve(reviews, claim, settlement=Settlement(happened={"a": 1, "b": 1}), **OMAR)
    assert reviews.decide(claim.run_id, "rejected", reason="no", **omar).decided
    assert approve(reviews, claim, **omar)
    alone = left_of(failed, claim, **omar)
    assert alone is not None
    assert alone.obstacle == "same_person"


def test_what_happened_needs_one_word_and_the_contrary_two(
    runs: RunStore, reviews: ReviewStore, database: Database, claim: Claim
) -> None:
    say(reviews, claim, DONE, **OMAR)
    assert asks(database, runs) == "done"
    say(reviews, claim, NOT_DONE, **SARA)
    assert states(database, claim)["a"] == "unconfirmed"
    say(reviews, claim, DONE, **SARA)
    assert asks(database, runs) == "done"


def test_a_login_cannot_say_that_it_did_not_happen(
    runs: RunStore, reviews: ReviewStore, database: Database, claim: Claim
) -> None:
    for decide in (
        lambda: say(reviews, claim, NOT_DONE, four_eyes=True),
        lambda: approve(reviews, claim, settlement=BOTH, four_eyes=True),
    ):
        with pytest.raises(SettlerUnknown, match="nothing was changed"):
            decide()
    assert states(database, claim)["a"] == "started"
    assert say(reviews, claim, DONE, four_eyes=True).settled


def test_who_approves_what_another_one_said_may_not_retry_it_and_neither_alone(
    runs: RunStore, reviews: ReviewStore, failed: FailedRunStore, database: Database, claim: Claim
) -> None:
    say(reviews, claim, BOTH, **OMAR)
    # Neither asks for four eyes now, but what was said did.
    assert approve(reviews, claim, actor="sara", authenticated=True)
    alone = left_of(failed, claim, actor="sara", authenticated=True)
    assert alone is not None
    assert alone.obstacle == "same_person"
    assert left_of(failed, claim, actor="omar", authenticated=True) is None
    assert set(states(database, claim).values()) == {"not_done", "done"}


def test_a_run_is_not_put_aside_nor_over_while_one_word_is_missing(
    runs: RunStore, reviews: ReviewStore, failed: FailedRunStore, database: Database, claim: Claim
) -> None:
    say(reviews, claim, BOTH, **OMAR)
    by: dict[str, Any] = {"actor": "omar", "reason": "seen"}
    reviews.decide(claim.run_id, "rejected", **by)
    which = FailedRuns(ids=[claim.run_id])
    (left,) = failed.discard(which, actor="noor", reason=None).left
    assert left.obstacle == "in_doubt"
    say(reviews, claim, BOTH, **SARA)
    assert failed.discard(which, actor="noor", reason=None).moved


def test_a_run_that_goes_on_while_one_word_is_missing_is_reviewed_at_its_end(
    runs: RunStore, reviews: ReviewStore, failed: FailedRunStore, database: Database, claim: Claim
) -> None:
    assert approve(reviews, claim, settlement=Settlement(happened={"a": 1, "b": 1}))
    assert retry(failed, FailedRuns(ids=[claim.run_id])).moved
    say(reviews, claim, NOT_DONE, **OMAR)
    CancelStore(database).cancel([claim.run_id], actor="noor", reason=None)
    run = runs.get(claim.run_id)
    assert (run.state, run.review) == (RunState.FAILED, "required")
    assert run.error is not None
    assert "whether 'a' happened is unknown" in run.error.message
    assert BROKEN.type != run.error.type
