"""Every check by the name that definitions use."""

from collections.abc import Mapping

from engine.reconciliation.checks.balance import check_balance
from engine.reconciliation.checks.chain import check_chain
from engine.reconciliation.checks.check import Check
from engine.reconciliation.checks.currency import check_currency
from engine.reconciliation.checks.duplicate import check_duplicate
from engine.reconciliation.checks.negative import check_negative
from engine.reconciliation.checks.orphan import check_orphan

CHECKS: Mapping[str, Check] = {
    "balance": check_balance,
    "chain": check_chain,
    "currency": check_currency,
    "duplicate": check_duplicate,
    "negative": check_negative,
    "orphan": check_orphan,
}
