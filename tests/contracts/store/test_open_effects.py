"""Repeatable effects that are open: another attempt does them again; without one, a person looks.

Whichever run or attempt has them is the one that counts them.
"""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from engine.states import RunState
from engine.store.cancelled_runs import CancelStore
from engine.store.database import Database
from engine.store.effects import EffectStore
from engine.store.failed_run_reader import FailedRuns
from engine.store.failed_runs import FailedRunStore
from engine.store.operator_moves import RunMoveStore
from engine.store.reviews import Decision, ReviewStore
from engine.store.run import Claim
from engine.store.runs import RunStore
from engine.store.settling import Settlement
from engine.store.tables import runs as runs_table
from tests.builders.at_once import at_once
from tests.builders.booking import BROKEN, LONG_AGO, a_claim, a_run, let_leases_run_out
from tests.contracts.store.test_effects_in_doubt import ENDS, SOON, WHY
from tests.contracts.store.test_failed_runs import retry

# Another attempt follows, unless somebody wants to end the run.
GOES_ON = {
    "retry later": RunState.RETRYING,
    "put off": RunState.RETRYING,
    "crash": RunState.RETRYING,
    "rescue": RunState.RETRYING,
    "hand back": RunState.QUEUED,
}
FOR_GOOD = [end for end in ENDS if end not in GOES_ON]


@pytest.fixture
def store(database: Database) -> EffectStore:
    """The effects."""
    return EffectStore(database)


@pytest.fixture
def reviews(database: Database) -> ReviewStore:
    """The reviews."""
    return ReviewStore(database)


@pytest.fixture
def failed(database: Database) -> FailedRunStore:
    """The failed runs."""
    return FailedRunStore(database)


def open_of(database: Database, run_id: int) -> tuple[int, int]:
    """How many effects of the run are open, and in doubt, as its row has it."""
    query = select(runs_table.c.effects_open, runs_table.c.effects_in_doubt)
    with database.read() as connection:
        found = connection.execute(query.where(runs_table.c.id == run_id)).one()
    return found[0], found[1]


def start(store: EffectStore, claim: Claim, key: str = "order 1") -> bool:
    """Whether the call is to be made."""
    return store.start(claim, key, "hash", repeatable=True) is None


def an_open_one(runs: RunStore, store: EffectStore) -> Claim:
    """The claim of a run under way that has begun a repeatable effect."""
    claim = a_claim(runs)
    assert start(store, claim)
    return claim


def waits_open(runs: RunStore, store: EffectStore) -> Claim:
    """The claim of such a run that waits for its next attempt."""
    claim = an_open_one(runs, store)
    assert runs.retry_later(claim, BROKEN, SOON) is RunState.RETRYING
    return claim


def require_reviewed(runs: RunStore, run_id: int) -> None:
    """It failed, and says of which effect somebody must say what came of it."""
    run = runs.get(run_id)
    assert (run.state, run.review) == (RunState.FAILED, "required")
    assert run.finished_at is not None
    assert run.error is not None
    assert run.error.type == "EffectUnknown"
    assert run.error.message.startswith("whether 'order 1' happened is unknown; look at the other")


@pytest.mark.parametrize("end", GOES_ON)
def test_another_attempt_does_it_again(
    runs: RunStore, store: EffectStore, database: Database, end: str
) -> None:
    claim = an_open_one(runs, store)
    assert open_of(database, claim.run_id) == (1, 0)
    assert ENDS[end](runs, claim) is GOES_ON[end]
    assert runs.get(claim.run_id).review is None
    again = runs.claim(claim.run_id, "worker-2")
    assert again is not None
    assert start(store, again)
    assert open_of(database, claim.run_id) == (1, 0)
    store.finish(again, "order 1", 7)
    assert open_of(database, claim.run_id) == (0, 0)
    assert runs.succeed(again, None) is RunState.SUCCEEDED


@pytest.mark.parametrize("end", FOR_GOOD)
def test_a_run_that_ends_for_good_waits_for_a_review(
    runs: RunStore, store: EffectStore, end: str
) -> None:
    claim = an_open_one(runs, store)
    assert ENDS[end](runs, claim) is RunState.FAILED
    require_reviewed(runs, claim.run_id)


