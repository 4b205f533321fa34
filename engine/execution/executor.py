"""The executor: claims a run, has its attempt carried out, and writes down how it ended."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from engine.clock import elapsed
from engine.dispatch import Dispatch
from engine.errors import EngineError
from engine.execution import outcome
from engine.execution.claims import HeldClaims, attempt_id
from engine.execution.orders import AttemptEnd, Cause, Line, Order, Progress, StopReason
from engine.execution.quarantine import quarantine_error
from engine.job import Job
from engine.redaction import without_passwords
from engine.registry import UnknownJob, find
from engine.store.database import LedgerUnreachable
from engine.store.logs import LogLine, LogStore
from engine.store.run import Claim, Run, RunError
from engine.store.runs import RunStore

logger = logging.getLogger("engine.worker")

# Between SIGTERM and SIGKILL; a job that needs longer to tidy up has no claim to it.
KILL_GRACE = timedelta(seconds=1)
# Seconds between two tries to write to a ledger that is away.
_LEDGER_PAUSE = 1.0

T = TypeVar("T")

OnLines = Callable[[Sequence[Line]], None]
OnProgress = Callable[[Progress], None]


class Attempts(Protocol):
    """Carries out attempts somewhere and says how each ended."""

    def run(self, order: Order, *, on_lines: OnLines, on_progress: OnProgress) -> AttemptEnd:
        """Carry out one attempt, and wait for its end; an EngineError if it cannot be started."""


@dataclass(frozen=True, kw_only=True)
class Executor:
    """Carries out runs for one worker; threads share it."""

    worker: str
    jobs: Mapping[str, Job]
    runs: RunStore
    logs: LogStore
    dispatch: Dispatch
    claims: HeldClaims
    isolated: Attempts
    threaded: Attempts
    closed: threading.Event = field(default_factory=threading.Event)

    def carry_out(self, run_id: int) -> None:
        """Take the run and see it through; nothing happens if it is not to be had."""
        asked_at = elapsed()
        claim = self.runs.claim(run_id, self.worker)
        if claim is None:
            return
        self.claims.add(claim, asked_at)
        try:
            # Whatever fails from here on, the lease must not be renewed for ever.
            run = self._patiently(lambda: self.runs.get(run_id))
            self._attempt(claim, run)
        finally:
            self.claims.remove(claim)
        self.dispatch.ring_next(run)

    def _attempt(self, claim: Claim, run: Run) -> None:
        logger.info("run starts", extra=_facts(run, claim))
        try:
            job = find(self.jobs, run.job)
        except UnknownJob as error:
            unknown = outcome.run_error("UnknownJob", str(error))
            self._patiently(lambda: self.runs.fail(claim, unknown))
            return
        order = Order(
            id=attempt_id(claim),
            run_id=claim.run_id,
            attempt=claim.attempt,
            token=claim.token,
            time_limit=job.time_limit,
            memory_limit=job.memory_limit,
            grace=KILL_GRACE,
            fuse=self.claims.fuse(claim),
            payload=_payload(run, job),
        )
        attempts = self.isolated if job.isolated else self.threaded
        try:
            end = attempts.run(
                order,
                on_lines=lambda lines: self._keep(claim, lines),
                on_progress=lambda said: self._progress(claim, said),
            )
        except EngineError as error:
            not_started = outcome.run_error("NotStarted", str(error))
            self._patiently(lambda: self._fail_or_retry(claim, run, job, not_started, None))
            return
        kept = self._patiently(lambda: self._record(claim, run, job, end))
        state = self._patiently(lambda: self.runs.get(run.id)).state if kept else "lost"
        facts = {"state": state, "seconds": round(end.duration.total_seconds(), 3)}
        logger.info("run ends", extra=_facts(run, claim) | facts)

    def _record(self, claim: Claim, run: Run, job: Job, end: AttemptEnd) -> bool:
        """Write the end down; False if the run is no longer ours."""
        peak = end.peak_memory_bytes
        if end.cause is Cause.FINISHED:
            error = outcome.error_in(end.outcome)
            if error is None:
                return self.runs.succeed(claim, end.outcome["result"], peak)
            if outcome.is_lasting(end.outcome):
                return self.runs.fail(claim, error, peak)
            return self._fail_or_retry(claim, run, job, error, peak)
        if end.cause in (Cause.TIME_LIMIT, Cause.MEMORY_LIMIT):
            return self._fail_or_retry(claim, run, job, _error(end), peak)
        return self._interrupted(claim, run, job, end)

    def _interrupted(self, claim: Claim, run: Run, job: Job, end: AttemptEnd) -> bool:
        """It was cut off wherever it was, by no doing of its job's policy."""
        error, peak = _error(end), end.peak_memory_bytes
        if end.reason is StopReason.CANCELLED:
            return self.runs.cancel(claim, peak)
        repeatable = job.on_crash == "retry"
        wait = _wait(claim, run, job) if repeatable else None
        if end.cause is Cause.CRASHED:
            quarantined = quarantine_error(self.runs, run, error)
            # How far it came nobody knows: whoever does not want it repeated must look first.
            return self.runs.crash(
                claim, error, wait, peak, quarantined=quarantined, needs_review=not repeatable
            )
        if not repeatable:
            text = f"{error.message}; it is not repeated, for its job has on_crash='fail'"
            unknown = outcome.run_error(error.type, text)
            return self.runs.fail(claim, unknown, peak, needs_review=True)
        if end.reason is StopReason.HANDED_BACK:
            return self.runs.hand_back(claim, error, peak)
        if wait is None:
            return self.runs.fail(claim, error, peak)
        # Not its own failure, so nothing is gained by waiting.
        return self.runs.retry_later(claim, error, timedelta(), peak)

    def _fail_or_retry(
        self, claim: Claim, run: Run, job: Job, error: RunError, peak: int | None
    ) -> bool:
        wait = _wait(claim, run, job)
        if wait is None:
            return self.runs.fail(claim, error, peak)
        return self.runs.retry_later(claim, error, wait, peak)

    def _patiently(self, act: Callable[[], T]) -> T:
        """`act`, again and again while the ledger is away: what an attempt came to is not lost.

        Until the worker has ended; raises LedgerUnreachable then.
        """
        while True:
            try:
                return act()
            except LedgerUnreachable:
                # The ledger has said so.
                if self.closed.wait(_LEDGER_PAUSE):
                    raise

    def _keep(self, claim: Claim, lines: Sequence[Line]) -> None:
        kept = [
            LogLine(
                attempt=claim.attempt,
                at=line.at,
                stream=line.stream,
                text=without_passwords(line.text),
            )
            for line in lines
        ]
        try:
            # After a server that died within its commit rather twice than not at all.
            self._patiently(lambda: self.logs.append(claim.run_id, kept))
        except LedgerUnreachable:
            facts = {"run": claim.run_id, "lines": len(kept)}
            logger.warning("what an attempt said was lost with the run ledger", extra=facts)

    def _progress(self, claim: Claim, said: Progress) -> None:
        # Not waited for: more of it follows, and the attempt is no worse for it.
        with suppress(LedgerUnreachable):
            self.runs.progress(claim, said.done, said.total, said.note)


