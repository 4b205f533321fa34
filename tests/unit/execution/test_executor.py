"""The executor: every way an attempt can end is written down as the job's policy wants it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from engine.dispatch import Dispatch
from engine.errors import EngineError
from engine.execution import outcome
from engine.execution.claims import HeldClaims
from engine.execution.executor import Executor, OnLines, OnProgress
from engine.execution.orders import (
    AttemptEnd,
    Cause,
    Line,
    Order,
    Progress,
    StopReason,
    Stream,
)
from engine.execution.telling import RunEnded, RunStarted
from engine.job import Job, job
from engine.registry import UnknownJob
from engine.retry import RetryLater, RetryPolicy
from engine.states import RunState
from engine.store.cancelled_runs import CancelStore
from engine.store.database import LedgerUnreachable
from engine.store.failed_run_reader import FailedRuns
from engine.store.failed_runs import FailedRunStore
from engine.store.logs import LogStore
from engine.store.run import Claim, Run
from engine.store.runs import RunStore
from engine.store.tables import runs as run_table
from tests.builders.booking import (
    BROKEN,
    LONG_AGO,
    MIDNIGHT,
    a_claim,
    a_firing,
    a_run,
    due_now,
    let_leases_run_out,
)
from tests.builders.doorbell import FakeDoorbell

MINUTE = timedelta(minutes=1)
ENDED_BADLY = {"type": "ValueError", "message": "row 7", "trace": "Traceback"}


@job(time_limit=MINUTE, memory_limit=7_000_000, retry=RetryPolicy(waits=(MINUTE,)))
def purge(context: Any) -> None:
    """Try again after a minute."""


@job(on_crash="fail")
def pay(context: Any) -> None:
    """Crash and be looked at."""


@job(isolated=False)
def touch(context: Any) -> None:
    """Run in the worker."""


@job(retry=RetryPolicy(first_wait=MINUTE))
def doubling(context: Any) -> None:
    """Wait longer and longer."""


@job(retry=RetryPolicy(never_retry_on=("TimeLimitExceeded",)))
def impatient(context: Any) -> None:
    """Do not try again what took too long."""


JOBS: dict[str, Job] = {each.name: each for each in (purge, pay, touch, doubling, impatient)}


@dataclass
class FakeAttempts:
    """Ends every attempt as it is told to."""

    end: dict[str, Any] = field(default_factory=lambda: finished("done"))
    orders: list[Order] = field(default_factory=list)
    meanwhile: Callable[[Order, OnLines, OnProgress], object] = lambda *_: None

    def run(self, order: Order, *, on_lines: OnLines, on_progress: OnProgress) -> AttemptEnd:
        """Carry out nothing."""
        self.orders.append(order)
        self.meanwhile(order, on_lines, on_progress)
        return AttemptEnd(id=order.id, **self.end)


def finished(result: Any) -> dict[str, Any]:
    """The end of an attempt that went well."""
    return {"cause": Cause.FINISHED, "outcome": {"result": result}, "peak_memory_bytes": 9}


@pytest.fixture
def attempts() -> FakeAttempts:
    """Attempts in processes of their own, as it were."""
    return FakeAttempts()


@pytest.fixture
def doorbell() -> FakeDoorbell:
    """Queues without messages."""
    return FakeDoorbell()


@pytest.fixture
def executor(runs: RunStore, attempts: FakeAttempts, doorbell: FakeDoorbell) -> Executor:
    """A worker's executor."""
    return Executor(
        worker="worker-1",
        jobs=JOBS,
        runs=runs,
        logs=LogStore(runs.database),
        dispatch=Dispatch(runs=runs, doorbell=doorbell),
        claims=HeldClaims(runs, lambda *_: False, lambda *_: False),
        isolated=attempts,
        threaded=FakeAttempts(finished("in the worker")),
    )


def carried_out(executor: Executor, **changes: Any) -> Run:
    """A new run, after one attempt at it."""
    run = a_run(executor.runs, **changes)
    executor.carry_out(run.id)
    assert executor.claims.all() == []
    return executor.runs.get(run.id)


