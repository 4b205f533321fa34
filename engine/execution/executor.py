"""The executor: claims a run, has its attempt carried out, and sees that its end is recorded."""

import logging
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import Any, Protocol, TypeVar

from engine.clock import elapsed
from engine.dispatch import Dispatch
from engine.errors import EngineError
from engine.execution import outcome, telling
from engine.execution.claims import HeldClaims, attempt_id
from engine.execution.opening import is_masked
from engine.execution.orders import AttemptEnd, Cause, Line, Order, Progress, StopReason
from engine.execution.recording import Recorder, is_repeated
from engine.execution.telling import Listener, RunEnded, RunStarted
from engine.job import Job
from engine.limits import LimitGroup
from engine.redaction.hiding import hidden
from engine.registry import UnknownJob, find
from engine.states import RunState
from engine.store.database import LedgerUnreachable
from engine.store.logs import LogLine, LogStore
from engine.store.operator_moves import RunMoveStore
from engine.store.run import Claim, Run
from engine.store.runs import RunStore
from engine.store.sealed_params import SealedParamStore

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
    listener: Listener = telling.log
    # For jobs that do not declare how many attempts their runs have, if the worker was told.
    attempts_by_default: Mapping[str, int] = field(default_factory=dict)
    draw: Callable[[], float] = random.random
    closed: threading.Event = field(default_factory=threading.Event)

    def carry_out(self, run_id: int) -> RunEnded | None:
        """Take the run whose turn it is, and see it through; None if there is none.

        That is the run that was rung for, unless another one of its queue comes first.
        """
        asked_at = elapsed()
        taken = self.runs.take(run_id, self.worker, self._group_of)
        if taken is None:
            return None
        claim, run = taken.claim, taken.run
        self.claims.add(claim, asked_at)
        try:
            # Whatever fails from here on, the lease must not be renewed for ever.
            told = self._attempt(claim, run)
        finally:
            self.claims.remove(claim)
        if is_masked(run.params):
            self._patiently(lambda: self._sealed.erase_ended(run.id))
        self.dispatch.ring_next(run, self._group_of(run))
        return told

    def _group_of(self, run: Run) -> LimitGroup | None:
        job = self.jobs.get(run.job)
        return job.group_of(run.params, run.limit_key) if job else None

    def _attempt(self, claim: Claim, run: Run) -> RunEnded:
        self._tell(telling.begun(claim, run))
        try:
            job = find(self.jobs, run.job)
        except UnknownJob as error:
            unknown = outcome.run_error("UnknownJob", str(error))
            kept = self._patiently(lambda: self.runs.fail(claim, unknown))
            end = AttemptEnd(id=attempt_id(claim), cause=Cause.FINISHED)
        else:
            run = self._settled(claim, run)
            if is_repeated(job, claim, run) or self._secured(claim, job):
                end = self._carried_out(claim, run, job)
            else:
                end = AttemptEnd(
                    id=attempt_id(claim), cause=Cause.STOPPED, reason=StopReason.LEASE_LOST
                )
            kept = self._patiently(lambda: self._recorder.record(claim, run, job, end))
        told = telling.ended(
            claim,
            self._ended(run, end, kept),
            kept=kept is not None,
            duration=end.duration,
            peak_memory_bytes=end.peak_memory_bytes,
        )
        self._tell(told)
        return told

    def _secured(self, claim: Claim, job: Job) -> bool:
        """Whether the attempt may begin though it must not be repeated."""
        return self._patiently(lambda: self.runs.secure(claim, unguarded=job.is_unguarded))

    def _ended(self, run: Run, end: AttemptEnd, kept: RunState | None) -> Run:
        """The run, with what became of it; the ledger is asked unless that is clear."""
        if kept is RunState.SUCCEEDED:
            return replace(run, state=RunState.SUCCEEDED, error=None)
        return self._patiently(lambda: self.runs.get(run.id))

    def _settled(self, claim: Claim, run: Run) -> Run:
        """The run, with as many attempts as this worker gives it if its job does not say.

        They are settled by whoever takes it up first, and again after a person's retry.
        """
        given = self.attempts_by_default.get(run.job)
        if given is None or not (claim.attempt == 1 or self._is_retried(claim)):
            return run
        allowed = claim.attempt - 1 + given
        self._patiently(lambda: self.runs.allow(claim, allowed))
        return replace(run, attempts_allowed=allowed)

    def _is_retried(self, claim: Claim) -> bool:
        moves = RunMoveStore(self.runs.database)
        return self._patiently(lambda: moves.is_first_since_retry(claim))

    def _carried_out(self, claim: Claim, run: Run, job: Job) -> AttemptEnd:
        order = Order(
            id=attempt_id(claim),
            run_id=claim.run_id,
            attempt=claim.attempt,
            token=claim.token,
            time_limit=job.time_limit,
            memory_limit=job.memory_limit,
            grace=KILL_GRACE,
            fuse=self.claims.fuse(claim),
            payload=_payload(run, job, self._sealed_of(run)),
        )
        attempts = self.isolated if job.isolated else self.threaded
        try:
            return attempts.run(
                order,
                on_lines=lambda lines: self._keep(claim, lines),
                on_progress=lambda said: self._progress(claim, said),
            )
        except EngineError as error:
            not_started = outcome.not_started(error)
            return AttemptEnd(id=order.id, cause=Cause.FINISHED, outcome=not_started)

    def _sealed_of(self, run: Run) -> Mapping[str, str]:
        if not is_masked(run.params):
            return {}
        return self._patiently(lambda: self._sealed.of_run(run.id))

    @cached_property
    def _sealed(self) -> SealedParamStore:
        return SealedParamStore(self.runs.database)

    @cached_property
    def _recorder(self) -> Recorder:
        return Recorder(runs=self.runs, draw=self.draw)

    def _tell(self, said: RunStarted) -> None:
        try:
            self.listener(said)
        except Exception:
            logger.exception("what a worker told was not heard", extra={"run": said.reference})

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
                text=hidden(line.text),
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


def _payload(run: Run, job: Job, sealed: Mapping[str, str]) -> dict[str, Any]:
    """What the attempt's process needs to know of the run."""
    return {
        "job": run.job,
        "module": job.function.__module__,
        "reference": run.reference,
        "params": dict(run.params),
        "sealed": dict(sealed),
        "schedule": run.schedule,
        "scheduled_for": run.scheduled_for.isoformat() if run.scheduled_for else None,
        "period": [each.isoformat() for each in run.period] if run.period else None,
    }
