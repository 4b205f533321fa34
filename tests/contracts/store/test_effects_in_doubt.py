"""However an attempt ends: a run with an effect in doubt goes to review, and nowhere else."""

from collections.abc import Callable
from datetime import timedelta
from threading import Thread

import pytest

from engine.states import RunState
from engine.store.cancelled_runs import CancelStore
from engine.store.database import Database
from engine.store.effects import EffectStore, start_effect
from engine.store.run import Claim, RunError
from engine.store.runs import RunStore
from tests.builders.booking import BROKEN, a_claim, let_leases_run_out
from tests.contracts.store.test_outside_effects import in_doubt
from tests.processes.waiting import until

WHY = RunError(type="Quarantined", message="crashed 3 times", fingerprint="q" * 16)
SOON = timedelta()
End = Callable[[RunStore, Claim], RunState | None]


def rescue(runs: RunStore, claim: Claim) -> RunState | None:
    """Its worker died."""
    let_leases_run_out(runs.database)
    return runs.rescue(runs.get(claim.run_id), BROKEN, SOON)


ENDS: dict[str, End] = {
    "succeed": lambda runs, claim: runs.succeed(claim, {"paid": 7}),
    "succeed briefly": lambda runs, claim: runs.succeed(claim, None, lasting=False),
    "fail": lambda runs, claim: runs.fail(claim, BROKEN),
    "retry later": lambda runs, claim: runs.retry_later(claim, BROKEN, SOON),
    "put off": lambda runs, claim: runs.put_off(claim, BROKEN, SOON),
    "crash": lambda runs, claim: runs.crash(claim, BROKEN, SOON),
    "quarantine": lambda runs, claim: runs.crash(claim, BROKEN, None, quarantined=WHY),
    "cancel": lambda runs, claim: runs.cancel(claim),
    "hand back": lambda runs, claim: runs.hand_back(claim, BROKEN),
    "rescue": rescue,
}


@pytest.fixture(params=ENDS.values(), ids=list(ENDS))
def end(request: pytest.FixtureRequest) -> End:
    """Each way for an attempt to end."""
    made: End = request.param
    return made


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_run_with_an_unknown_effect_waits_for_a_review(
    runs: RunStore, database: Database, end: End, cancelled: bool
) -> None:
    claim = a_claim(runs)
    effects = EffectStore(database)
    effects.start(claim, "order 1", "hash", repeatable=False)
    effects.start(claim, "order 2", "hash", repeatable=False)
    effects.finish(claim, "order 2", None)
    if cancelled:
        CancelStore(database).cancel([claim.run_id], actor="sara", reason="stop")
    assert end(runs, claim) is RunState.FAILED
    run = runs.get(claim.run_id)
    assert (run.state, run.review) == (RunState.FAILED, "required")
    assert run.finished_at is not None
    assert run.lease_token is None
    assert run.error is not None
    assert run.error.type == "EffectUnknown"
    assert run.error.message.startswith("whether 'order 1' happened is unknown; look at the other")
    assert f"`engine runs review {run.reference}`" in run.error.message
    assert end(runs, claim) is None
    (attempt,) = runs.attempts_of(run.id)
    assert attempt.outcome not in (None, "succeeded")
    assert attempt.error_type is not None


def test_the_first_error_stays_beside_it(runs: RunStore, database: Database) -> None:
    claim = a_claim(runs)
    EffectStore(database).start(claim, "order 1", "hash", repeatable=False)
    runs.retry_later(claim, BROKEN, SOON)
    run = runs.get(claim.run_id)
    assert run.error is not None
    assert run.error.message.endswith("; it ended with RuntimeError: broken")
    assert run.first_error is not None
    assert run.first_error.type == "RuntimeError"
    (attempt,) = runs.attempts_of(run.id)
    assert (attempt.outcome, attempt.error_type) == ("failed", "RuntimeError")


def test_a_success_that_was_none_says_so(runs: RunStore, database: Database) -> None:
    claim = a_claim(runs)
    EffectStore(database).start(claim, "order 1", "hash", repeatable=False)
    runs.succeed(claim, {"paid": 7}, 7_000_000)
    run = runs.get(claim.run_id)
    assert (run.result, run.peak_memory_bytes) == ({"paid": 7}, 7_000_000)
    assert run.error is not None
    assert run.error.message.endswith("; the job returned")
    (attempt,) = runs.attempts_of(run.id)
    assert (attempt.outcome, attempt.error_type) == ("failed", "EffectUnknown")


def test_effects_that_are_done_or_taken_back_change_nothing(
    runs: RunStore, database: Database
) -> None:
    effects = EffectStore(database)
    for number, (end, state) in enumerate(
        [
            ("succeed", RunState.SUCCEEDED),
            ("fail", RunState.FAILED),
            ("retry later", RunState.RETRYING),
            ("put off", RunState.RETRYING),
            ("crash", RunState.RETRYING),
            ("cancel", RunState.CANCELLED),
            ("hand back", RunState.QUEUED),
            ("rescue", RunState.RETRYING),
        ]
    ):
        claim = a_claim(runs)
        for key in ("done", "not"):
            effects.start(claim, f"{key} {number}", "hash", repeatable=number % 2 == 0)
        effects.finish(claim, f"done {number}", None)
        effects.take_back(claim, f"not {number}")
        assert in_doubt(database, claim.run_id) == 0
        assert ENDS[end](runs, claim) is state
        assert runs.get(claim.run_id).review is None


def test_an_unguarded_run_that_does_not_succeed_waits_for_a_review(
    runs: RunStore, end: End
) -> None:
    claim = a_claim(runs)
    assert runs.secure(claim, unguarded=True)
    became = end(runs, claim)
    run = runs.get(claim.run_id)
    if became is RunState.SUCCEEDED:
        assert run.review is None
        return
    assert (run.state, run.review) == (RunState.FAILED, "required")
    assert run.error is not None
    assert "nothing says how far this financial run came" in run.error.message


def test_an_unguarded_run_that_somebody_cancels_while_it_runs_is_reviewed(
    runs: RunStore, database: Database
) -> None:
    claim = a_claim(runs)
    runs.secure(claim, unguarded=True)
    CancelStore(database).cancel([claim.run_id], actor="sara", reason="stop")
    assert runs.cancel(claim) is RunState.FAILED
    run = runs.get(claim.run_id)
    assert run.review == "required"
    assert run.error is not None
    assert run.error.message.startswith("it was stopped; nothing says how far")


def test_who_lost_the_lease_secures_nothing(runs: RunStore, database: Database) -> None:
    claim = a_claim(runs)
    let_leases_run_out(database)
    assert not runs.secure(claim, unguarded=True)


def test_whoever_rescues_a_run_while_an_effect_starts_finds_it_in_doubt(
    database: Database,
) -> None:
    runs = RunStore(database, lease=timedelta(milliseconds=500))
    claim = a_claim(runs)
    ends: list[RunState | None] = []
    with database.begin() as connection:
        start_effect(connection, claim, "order 1", "hash", repeatable=False)
        # It has begun in time, and is committed when its lease is over.
        (lost,) = until(runs.lost)
        rescuer = Thread(target=lambda: ends.append(runs.rescue(lost, BROKEN, SOON)))
        rescuer.start()
        rescuer.join(timeout=0.3)
        assert ends == []
    rescuer.join(timeout=30)
    assert ends == [RunState.FAILED]
    assert runs.get(claim.run_id).review == "required"