class WatchedRuns(RunStore):
    """Runs that say what was to survive a power cut."""

    def __init__(self, runs: RunStore) -> None:
        super().__init__(runs.database)
        self.kept: list[str] = []

    def secure(self, claim: Claim, *, unguarded: bool = False) -> bool:
        """The claim."""
        self.kept.append("claim")
        return super().secure(claim, unguarded=unguarded)

    def succeed(self, claim: Claim, *arguments: Any, lasting: bool = True) -> RunState | None:
        """The success."""
        if lasting:
            self.kept.append("success")
        return super().succeed(claim, *arguments, lasting=lasting)


@pytest.mark.parametrize(
    ("job", "allowed", "kept"),
    [("purge", 3, []), ("purge", 1, ["claim", "success"]), ("pay", 3, ["claim", "success"])],
)
def test_only_a_run_that_is_repeated_after_a_crash_may_be_repeated_after_a_power_cut(
    executor: Executor, job: str, allowed: int, kept: list[str]
) -> None:
    runs = WatchedRuns(executor.runs)
    run = carried_out(replace(executor, runs=runs), job=job, attempts=allowed)
    assert (run.state, runs.kept) == (RunState.SUCCEEDED, kept)


def test_an_attempt_is_ordered_with_its_limits_and_what_the_run_is_about(
    executor: Executor, attempts: FakeAttempts
) -> None:
    period = (MIDNIGHT - timedelta(days=1), MIDNIGHT)
    run = carried_out(executor, params={"days": 9}, firing=a_firing(2), period=period)
    (order,) = attempts.orders
    assert (order.id, order.run_id, order.attempt) == (f"{run.id}:1", run.id, 1)
    assert (order.time_limit, order.memory_limit) == (MINUTE, 7_000_000)
    assert order.fuse is not None
    assert timedelta(seconds=5) < order.fuse < executor.runs.lease * 2 / 3
    assert len(order.token) == 32
    assert order.payload == {
        "job": "purge",
        "module": __name__,
        "reference": run.reference,
        "params": {"days": 9},
        "sealed": {},
        "schedule": "hourly",
        "scheduled_for": "2020-11-24T02:00:00+00:00",
        "period": ["2020-11-23T00:00:00+00:00", "2020-11-24T00:00:00+00:00"],
    }


def test_a_result_is_kept(executor: Executor) -> None:
    run = carried_out(executor)
    assert (run.state, run.result, run.peak_memory_bytes) == (RunState.SUCCEEDED, "done", 9)


def test_a_job_that_is_not_isolated_runs_in_the_worker(
    executor: Executor, attempts: FakeAttempts
) -> None:
    assert carried_out(executor, job="touch").result == "in the worker"
    assert attempts.orders == []


def test_what_is_not_to_be_had_is_left_alone(executor: Executor, attempts: FakeAttempts) -> None:
    claim = a_claim(executor.runs)
    executor.carry_out(claim.run_id)
    executor.carry_out(12345)
    assert attempts.orders == []
    assert executor.runs.get(claim.run_id).state is RunState.RUNNING


def test_what_the_engine_calls_invalid_is_not_tried_again(
    executor: Executor, attempts: FakeAttempts
) -> None:
    attempts.end = {
        "cause": Cause.FINISHED,
        "outcome": outcome.failure(UnknownJob(name="purge", hint="")),
    }
    run = carried_out(executor, attempts=3)
    assert (run.state, run.attempt) == (RunState.FAILED, 1)


def test_a_password_in_a_url_is_kept_in_no_error_and_no_line(
    executor: Executor, attempts: FakeAttempts
) -> None:
    text = "cannot reach postgresql://bob:hunter2@db/wallets"
    attempts.end = {"cause": Cause.FINISHED, "outcome": outcome.failure(ValueError(text))}
    attempts.meanwhile = lambda _, on_lines, __: on_lines([Line(MIDNIGHT, Stream.LOG, text)])
    run = carried_out(executor)
    (line,) = executor.logs.of_run(run.id)
    (attempt,) = executor.runs.attempts_of(run.id)
    assert run.error is not None
    for kept in (line.text, run.error.message, attempt.error_trace or ""):
        assert "bob:***@db/wallets" in kept
        assert "hunter2" not in kept


