"""Financial jobs: nobody but a person repeats them, unless they say how far they came."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from engine.dispatch import Dispatch
from engine.execution.claims import HeldClaims
from engine.execution.executor import Executor
from engine.execution.orders import Cause, Order, StopReason
from engine.execution.sweep import Sweep
from engine.job import Job, JobDefaults, job
from engine.retry import RetryPolicy
from engine.signature import InvalidJob
from engine.states import RunState
from engine.store.cancelled_runs import CancelStore
from engine.store.effects import EffectStore
from engine.store.leases import LeaseStore
from engine.store.logs import LogStore
from engine.store.run import Claim, Run
from engine.store.runs import RunStore
from engine.store.tables import runs as runs_table
from tests.builders.booking import LONG_AGO, a_claim, a_run, let_leases_run_out
from tests.builders.doorbell import FakeDoorbell
from tests.unit.execution.test_executor import ENDED_BADLY, FakeAttempts, finished


@job(financial=True)
def pay(context: Any) -> None:
    """Move money, nobody knows how."""


@job(financial=True, effects="once", retry=RetryPolicy(attempts=3, waits=(timedelta(),)))
def charge(context: Any) -> None:
    """Move money by context.once."""


JOBS: dict[str, Job] = {each.name: each for each in (pay, charge)}
BADLY: dict[str, dict[str, Any]] = {
    "an error": {"cause": Cause.FINISHED, "outcome": {"error": ENDED_BADLY}},
    "not yet": {"cause": Cause.FINISHED, "outcome": {"error": {**ENDED_BADLY, "later_seconds": 5}}},
    "a time limit": {"cause": Cause.TIME_LIMIT, "error": "too long"},
    "a memory limit": {"cause": Cause.MEMORY_LIMIT, "error": "too large"},
    "a crash": {"cause": Cause.CRASHED, "error": "exit 1"},
    "a shutdown": {"cause": Cause.STOPPED, "reason": StopReason.HANDED_BACK},
    "a lost lease": {"cause": Cause.STOPPED, "reason": StopReason.LEASE_LOST},
    "a cancel": {"cause": Cause.STOPPED, "reason": StopReason.CANCELLED},
}


@pytest.fixture(params=BADLY.values(), ids=list(BADLY))
def badly(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Each end of an attempt but the good one."""
    end: dict[str, Any] = request.param
    return end


@pytest.fixture
def attempts() -> FakeAttempts:
    """Attempts in processes of their own, as it were."""
    return FakeAttempts()


@pytest.fixture
def executor(runs: RunStore, attempts: FakeAttempts) -> Executor:
    """A worker's executor, told to try everything five times."""
    defaults = JobDefaults(attempts=5)
    return Executor(
        worker="worker-1",
        jobs={name: each.with_defaults(defaults) for name, each in JOBS.items()},
        runs=runs,
        logs=LogStore(runs.database),
        dispatch=Dispatch(runs=runs, doorbell=FakeDoorbell()),
        claims=HeldClaims(runs, lambda *_: False, lambda *_: False),
        isolated=attempts,
        threaded=attempts,
    )


def carried_out(executor: Executor, name: str) -> Run:
    """A new run of the job, after one attempt at it."""
    run = a_run(executor.runs, job=name, attempts=JOBS[name].attempts)
    executor.carry_out(run.id)
    return executor.runs.get(run.id)


def test_a_financial_job_has_one_attempt() -> None:
    assert pay.attempts == 1
    assert pay.with_defaults(JobDefaults(attempts=5)).attempts == 1
    assert charge.attempts == 3
    with pytest.raises(InvalidJob, match=r"one attempt, unless .* effects='once'"):
        job(financial=True, retry=RetryPolicy(attempts=2))(pay.function)


def test_effects_are_once_or_nothing_is_said_of_them() -> None:
    with pytest.raises(InvalidJob, match="'twice'"):
        job(effects="twice")(pay.function)  # type: ignore[arg-type] # it is wrong


def test_one_that_succeeds_needs_nobody(executor: Executor) -> None:
    for name in JOBS:
        run = carried_out(executor, name)
        assert (run.state, run.review) == (RunState.SUCCEEDED, None)


def test_without_effects_to_tell_whatever_else_becomes_of_it_is_reviewed(
    executor: Executor, attempts: FakeAttempts, badly: dict[str, Any]
) -> None:
    attempts.end = badly
    run = carried_out(executor, "pay")
    assert (run.state, run.review, run.attempt) == (RunState.FAILED, "required", 1)
    assert run.error is not None
    assert run.error.message.endswith("so a person looks at it first")