_ERROR_TYPES: Mapping[Cause | StopReason, str] = {
    Cause.CRASHED: "Crashed",
    Cause.TIME_LIMIT: "TimeLimitExceeded",
    Cause.MEMORY_LIMIT: "MemoryLimitExceeded",
    StopReason.HANDED_BACK: "HandedBack",
    StopReason.LEASE_LOST: "LeaseLost",
}


def _error(end: AttemptEnd) -> RunError:
    """Why an attempt ended that did not finish."""
    type_ = _ERROR_TYPES.get(end.reason or end.cause, "Stopped")
    return outcome.run_error(type_, end.error or "it ended without a word")


def _wait(claim: Claim, run: Run, job: Job) -> timedelta | None:
    return job.retry.next_wait(
        failures=claim.attempt, attempt=claim.attempt, attempts_allowed=run.attempts_allowed
    )


def _payload(run: Run, job: Job) -> dict[str, Any]:
    """What the attempt's process needs to know of the run."""
    return {
        "job": run.job,
        "module": job.function.__module__,
        "reference": run.reference,
        "params": dict(run.params),
        "schedule": run.schedule,
        "scheduled_for": run.scheduled_for.isoformat() if run.scheduled_for else None,
        "period": [each.isoformat() for each in run.period] if run.period else None,
    }


def _facts(run: Run, claim: Claim) -> dict[str, object]:
    return {
        "reference": run.reference,
        "job": run.job,
        "queue": run.queue,
        "attempt": claim.attempt,
    }