def test_an_error_is_tried_again_until_no_attempt_is_left(
    executor: Executor, attempts: FakeAttempts
) -> None:
    attempts.end = {"cause": Cause.FINISHED, "outcome": {"error": ENDED_BADLY}}
    again = carried_out(executor, attempts=2)
    assert again.state is RunState.RETRYING
    assert again.ready_at - again.created_at >= MINUTE
    failed = carried_out(executor, attempts=1)
    assert failed.state is RunState.FAILED
    assert failed.error is not None
    assert (failed.error.type, failed.error.message) == ("ValueError", "row 7")
    (attempt,) = executor.runs.attempts_of(failed.id)
    assert attempt.error_trace == "Traceback"


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        (Cause.CRASHED, "Crashed"),
        (Cause.TIME_LIMIT, "TimeLimitExceeded"),
        (Cause.MEMORY_LIMIT, "MemoryLimitExceeded"),
    ],
)
@pytest.mark.parametrize(("allowed", "state"), [(1, RunState.FAILED), (2, RunState.RETRYING)])
def test_an_attempt_that_had_to_end_says_why(
    executor: Executor,
    attempts: FakeAttempts,
    cause: Cause,
    kind: str,
    allowed: int,
    state: RunState,
) -> None:
    attempts.end = {"cause": cause, "error": "the reason"}
    run = carried_out(executor, attempts=allowed)
    assert run.state is state
    assert run.error is not None
    assert (run.error.type, run.error.message) == (kind, "the reason")


def test_a_job_may_rather_fail_than_run_twice(executor: Executor, attempts: FakeAttempts) -> None:
    attempts.end = {"cause": Cause.CRASHED, "error": "killed by signal 11"}
    run = carried_out(executor, job="pay")
    # How far it came nobody knows.
    assert (run.state, run.review) == (RunState.FAILED, "required")
    attempts.end = {"cause": Cause.TIME_LIMIT, "error": "the time limit passed"}
    assert carried_out(executor, job="pay").state is RunState.RETRYING


def carried_out_again(executor: Executor, times: int, **changes: Any) -> Run:
    """A new run, after so many attempts at it."""
    run = a_run(executor.runs, **changes)
    for _ in range(times):
        due_now(executor.runs.database)
        executor.carry_out(run.id)
    return executor.runs.get(run.id)


def test_the_third_crash_quarantines_a_run_whatever_is_left(
    executor: Executor, attempts: FakeAttempts
) -> None:
    attempts.end = {"cause": Cause.CRASHED, "error": "killed by signal 11"}
    assert carried_out_again(executor, 2, attempts=50).state is RunState.RETRYING
    run = carried_out_again(executor, 5, attempts=50)
    assert (run.state, run.review, run.attempt) == (RunState.FAILED, "required", 3)
    assert run.error is not None
    assert run.error.type == "Quarantined"
    assert run.error.message == (
        "crashed 3 times; quarantined: look at its attempts and logs "
        f"(engine runs show {run.reference}) before it is retried; "
        "the first crash was Crashed: killed by signal 11"
    )
    kept = [(each.outcome, each.error_type) for each in executor.runs.attempts_of(run.id)]
    assert kept == [("crashed", "Crashed")] * 3


@pytest.mark.parametrize(
    "end",
    [
        {"cause": Cause.TIME_LIMIT, "error": "the time limit passed"},
        {"cause": Cause.MEMORY_LIMIT, "error": "the memory limit was exceeded"},
        {"cause": Cause.FINISHED, "outcome": {"error": ENDED_BADLY}},
        {"cause": Cause.STOPPED, "reason": StopReason.HANDED_BACK, "error": "handed back"},
    ],
)
def test_what_was_ended_has_not_crashed(
    executor: Executor, attempts: FakeAttempts, end: dict[str, Any]
) -> None:
    attempts.end = end
    run = carried_out_again(executor, 5, attempts=50)
    assert (run.attempt, run.review) == (5, None)
    assert run.state in (RunState.RETRYING, RunState.QUEUED)


