"""Causes: every entry is a break for one reason only, the first of those that apply.

A row that lacks something is a finding and no break at all. After that: an exact copy, of whatever
it may be a copy; an entry of no wallet; an entry in a currency that its wallet does not hold; one
at which the running balance jumps; one at which it goes below the floor. A suspicion gives way to
any certainty, so a look-alike comes last.

Breaks of a wallet are of its own columns, and stand beside those of its entries: its owner is
unknown, its balance is not what its entries give, its balance is below its floor. One may follow
from another, or from a break of an entry; then `explained_by` in its details names that one.
"""

from collections.abc import Iterable, Sequence

from engine.store.difference import Difference

ORDER = (
    "DUPLICATE_EXACT",
    "ORPHAN_ENTRY",
    "CURRENCY_MISMATCH",
    "CHAIN_BREAK",
    "NEGATIVE_RUNNING",
    "DUPLICATE_SUSPECT",
)


def first_causes(differences: Iterable[Difference]) -> Sequence[Difference]:
    """The differences, in their order, without those of entries that have an earlier cause."""
    found = list(differences)
    first: dict[tuple[str, str, str], str] = {}
    for each in found:
        if each.entry is not None:
            key = each.wallet, each.currency, each.entry
            first[key] = min(first.get(key, each.code), each.code, key=_rank)
    return [
        each
        for each in found
        if each.entry is None or first[each.wallet, each.currency, each.entry] == each.code
    ]


def _rank(code: str) -> int:
    return ORDER.index(code) if code in ORDER else len(ORDER)
