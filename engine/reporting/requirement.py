"""Requirements: a report of numbers that must have been reconciled first is blocked, or says so.

A reconciliation has tied out for a period when a run of it succeeded that looked at all of the
period, and its control totals have no gap. Open breaks are no hindrance: they are what it found.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.clock import rfc3339
from engine.errors import Refused
from engine.exporters.document import Notice
from engine.reporting.definition import Requirement
from engine.store.reconciliations import ReconciliationStore

# How old a reconciliation may be for a report of how things are, and not of a period.
_FRESH = timedelta(days=1)


class NotReconciled(Refused):
    """A report may not be made before a reconciliation has tied out."""

    message = (
        "not reconciled: {reconciliation} has not tied out for {period}: {why}. Run `engine run "
        "reconcile -p definition={reconciliation}{as_of} --wait`, then retry this run"
    )


@dataclass(frozen=True)
class Requirements:
    """Looks in the ledger whether what a report requires is so."""

    store: ReconciliationStore

    def check(
        self,
        requirement: Requirement,
        period: tuple[datetime, datetime] | None,
        snapshot_at: datetime,
    ) -> Notice | None:
        """None if it has tied out, or the notice that the report has to carry.

        Raises NotReconciled if the report is blocked.
        """
        why = self._why_not(requirement.reconciliation, period, snapshot_at)
        if why is None:
            return None
        said = "now" if period is None else " to ".join(str(rfc3339(each)) for each in period)
        if requirement.otherwise == "block":
            raise NotReconciled(
                reconciliation=requirement.reconciliation,
                period=said,
                why=why,
                as_of="" if period is None else f" -p as_of={rfc3339(period[1])}",
            )
        text = f"{requirement.reconciliation} has not tied out for {said}: {why}"
        return Notice(code="NOT RECONCILED", text=text, grave=True)

    def _why_not(
        self, name: str, period: tuple[datetime, datetime] | None, snapshot_at: datetime
    ) -> str | None:
        start, end = period or (snapshot_at - _FRESH, snapshot_at - _FRESH)
        found = self.store.covering(name, start, end)
        if found is not None:
            off = sorted(each["currency"] for each in found["totals"] if gap_of(each))
            return f"its totals of {', '.join(off)} are off" if off else None
        latest = self.store.latest(name)
        if latest is None:
            return "it has never run"
        return f"its latest run looked at what was there until {rfc3339(latest['cut_off'])}"


def gap_of(totals: dict[str, int]) -> int:
    """What control totals as they are recorded leave unexplained."""
    left = totals["stored_minor"] - totals["opening_minor"] - totals["entries_minor"]
    explained = totals["drift_minor"] - totals["orphans_minor"] - totals.get("mismatched_minor", 0)
    return left - explained