def test_the_wait_is_a_random_share_and_grows_with_failures_alone(
    executor: Executor, attempts: FakeAttempts
) -> None:
    handed_back = {"cause": Cause.STOPPED, "reason": StopReason.HANDED_BACK, "error": "told to"}
    failed = {"cause": Cause.FINISHED, "outcome": {"error": ENDED_BADLY}}
    half = replace(executor, draw=lambda: 0.5)
    run = a_run(executor.runs, job="doubling", attempts=9)
    for end in (handed_back, failed, handed_back, failed):
        due_now(executor.runs.database)
        attempts.end = end
        half.carry_out(run.id)
    (_, _, _, last) = executor.runs.attempts_of(run.id)
    waited = executor.runs.get(run.id).ready_at - (last.finished_at or LONG_AGO)
    # The second failure: twice the first wait, and half of it.
    assert abs(waited - MINUTE) < timedelta(seconds=5)


def test_failures_before_a_person_sent_it_back_do_not_lengthen_the_wait(
    executor: Executor, attempts: FakeAttempts, runs: RunStore
) -> None:
    attempts.end = {"cause": Cause.FINISHED, "outcome": {"error": ENDED_BADLY}}
    run = a_run(runs, job="doubling", attempts=9)
    executor.carry_out(run.id)
    with runs.database.begin() as connection:
        connection.execute(update(run_table).values(touched_at=datetime.now(UTC)))
    due_now(runs.database)
    replace(executor, draw=lambda: 1.0).carry_out(run.id)
    (_, last) = runs.attempts_of(run.id)
    waited = runs.get(run.id).ready_at - (last.finished_at or LONG_AGO)
    assert abs(waited - MINUTE) < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("error", "state"),
    [(ConnectionError("gone"), RunState.RETRYING), (ValueError("7"), RunState.FAILED)],
)
def test_the_attempts_own_process_decides_which_errors_are_worth_it(
    executor: Executor, attempts: FakeAttempts, error: Exception, state: RunState
) -> None:
    told = outcome.failure(error, RetryPolicy(retry_on=(ConnectionError,)))
    attempts.end = {"cause": Cause.FINISHED, "outcome": told}
    run = carried_out(executor, attempts=3)
    assert (run.state, run.attempt) == (state, 1)


@pytest.mark.parametrize(
    ("cause", "state"),
    [(Cause.TIME_LIMIT, RunState.FAILED), (Cause.MEMORY_LIMIT, RunState.RETRYING)],
)
def test_a_limit_may_be_an_error_that_is_not_worth_it(
    executor: Executor, attempts: FakeAttempts, cause: Cause, state: RunState
) -> None:
    attempts.end = {"cause": cause, "error": "the limit passed"}
    assert carried_out(executor, job="impatient", attempts=3).state is state


def test_a_job_may_come_back_later_without_using_up_an_attempt(
    executor: Executor, attempts: FakeAttempts
) -> None:
    later = RetryLater(after=MINUTE, reason="the bank is closed")
    attempts.end = {"cause": Cause.FINISHED, "outcome": outcome.failure(later)}
    run = a_run(executor.runs, attempts=1)
    for times in (1, 2, 3):
        due_now(executor.runs.database)
        told = executor.carry_out(run.id)
        assert told is not None
        assert not told.failed
        waiting = executor.runs.get(run.id)
        assert (waiting.state, waiting.attempt) == (RunState.RETRYING, times)
        assert waiting.attempts_allowed == times + 1
        assert waiting.ready_at > datetime.now(UTC) + MINUTE / 2
    assert waiting.error is not None
    assert (waiting.error.type, waiting.error.message) == ("RetryLater", "the bank is closed")
    assert waiting.first_error is None


def test_the_next_attempt_is_not_waited_for_if_it_would_be_too_late(
    executor: Executor, attempts: FakeAttempts
) -> None:
    later = outcome.failure(RetryLater(after=timedelta(minutes=5), reason="closed"))
    for told, message in ((later, "closed"), ({"error": ENDED_BADLY}, "row 7")):
        attempts.end = {"cause": Cause.FINISHED, "outcome": told}
        run = carried_out(executor, attempts=3, retry_for=timedelta(seconds=30))
        assert run.state is RunState.FAILED
        assert run.error is not None
        assert run.retry_until is not None
        until = run.retry_until.isoformat(timespec="seconds")
        assert run.error.message == f"{message}; it was to be tried until {until} only"
        assert carried_out(executor, retry_for=timedelta(hours=1)).state is RunState.RETRYING


