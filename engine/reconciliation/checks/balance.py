"""Balance: what a wallet stores is its opening balance and every entry up to the cut-off."""

from engine.reconciliation.checks.check import Answer, Material
from engine.reconciliation.definition import Tolerance
from engine.store.difference import Difference


def check_balance(material: Material, settings: Tolerance) -> Answer:
    """Wallets whose stored balance has drifted, in the order of their ids."""
    apart = "abs(stored - expected)"
    rows = material.staging.stream(
        f"SELECT wallet, currency, stored, expected FROM stored WHERE {apart} > ? "  # noqa: S608
        "ORDER BY wallet, currency",
        [settings.tolerance],
    )
    differences = [
        Difference(
            check="balance",
            code="BALANCE_DRIFT",
            kind="amount",
            wallet=str(wallet),
            entry=None,
            currency=currency,
            amount_minor=stored - expected,
            expected_minor=expected,
            actual_minor=stored,
        )
        for wallet, currency, stored, expected in rows
    ]
    within = material.staging.rows(
        f"SELECT count(*) FROM stored WHERE {apart} BETWEEN 1 AND ?",  # noqa: S608
        [settings.tolerance],
    )[0][0]
    return Answer(
        differences=differences,
        information={"WITHIN_TOLERANCE": within} if within else {},
    )
