"""Results of a reconciliation and their parts."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.reconciliation.result import ControlTotals, Finding, Result, SideRead
from engine.reconciliation.standing import Standing
from engine.store.breaks import Difference

CUT_OFF = datetime(2026, 1, 4, 21, 0, tzinfo=UTC)  # midnight in Riyadh


def a_difference(**changes: Any) -> Difference:
    """A wallet that holds 1.50 SAR more than its entries say."""
    values: dict[str, Any] = {
        "check": "balance",
        "code": "BALANCE_DRIFT",
        "kind": "amount",
        "wallet": "W-1",
        "entry": None,
        "currency": "SAR",
        "amount_minor": 150,
        "expected_minor": 1000,
        "actual_minor": 1150,
    }
    return Difference(**{**values, **changes})


def a_chain_break(**changes: Any) -> Difference:
    """An entry whose balance does not follow from the one before."""
    values = {"check": "chain", "code": "CHAIN_BREAK", "entry": "7", "severity": "high"}
    return a_difference(**{**values, **changes})


def totals_of(differences: Sequence[Difference], currency: str = "SAR") -> ControlTotals:
    """Control totals that tie out with the drift among `differences`."""
    drift = sum(
        each.amount_minor
        for each in differences
        if each.code == "BALANCE_DRIFT" and each.currency == currency
    )
    return ControlTotals(
        currency=currency,
        stored_minor=700_000 + drift,
        opening_minor=200_000,
        entries_minor=500_000,
        drift_minor=drift,
        orphans_minor=0,
        wallets=20,
        entries=400,
    )


def a_result(
    differences: Sequence[Difference] = (),
    *,
    findings: Sequence[Finding] = (),
    totals: Sequence[ControlTotals] | None = None,
    title: str = "Wallets against the ledger",
) -> Result:
    """A reconciliation of two sides of one source for one local day."""
    currencies = sorted({each.currency for each in differences} or {"SAR"})
    counts = {"ORDER_ONLY": 2}
    for each in differences:
        counts[each.code] = counts.get(each.code, 0) + 1
    return Result(
        reconciliation="wallets",
        title=title,
        timezone="Asia/Riyadh",
        cut_off=CUT_OFF,
        period=(CUT_OFF - timedelta(days=1), CUT_OFF),
        read_at=CUT_OFF + timedelta(hours=2),
        sides=[
            SideRead(name="wallets", source="canteen", rows=20, fingerprint="ab" * 32),
            SideRead(name="entries", source="canteen", rows=400, fingerprint="0c" * 32),
        ],
        findings=findings,
        totals=[totals_of(differences, each) for each in currencies] if totals is None else totals,
        checks=["balance", "chain"],
        differences=differences,
        counts=counts,
    )


def standing_of(difference: Difference) -> Standing:
    """Open for two nights now."""
    return Standing(
        identity=f"id-{difference.wallet}-{difference.entry}",
        status="open",
        first_seen_at=CUT_OFF - timedelta(days=1),
        occurrences=2,
    )