@pytest.mark.parametrize("cause", [Cause.TIME_LIMIT, Cause.MEMORY_LIMIT, Cause.CRASHED])
def test_the_first_error_stays_in_the_words_of_a_later_end(
    executor: Executor, attempts: FakeAttempts, cause: Cause
) -> None:
    run = a_run(executor.runs, attempts=3)
    attempts.end = {"cause": Cause.FINISHED, "outcome": {"error": ENDED_BADLY}}
    executor.carry_out(run.id)
    attempts.end = {"cause": cause, "error": "it was ended"}
    for _ in range(2):
        due_now(executor.runs.database)
        executor.carry_out(run.id)
    ended = executor.runs.get(run.id)
    assert ended.state is RunState.FAILED
    assert ended.error is not None
    assert ended.error.message == "it was ended; the first error was ValueError: row 7"
    alone = outcome.run_error(ended.error.type, "it was ended")
    assert ended.error.fingerprint == alone.fingerprint


def test_a_quarantined_run_names_its_first_error_too(
    executor: Executor, attempts: FakeAttempts
) -> None:
    attempts.end = {"cause": Cause.FINISHED, "outcome": {"error": ENDED_BADLY}}
    run = a_run(executor.runs, attempts=50)
    executor.carry_out(run.id)
    attempts.end = {"cause": Cause.CRASHED, "error": "killed by signal 11"}
    for _ in range(3):
        due_now(executor.runs.database)
        executor.carry_out(run.id)
    error = executor.runs.get(run.id).error
    assert error is not None
    assert error.type == "Quarantined"
    assert error.message.count("the first error was ValueError: row 7") == 1


def test_a_workers_number_of_attempts_is_settled_at_the_first_claim(
    executor: Executor, attempts: FakeAttempts
) -> None:
    attempts.end = {"cause": Cause.FINISHED, "outcome": {"error": ENDED_BADLY}}
    other = replace(executor, attempts_by_default={"purge": 2})
    run = a_run(executor.runs, attempts=9)
    other.carry_out(run.id)
    assert executor.runs.get(run.id).attempts_allowed == 2
    due_now(executor.runs.database)
    replace(executor, attempts_by_default={"purge": 5}).carry_out(run.id)
    assert executor.runs.get(run.id).state is RunState.FAILED


def test_a_persons_retry_gives_as_many_attempts_again_as_the_worker_does(
    executor: Executor, attempts: FakeAttempts
) -> None:
    attempts.end = {"cause": Cause.FINISHED, "outcome": {"error": ENDED_BADLY}}
    once = replace(executor, attempts_by_default={"purge": 1})
    run = a_run(executor.runs, attempts=3)
    once.carry_out(run.id)
    assert executor.runs.get(run.id).state is RunState.FAILED
    FailedRunStore(executor.runs.database).retry(
        FailedRuns(ids=[run.id]), actor="sara", reason=None, attempts=lambda _: 3
    )
    once.carry_out(run.id)
    again = executor.runs.get(run.id)
    assert (again.state, again.attempt, again.attempts_allowed) == (RunState.FAILED, 2, 2)


def test_what_a_worker_tells_of_a_run(executor: Executor, attempts: FakeAttempts) -> None:
    said: list[RunStarted] = []
    telling = replace(executor, listener=said.append)
    run = a_run(executor.runs)
    assert telling.carry_out(run.id) == said[-1]
    started, ended = said
    assert (started.reference, started.job, started.queue) == (run.reference, "purge", "default")
    assert isinstance(ended, RunEnded)
    assert (ended.state, ended.peak_memory_bytes, ended.error) == (RunState.SUCCEEDED, 9, None)
    assert (ended.attempt, ended.attempts_allowed, ended.failed) == (1, 3, False)
    assert telling.carry_out(run.id) is None
    assert len(said) == 2


