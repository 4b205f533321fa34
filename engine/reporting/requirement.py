"""Requirements: a report of numbers that must have been reconciled first is blocked, or says so.

A reconciliation has tied out for a period when a run of it succeeded that looked at all of the
period, and its control totals have no gap. Open breaks are no hindrance: they are what it found.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.clock import rfc3339
from engine.errors import Refused
from engine.exporters.document import Notice
from engine.exporters.words import Words, words_of
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


Said = Callable[[Words], str]
"""A reason, in the words of a language."""


@dataclass(frozen=True, kw_only=True)
class Unreconciled:
    """What a report says that is made although a reconciliation has not tied out."""

    reconciliation: str
    period: tuple[datetime, datetime] | None
    why: Said

    def notice(self, language: str) -> Notice:
        """It, in the words of that language."""
        words = words_of(language)
        text = words.not_tied_out.format(
            reconciliation=self.reconciliation,
            period=_period(self.period, words),
            why=self.why(words),
        )
        return Notice(code="NOT RECONCILED", text=text, grave=True)


@dataclass(frozen=True)
class Requirements:
    """Looks in the ledger whether what a report requires is so."""

    store: ReconciliationStore

    def check(
        self,
        requirement: Requirement,
        period: tuple[datetime, datetime] | None,
        snapshot_at: datetime,
    ) -> Unreconciled | None:
        """None if it has tied out, or what the report has to say.

        Raises NotReconciled if the report is blocked.
        """
        why = self._why_not(requirement.reconciliation, period, snapshot_at)
        if why is None:
            return None
        if requirement.otherwise == "block":
            english = words_of("en")
            raise NotReconciled(
                reconciliation=requirement.reconciliation,
                period=_period(period, english),
                why=why(english),
                as_of="" if period is None else f" -p as_of={rfc3339(period[1])}",
            )
        return Unreconciled(reconciliation=requirement.reconciliation, period=period, why=why)

    def _why_not(
        self, name: str, period: tuple[datetime, datetime] | None, snapshot_at: datetime
    ) -> Said | None:
        start, end = period or (snapshot_at - _FRESH, snapshot_at - _FRESH)
        found = self.store.covering(name, start, end)
        if found is not None:
            off = ", ".join(sorted(each["currency"] for each in found["totals"] if gap_of(each)))
            return (lambda words: words.totals_off.format(currencies=off)) if off else None
        latest = self.store.latest(name)
        if latest is None:
            return lambda words: words.never_run
        at = rfc3339(latest["cut_off"])
        return lambda words: words.looked_until.format(at=at)


def _period(period: tuple[datetime, datetime] | None, words: Words) -> str:
    if period is None:
        return words.now
    start, end = (str(rfc3339(each)) for each in period)
    return words.period_from_to.format(start=start, end=end)


def gap_of(totals: dict[str, int]) -> int:
    """What control totals as they are recorded leave unexplained."""
    left = totals["stored_minor"] - totals["opening_minor"] - totals["entries_minor"]
    explained = totals["drift_minor"] - totals["orphans_minor"] - totals.get("mismatched_minor", 0)
    return left - explained
