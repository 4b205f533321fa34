"""The sweep: rescues dead runs and rings for due ones; one process at a time, under a lease."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from engine.dispatch import Dispatch
from engine.execution.outcome import run_error
from engine.execution.quarantine import quarantine_error
from engine.huey_app.doorbell import QueueUnreachable
from engine.job import Job
from engine.store.database import LedgerUnreachable
from engine.store.leases import LeaseStore
from engine.store.run import Run

logger = logging.getLogger("engine.sweep")

_LEASE = timedelta(seconds=4)
_NAME = "sweep"


@dataclass(kw_only=True)
class Sweep:
    """One process's part in the sweep; `holder` is its name."""

    holder: str
    dispatch: Dispatch
    leases: LeaseStore
    jobs: Mapping[str, Job]
    rescue_from: float = field(default=0.0, init=False)

    def once(self) -> bool:
        """Sweep unless another process does; False then, or when the ledger does not answer."""
        try:
            if not self.leases.take(_NAME, self.holder, lasting=_LEASE):
                return False
            # Whoever could not reach the ledger cannot know who else could not: the workers
            # get one lease's time to renew before anybody takes their runs.
            if time.monotonic() >= self.rescue_from:
                self._rescue()
            self.dispatch.ring_due()
        except LedgerUnreachable as error:
            self.rescue_from = time.monotonic() + self.dispatch.runs.lease.total_seconds()
            logger.warning("the sweep was put off", extra={"error": str(error)})
            return False
        except QueueUnreachable:
            # The doorbell has said so; the rescue is done, and the next sweep rings.
            logger.debug("nobody could be rung for")
        return True

    def _rescue(self) -> None:
        for run in self.dispatch.runs.lost():
            job = self.jobs.get(run.job)
            again = (job is None or job.on_crash == "retry") and (
                run.attempt < run.attempts_allowed
            )
            error = run_error("WorkerLost", _text(run))
            quarantined = quarantine_error(self.dispatch.runs, run, error)
            wait = timedelta() if again and quarantined is None else None
            if self.dispatch.runs.rescue(run, error, wait, quarantined=quarantined):
                facts = {
                    "reference": run.reference,
                    "worker": run.worker,
                    "again": wait is not None,
                }
                logger.warning("a run was rescued", extra=facts)
                if wait is None:
                    self.dispatch.ring_next(run)

    def stop(self) -> None:
        """Let another process sweep at once."""
        try:
            self.leases.release(_NAME, self.holder)
        except LedgerUnreachable:
            logger.warning("the sweep's lease was left to run out")


def _text(run: Run) -> str:
    until = run.lease_until.isoformat() if run.lease_until else "an unknown instant"
    return f"worker lost: {run.worker} did not renew its lease, which ended at {until}"
