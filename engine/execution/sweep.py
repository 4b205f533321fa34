"""The sweep: rescues dead runs and rings for due ones; one process at a time, under a lease."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from engine.clock import elapsed
from engine.dispatch import Dispatch
from engine.execution.outcome import beside_first, run_error, too_late
from engine.execution.overlong import OverlongLeases
from engine.execution.quarantine import quarantine_error
from engine.execution.watch import Watch
from engine.huey_app.doorbell import QueueUnreachable
from engine.job import Job
from engine.states import RunState
from engine.store.database import LedgerUnreachable
from engine.store.leases import LeaseStore
from engine.store.run import Run
from engine.store.sealed_params import SealedParamStore

logger = logging.getLogger("engine.sweep")

_LEASE = timedelta(seconds=4)
_NAME = "sweep"


@dataclass(kw_only=True)
class Sweep:
    """One process's part in the sweep; `holder` is its name. `watch` looks for events to raise."""

    holder: str
    dispatch: Dispatch
    leases: LeaseStore
    jobs: Mapping[str, Job]
    watch: Watch | None = None
    rescue_from: float = field(default=0.0, init=False)
    _ended_at: float | None = field(default=None, init=False)
    _overlong: OverlongLeases = field(default_factory=OverlongLeases, init=False)

    def once(self) -> bool:
        """Sweep unless another process does; False then, or when the ledger does not answer."""
        if self._ended_at is not None and elapsed() - self._ended_at > self._patience:
            self._put_off("this process was stopped, or its machine slept")
        try:
            return self._sweep()
        except LedgerUnreachable as error:
            self._put_off(str(error))
            return False
        except QueueUnreachable:
            # The doorbell has said so; the rescue is done, and the next sweep rings.
            logger.debug("nobody could be rung for")
            return True
        finally:
            self._ended_at = elapsed()

    def _sweep(self) -> bool:
        runs = self.dispatch.runs
        asked_at = elapsed()
        is_ours = self.leases.take(_NAME, self.holder, lasting=_LEASE)
        lost = runs.lost() if is_ours else []
        overlong = runs.leased_beyond(runs.longest_lease) if is_ours else []
        now = elapsed()
        if now - asked_at > self._patience:
            # As good as an outage. Whoever waited for no answer was stopped on the way.
            self._put_off("the ledger took long to answer")
        if not is_ours:
            return False
        dead = self._overlong.unrenewed(overlong, now, watched_for=runs.lease.total_seconds())
        if now >= self.rescue_from:
            self._rescue(lost, "ended at")
            self._rescue(dead, "by a clock that was set back since ends at")
        self._give_up(runs.overdue())
        SealedParamStore(runs.database).erase_ended()
        if self.watch is not None:
            self.watch.look()
        runs.release_all({name: job.limits for name, job in self.jobs.items()})
        self.dispatch.ring_due()
        return True

    def _put_off(self, why: str) -> None:
        """Whoever could not reach the ledger cannot know who else could not: the workers get one
        lease's time to renew, or to say what became of their attempts, before anybody takes their
        runs.
        """
        now = elapsed()
        if now >= self.rescue_from:
            logger.warning("the rescue of lost runs is put off", extra={"why": why})
        self.rescue_from = now + self.dispatch.runs.lease.total_seconds()
        self._overlong.forget()

    @property
    def _patience(self) -> float:
        """Less than a worker waits until it gives up its attempts."""
        return self.dispatch.runs.lease.total_seconds() / 2

    def _rescue(self, lost: Sequence[Run], lease_ends: str) -> None:
        for run in lost:
            job = self.jobs.get(run.job)
            repeatable = job is None or job.on_crash == "retry"
            again = repeatable and run.attempt < run.attempts_allowed
            why = run_error("WorkerLost", _text(run, lease_ends))
            error = beside_first(why, run.first_error)
            quarantined = quarantine_error(self.dispatch.runs, run, error)
            wait = timedelta() if again and quarantined is None else None
            needs_review = not repeatable or (job is not None and job.financial)
            became = self.dispatch.runs.rescue(
                run, error, wait, quarantined=quarantined, needs_review=needs_review
            )
            if became is not None:
                ends = became is not RunState.RETRYING
                facts = {
                    "reference": run.reference,
                    "worker": run.worker,
                    "again": not ends,
                }
                logger.warning("a run was rescued", extra=facts)
                if ends:
                    self.dispatch.ring_next(run)

    def _give_up(self, overdue: Sequence[Run]) -> None:
        """Runs whose time for attempts has passed fail with what they had."""
        for run in overdue:
            error = run.error or run_error("TooLate", "no attempt was started in time")
            error = beside_first(too_late(error, run.retry_until), run.first_error)
            job = self.jobs.get(run.job)
            needs_review = job is not None and job.financial
            if self.dispatch.runs.give_up(run, error, needs_review=needs_review):
                logger.warning("a run was given up", extra={"reference": run.reference})
                self.dispatch.ring_next(run)

    def stop(self) -> None:
        """Let another process sweep at once."""
        try:
            self.leases.release(_NAME, self.holder)
        except LedgerUnreachable:
            logger.warning("the sweep's lease was left to run out")


def _text(run: Run, lease_ends: str) -> str:
    until = run.lease_until.isoformat() if run.lease_until else "an unknown instant"
    return f"worker lost: {run.worker} did not renew its lease, which {lease_ends} {until}"