def test_even_one_that_somebody_cancels_while_it_runs(
    executor: Executor, attempts: FakeAttempts, badly: dict[str, Any]
) -> None:
    def cancel(order: Order, *_: Any) -> None:
        CancelStore(executor.runs.database).cancel([order.run_id], actor="sara", reason=None)

    attempts.end, attempts.meanwhile = badly, cancel
    run = carried_out(executor, "pay")
    assert (run.state, run.review) == (RunState.FAILED, "required")


def test_with_effects_once_it_is_tried_again_as_any_other(
    executor: Executor, attempts: FakeAttempts, badly: dict[str, Any]
) -> None:
    attempts.end = badly
    run = carried_out(executor, "charge")
    expected = {
        StopReason.HANDED_BACK: RunState.QUEUED,
        StopReason.CANCELLED: RunState.CANCELLED,
    }
    assert run.state is expected.get(badly.get("reason"), RunState.RETRYING)  # type: ignore[arg-type]


def test_with_effects_once_its_last_failure_is_reviewed(
    executor: Executor, attempts: FakeAttempts
) -> None:
    for end in ("an error", "a time limit", "a crash", "a lost lease"):
        attempts.end = BADLY[end]
        run = a_run(executor.runs, job="charge", attempts=1)
        executor.carry_out(run.id)
        run = executor.runs.get(run.id)
        assert (run.state, run.review) == (RunState.FAILED, "required")


def test_with_effects_once_one_in_doubt_is_reviewed_whatever_else_was_to_be(
    executor: Executor, attempts: FakeAttempts, badly: dict[str, Any]
) -> None:
    effects = EffectStore(executor.runs.database)

    def start(order: Order, *_: Any) -> None:
        claim = Claim(run_id=order.run_id, attempt=order.attempt, token=order.token)
        effects.start(claim, f"order {order.run_id}", "hash", repeatable=False)

    attempts.meanwhile = start
    for end in (badly, finished("done")):
        attempts.end = end
        run = carried_out(executor, "charge")
        assert (run.state, run.review) == (RunState.FAILED, "required")
        assert run.error is not None
        assert run.error.type == "EffectUnknown"


@pytest.mark.parametrize(
    ("name", "attempts", "state", "review"),
    [
        ("pay", 1, RunState.FAILED, "required"),
        ("charge", 3, RunState.RETRYING, None),
        ("charge", 1, RunState.FAILED, "required"),
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_the_sweep_rescues_by_the_same_rule(
    runs: RunStore, name: str, attempts: int, state: RunState, review: str | None, known: bool
) -> None:
    claim = a_claim(runs, a_run(runs, job=name, attempts=attempts))
    if JOBS[name].is_unguarded:
        runs.secure(claim, unguarded=True)
    let_leases_run_out(runs.database)
    sweep = Sweep(
        holder="one",
        dispatch=Dispatch(runs=runs, doorbell=FakeDoorbell()),
        leases=LeaseStore(runs.database),
        jobs=JOBS if known or name == "charge" else {},
    )
    sweep.once()
    run = runs.get(claim.run_id)
    assert (run.state, run.review) == (state, review)


def test_one_whose_time_for_attempts_has_passed_is_reviewed(runs: RunStore) -> None:
    run = a_run(runs, job="charge", retry_for=timedelta(hours=1))
    with runs.database.begin() as connection:
        connection.execute(update(runs_table).values(retry_until=LONG_AGO))
    sweep = Sweep(
        holder="one",
        dispatch=Dispatch(runs=runs, doorbell=FakeDoorbell()),
        leases=LeaseStore(runs.database),
        jobs=JOBS,
    )
    sweep.once()
    assert (runs.get(run.id).state, runs.get(run.id).review) == (RunState.FAILED, "required")


def test_without_its_lease_it_does_not_begin(executor: Executor, attempts: FakeAttempts) -> None:
    class SlowRuns(RunStore):
        def secure(self, claim: Claim, *, unguarded: bool = False) -> bool:
            let_leases_run_out(self.database)
            return super().secure(claim, unguarded=unguarded)

    slow = Executor(
        **{
            **{name: getattr(executor, name) for name in ("worker", "jobs", "logs", "dispatch")},
            **{name: getattr(executor, name) for name in ("claims", "isolated", "threaded")},
        },
        runs=SlowRuns(executor.runs.database),
    )
    carried_out(slow, "pay")
    assert attempts.orders == []
