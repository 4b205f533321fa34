"""Recording: what becomes of a run after an attempt, as its job's policy has it."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from engine.execution import outcome
from engine.execution.orders import AttemptEnd, Cause, StopReason
from engine.execution.quarantine import quarantine_error
from engine.job import Job
from engine.states import RunState
from engine.store.ledger_clock import LedgerClock
from engine.store.run import Claim, Run, RunError
from engine.store.runs import RunStore

_ERROR_TYPES: Mapping[Cause | StopReason, str] = {
    Cause.CRASHED: "Crashed",
    Cause.TIME_LIMIT: "TimeLimitExceeded",
    Cause.MEMORY_LIMIT: "MemoryLimitExceeded",
    StopReason.HANDED_BACK: "HandedBack",
    StopReason.LEASE_LOST: "LeaseLost",
}


@dataclass(frozen=True, kw_only=True)
class Recorder:
    """Writes ends of attempts down; the store has the last word where an effect is unknown.

    `draw` gives a random number from 0 to 1, for jitter. Every method raises LedgerUnreachable, and
    may be called again then.
    """

    runs: RunStore
    draw: Callable[[], float] = random.random

    def record(self, claim: Claim, run: Run, job: Job, end: AttemptEnd) -> RunState | None:
        """Write an end down; the run's state now, None if it is no longer the claim's."""
        peak = end.peak_memory_bytes
        if end.cause is Cause.FINISHED:
            return self._finished(claim, run, job, end)
        if end.cause in (Cause.TIME_LIMIT, Cause.MEMORY_LIMIT):
            error = _error(end, run)
            if not job.retry.retries_named(error.type):
                return self._fail(claim, job, error, peak)
            return self._fail_or_retry(claim, run, job, error, peak)
        return self._interrupted(claim, run, job, end)

    def _finished(self, claim: Claim, run: Run, job: Job, end: AttemptEnd) -> RunState | None:
        """It came to an outcome of its own."""
        peak = end.peak_memory_bytes
        error = outcome.error_in(end.outcome)
        if error is None:
            # One that is repeated after a crash may be repeated after a power cut as well.
            lasting = not is_repeated(job, claim, run)
            return self.runs.succeed(claim, end.outcome["result"], peak, lasting=lasting)
        later = outcome.put_off_for(end.outcome)
        if later is not None:
            if self._is_too_late(run, later):
                return self._fail(claim, job, _given_up(error, run), peak)
            return self.runs.put_off(claim, error, later, peak)
        if outcome.is_lasting(end.outcome):
            return self._fail(claim, job, error, peak)
        return self._fail_or_retry(claim, run, job, error, peak)

    def _interrupted(self, claim: Claim, run: Run, job: Job, end: AttemptEnd) -> RunState | None:
        """It was cut off wherever it was, by no doing of its job's policy."""
        error, peak = _error(end, run), end.peak_memory_bytes
        if end.reason is StopReason.CANCELLED:
            return self.runs.cancel(claim, peak)
        repeatable = job.on_crash == "retry"
        wait = self._wait(claim, run, job) if repeatable else None
        needs_review = not repeatable or job.financial
        if end.cause is Cause.CRASHED:
            quarantined = quarantine_error(self.runs, run, error)
            # How far it came nobody knows: whoever does not want it repeated must look first.
            return self.runs.crash(
                claim, error, wait, peak, quarantined=quarantined, needs_review=needs_review
            )
        if job.is_unguarded:
            return self._fail(claim, job, error, peak)
        if not repeatable:
            text = f"{error.message}; it is not repeated, for its job has on_crash='fail'"
            unknown = outcome.run_error(error.type, text)
            return self.runs.fail(claim, unknown, peak, needs_review=True)
        if end.reason is StopReason.HANDED_BACK:
            return self.runs.hand_back(claim, error, peak)
        if wait is None:
            return self._fail(claim, job, error, peak)
        # Not its own failure, so nothing is gained by waiting.
        return self.runs.retry_later(claim, error, timedelta(), peak)

    def _fail_or_retry(
        self, claim: Claim, run: Run, job: Job, error: RunError, peak: int | None
    ) -> RunState | None:
        wait = self._wait(claim, run, job)
        if wait is None:
            return self._fail(claim, job, error, peak)
        if self._is_too_late(run, wait):
            return self._fail(claim, job, _given_up(error, run), peak)
        return self.runs.retry_later(claim, error, wait, peak)

    def _fail(self, claim: Claim, job: Job, error: RunError, peak: int | None) -> RunState | None:
        """It is not tried again by itself; where money moves, nor by just anybody."""
        return self.runs.fail(claim, error, peak, needs_review=job.financial)

    def _wait(self, claim: Claim, run: Run, job: Job) -> timedelta | None:
        """How long until the next attempt; None if there is none."""
        if claim.attempt >= run.attempts_allowed:
            return None
        return job.retry.next_wait(
            failures=self._failures(claim, run),
            attempt=claim.attempt,
            attempts_allowed=run.attempts_allowed,
            chance=self.draw(),
        )

    def _failures(self, claim: Claim, run: Run) -> int:
        """How often it has failed since a person last sent it on its way, this time too."""
        if claim.attempt == 1:
            return 1
        since = run.touched_at
        return 1 + sum(
            attempt.failed and (since is None or attempt.started_at >= since)
            for attempt in self.runs.attempts_of(run.id)
            if attempt.number < claim.attempt
        )

    def _is_too_late(self, run: Run, wait: timedelta) -> bool:
        """Whether the next attempt would start after the run's time for attempts."""
        if run.retry_until is None:
            return False
        return LedgerClock(self.runs.database).now() + wait > run.retry_until


def is_repeated(job: Job, claim: Claim, run: Run) -> bool:
    """Whether the run is tried again when this attempt is lost with its worker."""
    return job.on_crash == "retry" and claim.attempt < run.attempts_allowed


def _error(end: AttemptEnd, run: Run) -> RunError:
    """Why an attempt ended that did not finish."""
    type_ = _ERROR_TYPES.get(end.reason or end.cause, "Stopped")
    error = outcome.run_error(type_, end.error or "it ended without a word")
    return outcome.beside_first(error, run.first_error)


def _given_up(error: RunError, run: Run) -> RunError:
    return outcome.beside_first(outcome.too_late(error, run.retry_until), run.first_error)
