"""The reconciliation service: reconcile, record the breaks, publish the report, for one attempt."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from engine.clock import Clock
from engine.effects import require_held
from engine.reconciliation.reconcile import Reconciler
from engine.reconciliation.recording import as_reconciled
from engine.reconciliation.report import publish_report
from engine.reconciliation.result import Result
from engine.reconciliation.standing import Standing
from engine.reporting.publish import Publisher
from engine.store.breaks import Difference
from engine.store.reconciliations import ReconciliationStore, Recorded
from engine.store.run import Claim

_STEPS = 7  # those of reconciling, then recording and publishing


class Attempt(Protocol):
    """The attempt on whose behalf it happens."""

    @property
    def claim(self) -> Claim:
        """Proof that the run is this attempt's."""

    @property
    def period(self) -> tuple[datetime, datetime] | None:
        """What the run reports on."""

    def progress(self, done: int, total: int | None = None, note: str | None = None) -> None:
        """How far it is."""


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
        result = self.reconciler.find(
            name,
            cut_off=self._cut_off(name, as_of),
            period=attempt.period,
            progress=lambda done, _, note: attempt.progress(done, _STEPS, note),
        )
        attempt.progress(_STEPS - 2, _STEPS, "recording breaks")
        recorded = self._record(attempt.claim, result)
        attempt.progress(_STEPS - 1, _STEPS, "publishing the report")
        publish_report(
            self.publisher,
            attempt.claim.run_id,
            result,
            made_at=self.clock.now(),
            standing_of=lambda difference: _standing(result, recorded, difference),
            claim=attempt.claim,
        )
        attempt.progress(_STEPS, _STEPS, "done")
        return {
            "reconciliation": name,
            "cut_off": result.cut_off.isoformat(),
            "breaks": recorded.seen,
            "opened": recorded.opened,
            "reopened": recorded.reopened,
            "closed": recorded.closed,
            "counts": dict(result.counts),
            "findings": len(result.findings),
        }

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