@pytest.mark.parametrize("end", ENDS)
def test_so_does_one_that_is_to_stop_however_its_attempt_ends(
    runs: RunStore, store: EffectStore, database: Database, end: str
) -> None:
    claim = an_open_one(runs, store)
    CancelStore(database).cancel([claim.run_id], actor="sara", reason="stop")
    assert ENDS[end](runs, claim) is RunState.FAILED
    require_reviewed(runs, claim.run_id)


@pytest.mark.parametrize("cleared", [False, True])
def test_so_does_one_that_waits_when_somebody_cancels_it(
    runs: RunStore, store: EffectStore, database: Database, cleared: bool
) -> None:
    claim, other = waits_open(runs, store), a_run(runs)
    cancelling, ids = CancelStore(database), [claim.run_id, other.id]
    done = (cancelling.cancel_waiting if cleared else cancelling.cancel)(
        ids, actor="sara", reason="wrong month"
    )
    assert [run.id for run in done.cancelled] == [other.id]
    assert [run.id for run in done.kept] == [claim.run_id]
    require_reviewed(runs, claim.run_id)
    run = runs.get(claim.run_id)
    assert run.error is not None
    assert run.error.message.endswith("Cancelled: cancelled by sara: wrong month")
    assert run.first_error is not None
    assert run.first_error.type == "RuntimeError"
    assert run.cancelled_by == "sara"
    moves = [(each.source, each.target) for each in RunMoveStore(database).of_run(run.id)]
    assert moves == [("retrying", "cancel requested")]
    assert runs.claim(run.id, "worker-1") is None


def test_one_that_waited_and_was_cancelled_may_be_retried_once_approved(
    runs: RunStore,
    store: EffectStore,
    reviews: ReviewStore,
    failed: FailedRunStore,
    database: Database,
) -> None:
    claim = waits_open(runs, store)
    CancelStore(database).cancel([claim.run_id], actor="sara", reason=None)
    assert reviews.decide(claim.run_id, "approved", actor="omar", reason="go on").decided
    assert retry(failed, FailedRuns(ids=[claim.run_id])).moved
    again = a_claim(runs, runs.get(claim.run_id))
    assert start(store, again)
    store.finish(again, "order 1", None)
    assert runs.succeed(again, None) is RunState.SUCCEEDED


def test_so_does_one_that_is_given_up(
    runs: RunStore, store: EffectStore, database: Database
) -> None:
    claim, known = waits_open(runs, store), a_claim(runs)
    assert runs.retry_later(known, BROKEN, SOON) is RunState.RETRYING
    with database.begin() as connection:
        connection.execute(update(runs_table).values(retry_until=LONG_AGO))
    for each in (claim, known):
        assert runs.give_up(runs.get(each.run_id), BROKEN)
    require_reviewed(runs, claim.run_id)
    assert runs.get(known.run_id).review is None
    assert runs.get(known.run_id).error == BROKEN.__class__(
        type=BROKEN.type, message=BROKEN.message, fingerprint=BROKEN.fingerprint
    )


def test_an_approval_may_leave_it_open_for_the_next_attempt_does_it_again(
    runs: RunStore, store: EffectStore, reviews: ReviewStore, failed: FailedRunStore
) -> None:
    claim = an_open_one(runs, store)
    runs.fail(claim, BROKEN)
    assert reviews.decide(claim.run_id, "approved", actor="omar", reason="go on").decided
    assert retry(failed, FailedRuns(ids=[claim.run_id])).moved
    assert start(store, a_claim(runs, runs.get(claim.run_id)))


@pytest.mark.parametrize("decision", ["approved", "rejected", None])
def test_a_run_is_not_put_aside_while_it_is_open(
    runs: RunStore,
    store: EffectStore,
    reviews: ReviewStore,
    failed: FailedRunStore,
    database: Database,
    decision: Decision | None,
) -> None:
    claim = an_open_one(runs, store)
    runs.fail(claim, BROKEN)
    which = FailedRuns(ids=[claim.run_id])
    by: dict[str, Any] = {"actor": "omar", "reason": "seen"}
    if decision is not None:
        assert reviews.decide(claim.run_id, decision, **by).decided
    (left,) = failed.discard(which, actor="sara", reason=None).left
    assert left.obstacle == "in_doubt"
    known = Settlement(did_not_happen=["order 1"])
    assert reviews.decide(claim.run_id, "rejected", settlement=known, **by).decided
    assert failed.discard(which, actor="sara", reason=None).left == []
    assert open_of(database, claim.run_id) == (0, 0)


