"""Failed runs: they are found and counted, sent back by one person, and put aside for good."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import update

from engine.states import RunState
from engine.store.database import Database
from engine.store.failed_run_reader import FailedRuns
from engine.store.failed_runs import FailedRunStore, Moved
from engine.store.moved_at_once import TooManyAtOnce
from engine.store.operator_moves import RunMoveStore, UnknownRuns
from engine.store.reviews import ReviewStore
from engine.store.run import Run, RunError
from engine.store.runs import RunStore
from engine.store.tables import runs as runs_table
from tests.builders.at_once import at_once
from tests.builders.booking import BROKEN, LONG_AGO, a_claim, a_run

HOUR = timedelta(hours=1)
AWAY = RunError(type="ConnectionError", message="Bank 7 is 100% away", fingerprint="a" * 16)
EVERY = FailedRuns()


@pytest.fixture
def failed(database: Database) -> FailedRunStore:
    """The failed ones."""
    return FailedRunStore(database)


@pytest.fixture
def moves(database: Database) -> RunMoveStore:
    """What was done with them."""
    return RunMoveStore(database)


def a_failed_run(runs: RunStore, error: RunError = BROKEN, **changes: Any) -> Run:
    """A run whose only attempt has failed."""
    run = a_run(runs, attempts=1, **changes)
    assert runs.fail(a_claim(runs, run), error)
    return run


def a_quarantined_run(runs: RunStore) -> Run:
    """A failed run that waits for a review."""
    run = a_run(runs)
    assert runs.crash(a_claim(runs, run), BROKEN, None, needs_review=True)
    return run


def three(job: str) -> int:
    """As many attempts as a job has."""
    return 3


def retry(failed: FailedRunStore, which: FailedRuns = EVERY, **changes: Any) -> Moved:
    """Sara retries them."""
    said: dict[str, Any] = {"actor": "sara", "reason": "the bank is back", "attempts": three}
    return failed.retry(which, **{**said, **changes})


def ids(found: Sequence[Any]) -> list[int]:
    """Of runs."""
    return [run.id for run in found]


def test_failed_runs_are_listed_the_last_one_first(runs: RunStore, failed: FailedRunStore) -> None:
    first, second = a_failed_run(runs), a_failed_run(runs)
    a_run(runs)
    assert runs.succeed(a_claim(runs), None)
    assert ids(failed.list(EVERY)) == [second.id, first.id]
    assert ids(failed.list(EVERY, limit=1)) == [second.id]
    assert failed.count(EVERY) == 2
    assert failed.ids(EVERY) == [first.id, second.id]


@pytest.mark.parametrize(
    "which",
    [
        FailedRuns(queue="payouts"),
        FailedRuns(job="pay"),
        FailedRuns(error="ConnectionError"),
        FailedRuns(error="bank 7 is 100%"),
        FailedRuns(fingerprint="a" * 16),
        FailedRuns(until=datetime(2010, 1, 1, tzinfo=UTC)),
        FailedRuns(queue="payouts", job="pay", error="away"),
    ],
)
def test_a_filter_finds_the_runs_of_which_all_of_it_is_true(
    runs: RunStore, failed: FailedRunStore, which: FailedRuns
) -> None:
    wanted = a_failed_run(runs, AWAY, queue="payouts", job="pay")
    with runs.database.begin() as connection:
        connection.execute(update(runs_table).values(finished_at=LONG_AGO))
    other = a_failed_run(runs)
    assert ids(failed.list(which)) == [wanted.id]
    assert failed.count(which) == 1
    assert ids(failed.list(FailedRuns(since=datetime(2010, 1, 1, tzinfo=UTC)))) == [other.id]


def test_a_run_is_found_by_its_reference_in_any_case(
    runs: RunStore, failed: FailedRunStore
) -> None:
    run = a_failed_run(runs)
    a_failed_run(runs)
    which = FailedRuns(reference=run.reference.lower())
    assert ids(failed.list(which)) == [run.id]


@pytest.mark.parametrize("text", ["100% w", "b_nk", "%", "'"])
def test_a_part_of_a_message_is_meant_as_it_is_written(
    runs: RunStore, failed: FailedRunStore, text: str
) -> None:
    a_failed_run(runs, AWAY)
    assert failed.count(FailedRuns(error=text)) == (1 if text == "%" else 0)


@pytest.mark.parametrize("message", ["\u00c9chec du paiement", "\u0416\u0434\u0443", "\u0130ptal"])
@pytest.mark.parametrize("spelt", [str, str.upper, str.lower])
def test_a_message_is_found_by_its_own_text_in_any_language(
    runs: RunStore, failed: FailedRunStore, message: str, spelt: Callable[[str], str]
) -> None:
    a_failed_run(runs, replace(AWAY, message=message))
    a_failed_run(runs)
    assert failed.count(FailedRuns(error=message)) == 1
    assert failed.count(FailedRuns(error=spelt(message[1:]))) == 1


def test_errors_that_are_alike_are_counted(runs: RunStore, failed: FailedRunStore) -> None:
    first = a_failed_run(runs, AWAY)
    a_failed_run(runs)
    last = a_failed_run(runs, AWAY)
    groups = failed.by_error(EVERY)
    assert [(group.fingerprint, group.count) for group in groups] == [
        (AWAY.fingerprint, 2),
        (BROKEN.fingerprint, 1),
    ]
    assert groups[0].example.id == last.id
    ended = [runs.get(each.id).finished_at for each in (first, last)]
    assert [groups[0].first_seen_at, groups[0].last_seen_at] == ended
    assert len(failed.by_error(EVERY, limit=1)) == 1
    assert failed.by_error(FailedRuns(job="absent")) == []


def test_a_retried_run_is_the_same_run_with_attempts_again(
    runs: RunStore, failed: FailedRunStore, moves: RunMoveStore
) -> None:
    run = a_failed_run(runs)
    done = retry(failed)
    assert (ids(done.moved), done.left) == ([run.id], [])
    queued = runs.get(run.id)
    assert (queued.state, queued.attempt, queued.attempts_allowed) == (RunState.QUEUED, 1, 4)
    assert queued.finished_at is None
    assert queued.touched_at is not None
    assert queued.error is not None
    (moved,) = moves.of_run(run.id)
    assert (moved.actor, moved.source, moved.target) == ("sara", "failed", "queued")
    assert moved.reason == "the bank is back"
    claim = a_claim(runs, run)
    assert claim.attempt == 2
    assert runs.succeed(claim, None)
    outcomes = [each.outcome for each in runs.attempts_of(run.id)]
    assert outcomes == ["failed", "succeeded"]


def test_the_first_attempt_since_a_retry_is_known(
    runs: RunStore, failed: FailedRunStore, moves: RunMoveStore, database: Database
) -> None:
    run = a_run(runs, attempts=1)
    first = a_claim(runs, run)
    assert not moves.is_first_since_retry(first)
    assert runs.fail(first, BROKEN)
    for _ in range(2):
        retry(failed)
        again = a_claim(runs, run)
        assert moves.is_first_since_retry(again)
        assert runs.hand_back(again, BROKEN)
        later = a_claim(runs, run)
        assert not moves.is_first_since_retry(later)
        assert runs.fail(later, BROKEN)


def test_a_retried_run_is_due_to_be_rung_for(runs: RunStore, failed: FailedRunStore) -> None:
    run = a_failed_run(runs)
    runs.rung([run.id])
    assert runs.due(silent_for=HOUR) == []
    retry(failed)
    assert ids(runs.due(silent_for=HOUR)) == [run.id]


def test_retried_runs_start_as_far_apart_as_is_wanted_the_oldest_first(
    runs: RunStore, failed: FailedRunStore
) -> None:
    each = [a_failed_run(runs) for _ in range(3)]
    retry(failed, spacing=HOUR)
    ready = [runs.get(run.id).ready_at for run in each]
    assert [later - ready[0] for later in ready] == [timedelta(), HOUR, 2 * HOUR]
    assert ids(runs.due(silent_for=HOUR)) == [each[0].id]


def test_a_limit_takes_the_oldest(runs: RunStore, failed: FailedRunStore) -> None:
    each = [a_failed_run(runs) for _ in range(3)]
    assert ids(retry(failed, limit=2).moved) == ids(each[:2])
    assert failed.count(EVERY) == 1


def test_more_than_may_hold_up_the_workers_is_refused_where_one_writes_at_a_time(
    runs: RunStore,
    failed: FailedRunStore,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("engine.store.moved_at_once.MOST_AT_ONCE", 2)
    every = [a_failed_run(runs).id for _ in range(3)]
    if database.longest_given is None:
        assert ids(retry(failed).moved) == every
        return
    for which in (EVERY, FailedRuns(ids=every)):
        with pytest.raises(TooManyAtOnce, match=r"3 runs .*`--limit 2`"):
            retry(failed, which)
    assert failed.count(EVERY) == 3
    assert ids(retry(failed, limit=2).moved) == every[:2]
    assert ids(retry(failed).moved) == every[2:]


def test_a_rehearsal_says_the_same_and_changes_nothing(
    runs: RunStore, failed: FailedRunStore, moves: RunMoveStore
) -> None:
    free, kept = a_failed_run(runs), a_quarantined_run(runs)
    before = [runs.get(run.id) for run in (free, kept)]
    rehearsed = retry(failed, rehearse=True)
    assert [runs.get(run.id) for run in (free, kept)] == before
    assert moves.of_run(free.id) == []
    assert retry(failed) == rehearsed
    a_failed_run(runs)
    assert failed.discard(EVERY, actor="sara", reason=None, rehearse=True).moved
    assert failed.count(EVERY) == 2


def test_a_run_that_is_named_and_not_failed_is_left_and_who_moved_it_is_known(
    runs: RunStore, failed: FailedRunStore
) -> None:
    retried, queued = a_failed_run(runs), a_run(runs)
    retry(failed, actor="omar")
    done = retry(failed, FailedRuns(ids=[retried.id, queued.id]))
    assert done.moved == []
    assert [(left.run.id, left.obstacle) for left in done.left] == [
        (retried.id, "not_failed"),
        (queued.id, "not_failed"),
    ]
    assert done.left[0].last_move is not None
    assert done.left[0].last_move.actor == "omar"
    assert done.left[1].last_move is None


def test_a_run_that_needs_a_review_is_left_and_takes_no_place(
    runs: RunStore, failed: FailedRunStore
) -> None:
    kept, free = a_quarantined_run(runs), a_failed_run(runs)
    done = retry(failed, limit=1)
    assert ids(done.moved) == [free.id]
    assert [(left.run.id, left.obstacle) for left in done.left] == [(kept.id, "needs_review")]
    assert runs.get(kept.id).state is RunState.FAILED


def test_a_run_whose_unique_key_another_has_is_left(runs: RunStore, failed: FailedRunStore) -> None:
    first = a_failed_run(runs, unique_key="wallet 7")
    second = a_failed_run(runs, unique_key="wallet 7")
    free = a_failed_run(runs, unique_key="wallet 8")
    done = retry(failed)
    assert ids(done.moved) == [first.id, free.id]
    (left,) = done.left
    assert (left.run.id, left.obstacle, left.other) == (second.id, "key_taken", first.reference)
    assert runs.get(second.id).state is RunState.FAILED


def test_a_run_past_its_time_for_retries_may_be_retried_by_a_person(
    runs: RunStore, failed: FailedRunStore
) -> None:
    late, later = a_failed_run(runs), a_failed_run(runs)
    with runs.database.begin() as connection:
        for run, until in ((late, LONG_AGO), (later, datetime.now(UTC) + HOUR)):
            here = update(runs_table).where(runs_table.c.id == run.id)
            connection.execute(here.values(retry_until=until))
    retry(failed)
    assert runs.get(late.id).retry_until is None
    assert runs.get(later.id).retry_until is not None
    a_claim(runs, late)


def test_of_two_people_who_retry_the_same_runs_one_does_each(
    runs: RunStore, failed: FailedRunStore, moves: RunMoveStore
) -> None:
    for _ in range(5):
        named = [a_failed_run(runs).id for _ in range(20)]
        people = [
            partial(retry, failed, FailedRuns(ids=order), actor=f"person {number}")
            for number, order in enumerate([named, named[::-1]] * 3)
        ]
        done = at_once(*people)
        assert sorted(id_ for each in done for id_ in ids(each.moved)) == named
        for each in done:
            assert len(each.moved) + len(each.left) == 20
            for left in each.left:
                assert left.obstacle == "not_failed"
                assert left.last_move is not None
                assert left.last_move.actor.startswith("person ")
        assert all(len(moves.of_run(run_id)) == 1 for run_id in named)


def test_retrying_and_booking_under_one_unique_key_never_both_win(
    runs: RunStore, failed: FailedRunStore
) -> None:
    for number in range(10):
        key = f"wallet {number}"
        each = [a_failed_run(runs, unique_key=key) for _ in range(3)]
        done = at_once(*[partial(retry, failed, FailedRuns(ids=[run.id])) for run in each])
        assert sorted(len(one.moved) for one in done) == [0, 0, 1]
        assert [left.obstacle for one in done for left in one.left] == ["key_taken"] * 2


def test_discarded_runs_are_gone_for_good_and_stay_in_the_ledger(
    runs: RunStore, failed: FailedRunStore, moves: RunMoveStore
) -> None:
    run, kept = a_failed_run(runs), a_run(runs)
    done = failed.discard(FailedRuns(ids=[run.id, kept.id]), actor="sara", reason="paid by hand")
    assert ids(done.moved) == [run.id]
    assert [left.run.id for left in done.left] == [kept.id]
    discarded = runs.get(run.id)
    assert (discarded.state, discarded.error) == (RunState.DISCARDED, runs.get(run.id).error)
    assert discarded.finished_at is not None
    assert len(runs.attempts_of(run.id)) == 1
    (moved,) = moves.of_run(run.id)
    assert (moved.target, moved.reason) == ("discarded", "paid by hand")
    (left,) = retry(failed, FailedRuns(ids=[run.id])).left
    assert left.run.state is RunState.DISCARDED


def test_a_run_that_waits_for_a_review_is_not_discarded_before_somebody_has_decided(
    runs: RunStore, failed: FailedRunStore, database: Database
) -> None:
    kept = a_quarantined_run(runs)
    done = failed.discard(FailedRuns(ids=[kept.id]), actor="sara", reason="no need")
    assert [(left.run.id, left.obstacle) for left in done.left] == [(kept.id, "needs_review")]
    assert ReviewStore(database).decide(kept.id, "rejected", actor="omar", reason="paid").decided
    assert ids(failed.discard(FailedRuns(ids=[kept.id]), actor="sara", reason=None).moved) == [
        kept.id
    ]


def test_runs_are_named_by_ids_and_references_as_people_type_them(
    runs: RunStore, moves: RunMoveStore
) -> None:
    run, other = a_run(runs), a_run(runs)
    names = [f" {run.reference.lower()}", str(run.id), f"00{other.id}"]
    assert moves.ids_of(names) == [run.id, other.id]
    assert moves.ids_of([]) == []


@pytest.mark.parametrize("name", ["999", "ZZZZ-ZZZZ", "9" * 40, "", "٣", "-1", "1.0", "'; --"])
def test_every_name_that_is_no_runs_is_told(runs: RunStore, moves: RunMoveStore, name: str) -> None:
    run = a_run(runs)
    with pytest.raises(UnknownRuns, match="nothing was done"):
        moves.ids_of([str(run.id), name])


def test_a_job_is_known_by_the_runs_that_it_had(runs: RunStore, failed: FailedRunStore) -> None:
    a_run(runs, job="gone")
    assert failed.knows_job("gone")
    assert not failed.knows_job("never_there")
