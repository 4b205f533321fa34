"""Chain: each balance_after follows from the one before, in the best order there is."""

from engine.reconciliation.checks.check import Answer, Material, Namesakes
from engine.reconciliation.copies import named
from engine.reconciliation.definition import Tolerance
from engine.reconciliation.edges import EntryId
from engine.store.difference import Difference


def check_chain(material: Material, settings: Tolerance) -> Answer:
    """Breaks that no order of rows with equal time explains, in the order of wallet and entry."""
    chains = material.chains
    least = settings.tolerance
    found = [each for each in chains.breaks if abs(each.gap.actual - each.gap.expected) > least]
    found.sort(key=lambda each: (each.wallet, each.currency, each.gap.entry))
    names = Namesakes()
    differences = [
        Difference(
            check="chain",
            code="CHAIN_BREAK",
            kind="amount",
            wallet=str(each.wallet),
            entry=names.name(each.wallet, each.currency, _named(each.gap.entry)),
            currency=each.currency,
            amount_minor=each.gap.actual - each.gap.expected,
            expected_minor=each.gap.expected,
            actual_minor=each.gap.actual,
        )
        for each in found
    ]
    return Answer(
        differences=differences,
        information={"ORDER_ONLY": chains.order_only} if chains.order_only else {},
    )


def _named(entry: EntryId) -> str:
    return named(*entry) if isinstance(entry, tuple) else str(entry)
