"""Every check by the name that definitions use."""

from collections.abc import Mapping

from engine.reconciliation.checks.balance import check_balance
from engine.reconciliation.checks.chain import check_chain
from engine.reconciliation.checks.check import Check

CHECKS: Mapping[str, Check] = {"balance": check_balance, "chain": check_chain}
