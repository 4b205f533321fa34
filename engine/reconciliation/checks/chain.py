"""Chain: each balance_after follows from the one before, in the best order there is."""

from collections import Counter
from typing import Any

from engine.reconciliation.checks.check import Answer, Material
from engine.reconciliation.definition import Tolerance
from engine.store.difference import Difference


def check_chain(material: Material, settings: Tolerance) -> Answer:
    """Breaks that no order of rows with equal time explains, in the order of wallet and entry."""
    chains = material.chains
    least = settings.tolerance
    found = [each for each in chains.breaks if abs(each.gap.actual - each.gap.expected) > least]
    found.sort(key=lambda each: (each.wallet, each.currency, each.gap.entry))
    # An id that several entries bear is told apart, or all but one of their breaks would be lost.
    times: Counter[tuple[Any, str, Any]] = Counter()
    differences = []
    for each in found:
        key = each.wallet, each.currency, each.gap.entry
        times[key] += 1
        differences.append(
            Difference(
                check="chain",
                code="CHAIN_BREAK",
                kind="amount",
                wallet=str(each.wallet),
                entry=str(each.gap.entry) + (f" ({times[key]})" if times[key] > 1 else ""),
                currency=each.currency,
                amount_minor=each.gap.actual - each.gap.expected,
                expected_minor=each.gap.expected,
                actual_minor=each.gap.actual,
            )
        )
    return Answer(
        differences=differences,
        information={"ORDER_ONLY": chains.order_only} if chains.order_only else {},
    )