def test_a_listener_that_breaks_does_not_disturb_the_run(
    executor: Executor, attempts: FakeAttempts, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(said: object) -> None:
        raise BrokenPipeError

    run = a_run(executor.runs)
    replace(executor, listener=break_down).carry_out(run.id)
    assert executor.runs.get(run.id).state is RunState.SUCCEEDED
    assert caplog.messages == ["what a worker told was not heard"] * 2


def test_a_run_handed_back_keeps_its_attempt(executor: Executor, attempts: FakeAttempts) -> None:
    attempts.end = {
        "cause": Cause.STOPPED,
        "reason": StopReason.HANDED_BACK,
        "error": "handed back; the attempt stopped",
    }
    run = carried_out(executor, attempts=1)
    assert (run.state, run.attempts_allowed) == (RunState.QUEUED, 2)
    assert run.error is not None
    assert run.error.message == "handed back; the attempt stopped"


@pytest.mark.parametrize(("allowed", "state"), [(1, RunState.FAILED), (2, RunState.RETRYING)])
def test_an_attempt_killed_in_time_because_the_ledger_was_away_is_tried_again_at_once(
    executor: Executor, attempts: FakeAttempts, allowed: int, state: RunState
) -> None:
    attempts.end = {"cause": Cause.STOPPED, "reason": StopReason.LEASE_LOST, "error": "killed"}
    run = carried_out(executor, attempts=allowed)
    assert run.state is state
    assert run.error is not None
    assert (run.error.type, run.error.message) == ("LeaseLost", "killed")
    assert run.ready_at - run.created_at < MINUTE
    (attempt,) = executor.runs.attempts_of(run.id)
    assert (attempt.outcome, attempt.crashed) == ("failed", False)


@pytest.mark.parametrize("job", ["purge", "pay"])
def test_a_run_that_is_cancelled_while_it_runs_ends_so(
    executor: Executor, attempts: FakeAttempts, job: str
) -> None:
    def cancel(order: Order, *_: object) -> None:
        cancelling = CancelStore(executor.runs.database)
        cancelling.cancel([order.run_id], actor="sara", reason="wrong month")

    attempts.meanwhile = cancel
    attempts.end = {"cause": Cause.STOPPED, "reason": StopReason.CANCELLED, "error": "cancelled"}
    run = carried_out(executor, job=job)
    assert (run.state, run.review, run.error) == (RunState.CANCELLED, None, None)
    assert run.reason == "cancelled by sara: wrong month"
    (attempt,) = executor.runs.attempts_of(run.id)
    assert (attempt.outcome, attempt.crashed) == ("cancelled", False)


@pytest.mark.parametrize("reason", [StopReason.HANDED_BACK, StopReason.LEASE_LOST])
def test_what_was_cut_off_is_not_repeated_if_its_job_would_rather_fail(
    executor: Executor, attempts: FakeAttempts, reason: StopReason
) -> None:
    attempts.end = {"cause": Cause.STOPPED, "reason": reason, "error": "cut off"}
    run = carried_out(executor, job="pay")
    assert (run.state, run.review) == (RunState.FAILED, "required")
    assert run.error is not None
    assert run.error.message == ("cut off; it is not repeated, for its job has on_crash='fail'")


def test_what_an_attempt_says_and_came_to_waits_for_a_ledger_that_is_away(
    executor: Executor, runs: RunStore, attempts: FakeAttempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.execution.executor._LEDGER_PAUSE", 0.01)
    logs = executor.logs
    away = {"secure": (runs, 2), "succeed": (runs, 3), "append": (logs, 2), "progress": (runs, 1)}
    left = {name: times for name, (_, times) in away.items()}

    def unless_away(name: str) -> Callable[..., Any]:
        method = getattr(away[name][0], name)

        def call(*arguments: Any, **options: Any) -> Any:
            left[name] -= 1
            if left[name] >= 0:
                raise LedgerUnreachable(url="postgresql://", error="it is restarted")
            return method(*arguments, **options)

        return call

    def speak(order: Order, on_lines: OnLines, on_progress: OnProgress) -> None:
        on_progress(Progress(id=order.id, done=3, total=4, note="rows"))
        on_lines([Line(MIDNIGHT, Stream.STDOUT, "hello")])

    attempts.meanwhile = speak
    run = a_run(runs)
    with monkeypatch.context() as outage:
        for name, (store, _) in away.items():
            outage.setattr(store, name, unless_away(name))
        executor.carry_out(run.id)
    assert (runs.get(run.id).state, runs.get(run.id).attempt) == (RunState.SUCCEEDED, 1)
    assert [line.text for line in logs.of_run(run.id)] == ["hello"]


def test_nobody_waits_for_the_ledger_once_the_worker_has_ended(
    executor: Executor, runs: RunStore, attempts: FakeAttempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object, **__: object) -> bool:
        raise LedgerUnreachable(url="postgresql://", error="gone")

    executor.closed.set()
    attempts.meanwhile = lambda _, on_lines, __: on_lines([Line(MIDNIGHT, Stream.LOG, "lost")])
    monkeypatch.setattr(executor.logs, "append", unreachable)
    monkeypatch.setattr(runs, "succeed", unreachable)
    with pytest.raises(LedgerUnreachable):
        executor.carry_out(a_run(runs).id)
    assert executor.claims.all() == []


def test_an_attempt_that_cannot_be_started_is_a_failed_one(
    executor: Executor, attempts: FakeAttempts
) -> None:
    def refuse(*_: object) -> None:
        raise EngineError

    attempts.meanwhile = refuse
    run = carried_out(executor, attempts=1)
    assert run.state is RunState.FAILED
    assert run.error is not None
    assert run.error.type == "NotStarted"


def test_a_bug_of_ours_does_not_keep_the_lease_alive(
    executor: Executor, attempts: FakeAttempts
) -> None:
    def break_down(*_: object) -> None:
        raise ZeroDivisionError

    attempts.meanwhile = break_down
    run = a_run(executor.runs)
    with pytest.raises(ZeroDivisionError):
        executor.carry_out(run.id)
    assert executor.claims.all() == []


def test_a_run_of_a_job_that_is_gone_fails_and_says_so(executor: Executor) -> None:
    run = carried_out(executor, job="pruge")
    assert run.state is RunState.FAILED
    assert run.error is not None
    assert "no job is named 'pruge'; closest known name: 'purge'" in run.error.message


def test_what_an_attempt_says_is_kept(executor: Executor, attempts: FakeAttempts) -> None:
    seen: list[int | None] = []

    def speak(order: Order, on_lines: OnLines, on_progress: OnProgress) -> None:
        on_lines([Line(MIDNIGHT, Stream.STDOUT, "hello"), Line(MIDNIGHT, Stream.LOG, "قيد")])
        on_progress(Progress(id=order.id, done=3, total=4, note="rows"))
        seen.append(executor.runs.get(order.run_id).progress_done)

    attempts.meanwhile = speak
    run = carried_out(executor)
    lines = executor.logs.of_run(run.id)
    assert [(line.attempt, line.stream, line.text) for line in lines] == [
        (1, "stdout", "hello"),
        (1, "log", "قيد"),
    ]
    assert seen == [3]


def test_the_lease_is_held_while_the_attempt_goes_on(
    executor: Executor, attempts: FakeAttempts
) -> None:
    held: list[int] = []
    attempts.meanwhile = lambda *_: held.append(len(executor.claims.all()))
    carried_out(executor)
    assert held == [1]


def test_an_attempt_that_lost_its_run_changes_nothing(
    executor: Executor, attempts: FakeAttempts, runs: RunStore
) -> None:
    def be_rescued(*_: object) -> None:
        let_leases_run_out(runs.database)
        (lost,) = runs.lost()
        runs.rescue(lost, BROKEN, timedelta())
        a_claim(runs, lost, "worker-2")

    attempts.meanwhile = be_rescued
    run = carried_out(executor)
    assert (run.state, run.worker, run.result) == (RunState.RUNNING, "worker-2", None)


def test_the_next_run_of_the_schedule_is_rung_for(
    executor: Executor, runs: RunStore, doorbell: FakeDoorbell
) -> None:
    first = a_run(runs, firing=a_firing(1, overlap="queue"))
    second = a_run(runs, firing=a_firing(2, overlap="queue"))
    executor.carry_out(first.id)
    assert doorbell.messages == [("default", second.id)]
