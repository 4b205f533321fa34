"""The reconciliation service: reconcile, record the breaks, publish the report, for one attempt.

What was recorded and written, but could not be stored, is kept in the spool: the run's next
attempt on this machine only stores it.
"""

import logging
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from engine.artifact_files.spool import AttemptSpool, Sealed
from engine.clock import Clock, rfc3339
from engine.effects.lease import require_held
from engine.reconciliation.narration import first_findings, say_end, say_found
from engine.reconciliation.reconcile import Reconciler
from engine.reconciliation.recording import as_reconciled
from engine.reconciliation.report import write_report
from engine.reconciliation.result import Result
from engine.reconciliation.standing import Standing
from engine.reporting.attempt import Attempt
from engine.reporting.publish import Publisher
from engine.store.breaks import Difference
from engine.store.reconciled import Recorded
from engine.store.reconciliations import ReconciliationStore
from engine.store.run import Claim

logger = logging.getLogger("engine.reconciliation")

_STEPS = 7  # those of reconciling, then recording and publishing


@dataclass(frozen=True, kw_only=True)
class Reconciliations:
    """Reconciles by definition, and leaves breaks and files behind."""

    reconciler: Reconciler
    store: ReconciliationStore
    publisher: Publisher
    clock: Clock

    def run(
        self, attempt: Attempt, name: str, *, as_of: datetime | date | None = None
    ) -> dict[str, Any]:
        """Reconcile `name` up to `as_of`, record its breaks and publish its report.

        A date stands for its whole day in the definition's zone. Raises LeaseLost, with nothing
        recorded, when the run is no longer this attempt's.
        """
        spool = self.publisher.spool.of(attempt.reference, attempt.claim.attempt)
        ready = self._earlier(attempt.claim, spool)
        if ready is None:
            spool.clear()
            ready = self._reconcile(attempt, spool, name, as_of)
        attempt.progress(_STEPS - 1, _STEPS, "publishing the report")
        self.publisher.store(
            attempt.claim.run_id,
            ready.files,
            claim=attempt.claim,
            tell=lambda note: attempt.progress(_STEPS - 1, _STEPS, note),
        )
        # The spool is left to the worker, which empties it once the run has ended: an attempt that
        # is lost from here on has nothing to do again.
        attempt.progress(_STEPS, _STEPS, "done")
        return dict(ready.facts["result"])

    def _earlier(self, claim: Claim, spool: AttemptSpool) -> Sealed | None:
        """What an earlier attempt left to store, if it is what the ledger has of the run.

        Another machine's attempt may have reconciled and recorded anew since.
        """
        sealed = spool.earlier()
        recorded = self.store.of_run(claim.run_id) if sealed else None
        if sealed is None or recorded is None:
            return None
        if sealed.facts.get("read_at") != recorded["read_at"].isoformat():
            return None
        logger.info("an earlier attempt left only its files to store")
        return sealed

    def _reconcile(
        self, attempt: Attempt, spool: AttemptSpool, name: str, as_of: datetime | date | None
    ) -> Sealed:
        """Read, compare, record, and write the report into the spool."""
        result = self.reconciler.find(
            name,
            cut_off=self._cut_off(name, as_of),
            period=attempt.period,
            progress=lambda done, _, note: attempt.progress(done, _STEPS, note),
        )
        say_found(result)
        attempt.progress(_STEPS - 2, _STEPS, "recording breaks")
        recorded = self._record(attempt.claim, result)
        say_end(result, recorded)
        attempt.progress(_STEPS - 1, _STEPS, "writing the report")
        files = write_report(
            self.publisher,
            spool,
            result,
            made_at=self.clock.now(),
            run=attempt.reference,
            standing_of=lambda difference: _standing(result, recorded, difference),
        )
        told = {
            "reconciliation": name,
            "cut_off": rfc3339(result.cut_off),
            "breaks": recorded.seen,
            "opened": recorded.opened,
            "reopened": recorded.reopened,
            "closed": recorded.closed,
            "counts": dict(result.counts),
            "findings": len(result.findings),
            "first_findings": first_findings(result),
        }
        return spool.seal(files, {"read_at": result.read_at.isoformat(), "result": told})

    def _cut_off(self, name: str, as_of: datetime | date | None) -> datetime | None:
        if as_of is None or isinstance(as_of, datetime):
            return as_of
        zone = ZoneInfo(self.reconciler.definitions.load(name).timezone)
        return datetime.combine(as_of + timedelta(days=1), time(), zone)

    def _record(self, claim: Claim, result: Result) -> Recorded:
        # One transaction: whoever lost the lease meanwhile records nothing.
        with self.store.database.begin() as connection:
            require_held(connection, claim)
            found = as_reconciled(claim.run_id, result)
            recorded = self.store.record(connection, found, at=self.clock.now())
            require_held(connection, claim, until_committed=True)
        return recorded


def _standing(result: Result, recorded: Recorded, difference: Difference) -> Standing | None:
    broken = recorded.standing.get(difference.identity(result.reconciliation))
    if broken is None:
        return None
    return Standing(
        identity=broken.identity,
        status=broken.status,
        first_seen_at=broken.first_seen_at,
        occurrences=broken.occurrences,
    )
