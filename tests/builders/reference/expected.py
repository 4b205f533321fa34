"""All that is to be found in a random ledger.

Written from what the checks promise, and sharing nothing with how they keep it. Where entries of
one wallet and instant are no copies of each other, which of them breaks a chain is a question of
the best order; for such lanes the answer is taken as it is given (`Expected.open_lanes`), and
everything that follows from it is still found here.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from tests.builders.ledger import Ledger
from tests.builders.reference.book import Book
from tests.builders.reference.breaks import Break
from tests.builders.reference.entries import chain, duplicates, mismatches, orphans, spells
from tests.builders.reference.row import Lane
from tests.builders.reference.totals import totals_of
from tests.builders.reference.wallets import drifts, overdrawn, ownerless

_ORDER = (
    "DUPLICATE_EXACT",
    "ORPHAN_ENTRY",
    "CURRENCY_MISMATCH",
    "CHAIN_BREAK",
    "NEGATIVE_RUNNING",
    "DUPLICATE_SUSPECT",
)
"""Which cause of an entry comes first."""

_LOOKS: Mapping[str, tuple[Callable[[Book], Iterable[Break]], ...]] = {
    "duplicate": (duplicates,),
    "orphan": (orphans, ownerless),
    "currency": (mismatches,),
    "chain": (chain,),
    "balance": (drifts,),
    "negative": (overdrawn, spells),
}
"""What each check is to find."""


@dataclass
class Expected:
    """Everything that is to be found.

    `totals` are by currency, in the order of `totals_of`. `open_ends` are the wallets whose last
    balance hangs on the order of equal instants, `names` the entries that a break may be of, each
    with its wallet and currency.
    """

    breaks: list[Break]
    totals: Mapping[str, tuple[int, ...]]
    open_lanes: Collection[Lane]
    open_ends: Collection[Lane]
    names: set[tuple[str, str, str]]


def expected_of(ledger: Ledger, given: Collection[tuple[str, str, str]] = ()) -> Expected:
    """All that is to be found; `given` are the chain breaks of open lanes, by lane and name."""
    book = Book(ledger)
    breaks = [
        each
        for check, looks in _LOOKS.items()
        if check in book.checks
        for look in looks
        for each in look(book)
    ]
    open_lanes = {lane for lane in book.by_lane if book.is_open(lane)}
    for row in book.sound:
        if row.lane in open_lanes and (*row.lane, row.name) in given:
            row.codes.append("CHAIN_BREAK")
    codes: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for row in book.sound:
        codes[*row.lane, row.name] += row.codes
    first = {name: min(found, key=_ORDER.index) for name, found in codes.items() if found}
    return Expected(
        breaks=[
            each
            for each in breaks
            if each.entry is None or first[each.wallet, each.currency, each.entry] == each.code
        ],
        totals=totals_of(book),
        open_lanes=open_lanes,
        open_ends={lane for lane in book.holdings if book.has_open_end(lane)},
        names={(*row.lane, row.name) for row in book.sound},
    )
