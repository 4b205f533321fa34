"""Recording: a result, written down in the ledger as the breaks that it means."""

from dataclasses import asdict

from engine.reconciliation.result import Result
from engine.store.reconciled import Reconciled


def as_reconciled(run_id: int, result: Result) -> Reconciled:
    """A result as the ledger keeps it."""
    return Reconciled(
        run_id=run_id,
        reconciliation=result.reconciliation,
        cut_off=result.cut_off,
        read_at=result.read_at,
        period=result.period,
        checks=result.checks,
        differences=result.differences,
        sides=[asdict(side) for side in result.sides],
        findings=[asdict(finding) for finding in result.findings],
        totals=[asdict(total) for total in result.totals],
        counts=result.counts,
    )
