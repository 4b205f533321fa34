"""Control totals of a random ledger, added up row by row."""

from collections.abc import Mapping

from tests.builders.reference.book import Book


def totals_of(book: Book) -> Mapping[str, tuple[int, ...]]:
    """By currency: stored, opening, entries, drift, orphans, mismatched, wallets and entries."""
    codes = {"SAR", *(row.currency for row in book.rows)}
    codes |= {currency for _, currency in book.holdings}
    found = {}
    for code in codes:
        lanes = [lane for lane in book.holdings if lane[1] == code]
        rows = [row for row in book.counted if row.currency == code]
        found[code] = (
            sum(book.stored(lane) for lane in lanes),
            sum(book.holdings[lane].opening or 0 for lane in lanes),
            sum(row.amount for row in rows),
            sum(book.stored(lane) - book.expected(lane) for lane in lanes),
            sum(row.amount for row in rows if book.is_orphan(row)),
            sum(row.amount for row in rows if book.is_mismatched(row)),
            len(lanes),
            len(rows),
        )
    return found