def test_whoever_takes_it_over_counts_it(
    runs: RunStore, store: EffectStore, database: Database
) -> None:
    first, second = waits_open(runs, store), a_claim(runs)
    assert start(store, second)
    assert open_of(database, first.run_id) == (0, 0)
    assert open_of(database, second.run_id) == (1, 0)
    # It is not the first one's any more, and that one has nothing left to be asked about.
    third = a_claim(runs, runs.get(first.run_id))
    assert not start(store, third)
    assert open_of(database, first.run_id) == (0, 0)
    assert runs.succeed(third, None) is RunState.SUCCEEDED
    assert runs.succeed(second, None) is RunState.FAILED


def test_a_key_of_a_call_that_did_nothing_is_counted_where_it_is_made_again(
    runs: RunStore, store: EffectStore, database: Database
) -> None:
    first, second = an_open_one(runs, store), a_claim(runs)
    store.take_back(first, "order 1")
    assert open_of(database, first.run_id) == (0, 0)
    assert start(store, second)
    assert (open_of(database, first.run_id), open_of(database, second.run_id)) == ((0, 0), (1, 0))


def test_another_request_takes_nothing_over(
    runs: RunStore, store: EffectStore, database: Database
) -> None:
    first, second = waits_open(runs, store), a_claim(runs)
    assert store.start(second, "order 1", "another", repeatable=True) is not None
    assert store.start(second, "order 1", "hash", repeatable=False) is not None
    assert (open_of(database, first.run_id), open_of(database, second.run_id)) == ((1, 0), (0, 0))


def test_of_many_who_take_it_over_while_it_is_settled_one_counts_it(
    runs: RunStore, store: EffectStore, reviews: ReviewStore, database: Database
) -> None:
    for turn in range(4):
        key = f"order {turn}"
        others = [a_claim(runs) for _ in range(2)]
        first = a_claim(runs)
        assert start(store, first, key)
        runs.fail(first, BROKEN)
        last = a_claim(runs)

        def settle(run_id: int = first.run_id, key: str = key) -> bool:
            known = Settlement(happened={key: 7})
            try:
                by: dict[str, Any] = {"actor": "omar", "reason": "seen"}
                return reviews.decide(run_id, "rejected", settlement=known, **by).decided
            except Exception:  # noqa: BLE001 - another one has it, or is at it
                return False

        def take(claim: Claim, key: str = key) -> bool:
            return start(store, claim, key)

        def late(claim: Claim = first, key: str = key) -> bool:
            store.take_back(claim, key)
            return False

        takers = [lambda claim=claim: take(claim) for claim in (*others, last)]
        at_once(settle, *takers, late)
        claims = [*others, first, last]
        found = {each.run_id for each in claims if open_of(database, each.run_id) == (1, 0)}
        (effect,) = [each for claim in claims for each in store.of_run(claim.run_id)]
        assert found == ({effect.run_id} if effect.state == "started" else set())
        for claim in claims:
            assert open_of(database, claim.run_id) in ((0, 0), (1, 0))


def test_a_late_word_of_an_earlier_attempt_changes_nothing(
    runs: RunStore, store: EffectStore, database: Database
) -> None:
    first = an_open_one(runs, store)
    let_leases_run_out(database)
    assert runs.rescue(runs.get(first.run_id), BROKEN, timedelta()) is RunState.RETRYING
    again = a_claim(runs, runs.get(first.run_id))
    assert start(store, again)
    store.finish(first, "order 1", "late")
    assert open_of(database, first.run_id) == (1, 0)
    assert runs.crash(again, BROKEN, None, quarantined=WHY) is RunState.FAILED
    require_reviewed(runs, first.run_id)


def test_what_was_written_down_and_not_counted_is_counted(
    runs: RunStore, store: EffectStore, database: Database
) -> None:
    claim = an_open_one(runs, store)
    store.start(claim, "order 2", "hash", repeatable=False)
    with database.begin() as connection:
        connection.execute(update(runs_table).values(effects_open=0, effects_in_doubt=0))
    store.recount(claim.run_id)
    assert open_of(database, claim.run_id) == (2, 1)
