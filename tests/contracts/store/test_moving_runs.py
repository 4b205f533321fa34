"""A run's moves: each is made by whoever may make it, once, and by nobody else."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from engine.states import RunState
from engine.store.database import Database
from engine.store.run import Claim, Run, RunError
from engine.store.runs import RunStore
from tests.builders.booking import BROKEN, a_claim, a_run, let_leases_run_out, set_the_clock_back

HOUR = timedelta(hours=1)

End = Callable[[RunStore, Claim], RunState | None]
ENDS: dict[str, End] = {
    "succeed": lambda runs, claim: runs.succeed(claim, None),
    "fail": lambda runs, claim: runs.fail(claim, BROKEN),
    "retry_later": lambda runs, claim: runs.retry_later(claim, BROKEN, HOUR),
    "crash": lambda runs, claim: runs.crash(claim, BROKEN, HOUR),
    "hand_back": lambda runs, claim: runs.hand_back(claim, BROKEN),
    "put_off": lambda runs, claim: runs.put_off(claim, BROKEN, HOUR),
}


@pytest.fixture(params=ENDS)
def end(request: pytest.FixtureRequest) -> End:
    """A way for an attempt to end."""
    return ENDS[request.param]


def test_a_claim_begins_an_attempt(runs: RunStore) -> None:
    run = a_run(runs)
    claim = a_claim(runs, run)
    running = runs.get(run.id)
    assert (claim.run_id, claim.attempt, len(claim.token)) == (run.id, 1, 32)
    assert (running.state, running.attempt, running.worker) == (RunState.RUNNING, 1, "worker-1")
    assert running.lease_token == claim.token
    assert running.lease_until is not None
    assert running.started_at is not None
    assert abs(running.lease_until - running.started_at - runs.lease) < timedelta(milliseconds=10)
    assert running.wait is not None
    assert timedelta() <= running.wait < timedelta(seconds=10)
    (attempt,) = runs.attempts_of(run.id)
    assert (attempt.number, attempt.worker, attempt.outcome) == (1, "worker-1", None)


def test_a_run_is_claimed_once(runs: RunStore) -> None:
    run = a_run(runs)
    a_claim(runs, run)
    assert runs.claim(run.id, "worker-2") is None
    assert len(runs.attempts_of(run.id)) == 1


def test_a_run_is_not_claimed_before_it_is_due(runs: RunStore) -> None:
    assert runs.claim(a_run(runs, due_at=datetime.now(UTC) + HOUR).id, "worker-1") is None


def test_nothing_is_claimed_under_an_unknown_id(runs: RunStore) -> None:
    assert runs.claim(1, "worker-1") is None


def test_an_ended_run_is_not_claimed(runs: RunStore) -> None:
    claim = a_claim(runs)
    assert runs.succeed(claim, None)
    assert runs.claim(claim.run_id, "worker-1") is None


def test_success_is_recorded_with_its_result(runs: RunStore) -> None:
    claim = a_claim(runs)
    assert runs.succeed(claim, {"breaks": 3}, peak_memory_bytes=7)
    run = runs.get(claim.run_id)
    assert (run.state, run.result, run.error) == (RunState.SUCCEEDED, {"breaks": 3}, None)
    assert (run.lease_token, run.lease_until, run.peak_memory_bytes) == (None, None, 7)
    assert run.duration is not None
    (attempt,) = runs.attempts_of(run.id)
    assert (attempt.outcome, attempt.peak_memory_bytes) == ("succeeded", 7)
    assert attempt.finished_at is not None


def test_failure_is_recorded_with_its_error(runs: RunStore) -> None:
    claim = a_claim(runs)
    assert runs.fail(claim, BROKEN)
    run = runs.get(claim.run_id)
    assert run.state is RunState.FAILED
    assert run.error is not None
    assert (run.error.type, run.error.message) == ("RuntimeError", "broken")
    assert run.error.fingerprint == BROKEN.fingerprint
    assert run.finished_at is not None
    (attempt,) = runs.attempts_of(run.id)
    assert (attempt.outcome, attempt.error_message) == ("failed", "broken")
    assert attempt.error_trace == "Traceback"


def test_a_run_that_is_tried_again_waits_first(runs: RunStore) -> None:
    claim = a_claim(runs)
    assert runs.retry_later(claim, BROKEN, HOUR)
    run = runs.get(claim.run_id)
    assert (run.state, run.finished_at) == (RunState.RETRYING, None)
    assert run.ready_at - run.created_at >= HOUR
    assert run.due_at == run.created_at
    assert run.wait is not None
    assert run.wait >= timedelta()
    assert runs.claim(run.id, "worker-1") is None


def test_the_first_error_of_a_run_stays_beside_the_last(runs: RunStore) -> None:
    lost = RunError(type="WorkerLost", message="worker lost", fingerprint="eeeeeeeeeeeeeeee")
    claim = a_claim(runs)
    runs.retry_later(claim, BROKEN, timedelta())
    again = runs.claim(claim.run_id, "worker-1")
    assert again is not None
    runs.fail(again, lost)
    run = runs.get(claim.run_id)
    assert run.error is not None
    assert run.first_error is not None
    assert (run.first_error.type, run.error.type) == (BROKEN.type, "WorkerLost")


def test_the_second_attempt_clears_the_first_ones_error_when_it_succeeds(runs: RunStore) -> None:
    claim = a_claim(runs)
    assert runs.progress(claim, 5, 10, "half")
    assert runs.retry_later(claim, BROKEN, timedelta())
    second = runs.claim(claim.run_id, "worker-2")
    assert second is not None
    begun = runs.get(claim.run_id)
    assert (second.attempt, begun.progress_done, begun.progress_note) == (2, None, None)
    assert runs.succeed(second, None)
    assert runs.get(claim.run_id).error is None
    assert [each.outcome for each in runs.attempts_of(claim.run_id)] == ["failed", "succeeded"]


def test_a_run_handed_back_has_its_attempt_still(runs: RunStore) -> None:
    run = a_run(runs, attempts=1)
    assert runs.hand_back(a_claim(runs, run), BROKEN)
    queued = runs.get(run.id)
    assert (queued.state, queued.attempt, queued.attempts_allowed) == (RunState.QUEUED, 1, 2)
    assert runs.claim(run.id, "worker-2") is not None
    assert [each.outcome for each in runs.attempts_of(run.id)] == ["handed_back", None]


def test_a_run_ends_once(runs: RunStore, end: End) -> None:
    claim = a_claim(runs)
    assert end(runs, claim)
    after = runs.get(claim.run_id)
    for other in ENDS.values():
        assert other(runs, claim) is None
    assert runs.progress(claim, 1, None, None) is False
    assert runs.renew([claim]) == []
    assert runs.get(claim.run_id) == after


def test_a_worker_whose_run_was_taken_cannot_say_how_it_ended(
    runs: RunStore, database: Database, end: End
) -> None:
    first = a_claim(runs)
    let_leases_run_out(database)
    (lost,) = runs.lost()
    assert runs.rescue(lost, BROKEN, timedelta())
    second = runs.claim(first.run_id, "worker-2")
    assert second is not None
    assert end(runs, first) is None
    assert runs.progress(first, 1, None, None) is False
    assert runs.get(first.run_id).lease_token == second.token
    assert end(runs, second)


def test_a_worker_that_is_late_may_still_say_how_it_ended(
    runs: RunStore, database: Database, end: End
) -> None:
    claim = a_claim(runs)
    let_leases_run_out(database)
    assert end(runs, claim)


def test_a_claim_with_another_token_is_nobodys(runs: RunStore, end: End) -> None:
    claim = a_claim(runs)
    forged = Claim(run_id=claim.run_id, attempt=claim.attempt, token="0" * 32)
    assert end(runs, forged) is None


def test_progress_is_kept_with_the_run(runs: RunStore) -> None:
    claim = a_claim(runs)
    assert runs.progress(claim, 3, None, "قيود")
    run = runs.get(claim.run_id)
    assert (run.progress_done, run.progress_total, run.progress_note) == (3, None, "قيود")


def test_a_lease_is_renewed_from_now_on(runs: RunStore) -> None:
    claim = a_claim(runs)
    before = runs.get(claim.run_id).lease_until
    assert runs.renew([claim]) == [claim]
    after = runs.get(claim.run_id).lease_until
    assert before is not None
    assert after is not None
    assert before <= after


def test_a_claim_is_secured_by_a_transaction_that_lasts_where_others_may_not(
    runs: RunStore, database: Database
) -> None:
    claim = a_claim(runs)
    until = runs.get(claim.run_id).lease_until
    assert runs.secure(claim)
    assert (runs.get(claim.run_id).lease_until != until) is database.may_forget
    assert runs.succeed(claim, "done", 9, lasting=False)
    assert runs.get(claim.run_id).result == "done"
    assert runs.secure(claim) is not database.may_forget


def test_an_ended_lease_is_not_renewed(runs: RunStore, database: Database) -> None:
    ended, other = a_claim(runs), a_claim(runs)
    let_leases_run_out(database)
    held = a_claim(runs)
    assert runs.renew([ended, held, other]) == [held]


def test_a_live_run_is_not_lost_and_cannot_be_rescued(runs: RunStore) -> None:
    claim = a_claim(runs)
    assert runs.lost() == []
    assert runs.rescue(runs.get(claim.run_id), BROKEN, timedelta()) is None
    assert runs.get(claim.run_id).state is RunState.RUNNING


def test_one_rescuer_wins(runs: RunStore, database: Database) -> None:
    claim = a_claim(runs)
    let_leases_run_out(database)
    (lost,) = runs.lost()
    assert runs.rescue(lost, BROKEN, timedelta())
    assert runs.rescue(lost, BROKEN, timedelta()) is None
    run = runs.get(claim.run_id)
    assert (run.state, run.lease_token, run.lease_until) == (RunState.RETRYING, None, None)
    (attempt,) = runs.attempts_of(run.id)
    assert (attempt.outcome, attempt.error_message) == ("lost", "broken")


def test_a_lease_from_before_the_clock_was_set_back_is_found_and_can_be_taken(
    runs: RunStore, database: Database
) -> None:
    claim = a_claim(runs)
    assert runs.leased_beyond(runs.longest_lease) == []
    set_the_clock_back(database)
    assert runs.lost() == []
    (overlong,) = runs.leased_beyond(runs.longest_lease)
    assert runs.rescue(overlong, BROKEN, timedelta())
    assert runs.get(claim.run_id).state is RunState.RETRYING


def test_a_lease_that_is_renewed_after_the_clock_was_set_back_is_kept(
    runs: RunStore, database: Database
) -> None:
    claim = a_claim(runs)
    set_the_clock_back(database)
    (overlong,) = runs.leased_beyond(runs.longest_lease)
    assert runs.renew([claim]) == [claim]
    assert runs.leased_beyond(runs.longest_lease) == []
    assert runs.rescue(overlong, BROKEN, timedelta()) is None
    # Nor if the clock was set back another time since.
    set_the_clock_back(database)
    assert runs.rescue(overlong, BROKEN, timedelta()) is None


def test_a_rescuer_that_looked_before_the_next_claim_is_too_late(
    runs: RunStore, database: Database
) -> None:
    claim = a_claim(runs)
    let_leases_run_out(database)
    (lost,) = runs.lost()
    assert runs.rescue(lost, BROKEN, timedelta())
    a_claim(runs, lost, "worker-2")
    let_leases_run_out(database)
    assert runs.rescue(lost, BROKEN, timedelta()) is None
    assert runs.get(claim.run_id).worker == "worker-2"


def test_a_lost_run_without_another_attempt_fails(runs: RunStore, database: Database) -> None:
    claim = a_claim(runs)
    let_leases_run_out(database)
    (lost,) = runs.lost()
    assert runs.rescue(lost, BROKEN, None)
    run = runs.get(claim.run_id)
    assert run.state is RunState.FAILED
    assert run.finished_at is not None


def test_attempts_are_numbered_for_the_life_of_a_run(runs: RunStore, database: Database) -> None:
    run = a_run(runs, attempts=9)
    assert runs.retry_later(a_claim(runs, run), BROKEN, timedelta())
    assert runs.hand_back(a_claim(runs, run), BROKEN)
    a_claim(runs, run)
    let_leases_run_out(database)
    assert runs.rescue(runs.get(run.id), BROKEN, timedelta())
    assert runs.succeed(a_claim(runs, run), None)
    outcomes = [(each.number, each.outcome) for each in runs.attempts_of(run.id)]
    assert outcomes == [(1, "failed"), (2, "handed_back"), (3, "lost"), (4, "succeeded")]


def crash_often(runs: RunStore, run: Run, times: int) -> None:
    """Attempts of the run whose process dies."""
    for _ in range(times):
        assert runs.crash(a_claim(runs, run), BROKEN, timedelta())


def test_a_crash_is_followed_by_another_attempt_or_by_none(runs: RunStore) -> None:
    run = a_run(runs)
    assert runs.crash(a_claim(runs, run), BROKEN, timedelta(), 7)
    assert (runs.get(run.id).state, runs.get(run.id).finished_at) == (RunState.RETRYING, None)
    assert runs.crash(a_claim(runs, run), BROKEN, None)
    failed = runs.get(run.id)
    assert (failed.state, failed.review) == (RunState.FAILED, None)
    assert failed.finished_at is not None
    attempts = [(each.outcome, each.crashed) for each in runs.attempts_of(run.id)]
    assert attempts == [("crashed", True)] * 2


@pytest.mark.parametrize("lost", [False, True])
def test_a_quarantined_run_has_failed_and_waits_for_a_person(
    runs: RunStore, database: Database, lost: bool
) -> None:
    claim = a_claim(runs)
    why = RunError(type="Quarantined", message="crashed 3 times", fingerprint="q" * 16)
    if lost:
        let_leases_run_out(database)
        assert runs.rescue(runs.get(claim.run_id), BROKEN, timedelta(), quarantined=why)
    else:
        assert runs.crash(claim, BROKEN, timedelta(), quarantined=why)
    run = runs.get(claim.run_id)
    assert (run.state, run.review, run.error) == (RunState.FAILED, "required", why)
    assert run.finished_at is not None
    assert runs.claim(run.id, "worker-2") is None
    (attempt,) = runs.attempts_of(run.id)
    assert (attempt.error_message, attempt.crashed) == ("broken", True)


def test_a_worker_carries_out_one_run_at_a_time_that_may_be_what_kills_it(runs: RunStore) -> None:
    first, second, other = (a_run(runs) for _ in range(3))
    crash_often(runs, first, 2)
    crash_often(runs, second, 2)
    assert runs.retry_later(a_claim(runs, other), BROKEN, timedelta())
    crash_often(runs, other, 1)
    runs.rung([second.id])
    held = a_claim(runs, first)
    assert runs.claim(second.id, "worker-1") is None
    assert [run.id for run in runs.due(silent_for=HOUR)] == [second.id, other.id]
    assert runs.get(second.id).state is RunState.RETRYING
    assert len(runs.attempts_of(second.id)) == 2
    a_claim(runs, other)
    assert runs.succeed(held, None)
    a_claim(runs, second)


def test_another_worker_may_carry_it_out_meanwhile(runs: RunStore) -> None:
    first, second = a_run(runs), a_run(runs)
    crash_often(runs, first, 2)
    crash_often(runs, second, 2)
    a_claim(runs, first)
    a_claim(runs, second, "worker-2")
