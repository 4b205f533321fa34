"""What is wrong with single entries: copies, strangers, steps out of a chain or below a floor."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from tests.builders.reference.book import Book
from tests.builders.reference.breaks import Break, of_row
from tests.builders.reference.row import Row

_LENGTHS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def duplicates(book: Book) -> Iterable[Break]:
    """Copies, and what looks like one."""
    for row in book.sound:
        if row.original is not None:
            row.codes.append("DUPLICATE_EXACT")
            yield of_row(row, "duplicate", expected=0, severity="high", original=row.original)
    alike: defaultdict[Any, list[Row]] = defaultdict(list)
    for row in book.sound:
        if row.original is None:
            alike[row.wallet, row.currency, row.amount, row.code].append(row)
    window = _length(book.checks["duplicate"]["within"])
    for rows in alike.values():
        rows.sort(key=lambda row: (row.posted_at, row.entry))
        for before, row in pairwise(rows):
            assert row.posted_at is not None
            assert before.posted_at is not None
            apart = row.posted_at - before.posted_at
            if apart <= window:
                row.codes.append("DUPLICATE_SUSPECT")
                same = row.reference is not None and row.reference == before.reference
                yield of_row(
                    row,
                    "duplicate",
                    severity="medium" if same else "low",
                    looks_like=before.name,
                    seconds_apart=apart / timedelta(seconds=1),
                    **({"same_reference": True} if same else {}),
                )


def orphans(book: Book) -> Iterable[Break]:
    """Entries of no wallet."""
    for row in book.sound:
        if book.is_orphan(row):
            row.codes.append("ORPHAN_ENTRY")
            yield of_row(row, "orphan", severity="high")


def mismatches(book: Book) -> Iterable[Break]:
    """Entries in a currency that their wallet does not hold."""
    for row in book.sound:
        if book.is_mismatched(row):
            row.codes.append("CURRENCY_MISMATCH")
            held = sorted(code for wallet, code in book.holdings if wallet == row.wallet)
            yield of_row(row, "currency", severity="high", wallet_holds=", ".join(held))


def chain(book: Book) -> Iterable[Break]:
    """Rows that do not start where the one before them ended, in lanes whose order is known."""
    tolerance = book.checks["chain"]["tolerance"]
    for lane in book.by_lane:
        if book.is_open(lane):
            continue
        holding = book.holdings.get(lane)
        at = holding.opening if holding is not None else None
        for row in book.chained(lane):
            if row.balance_after is None or row.entry is None:
                at = None
                continue
            actual = row.balance_after - row.amount
            if at is not None and abs(actual - at) > tolerance:
                row.codes.append("CHAIN_BREAK")
                yield of_row(
                    row,
                    "chain",
                    severity="medium",
                    amount=actual - at,
                    expected=at,
                    actual=actual,
                )
            at = row.balance_after


def spells(book: Book) -> Iterable[Break]:
    """Entries that lead a wallet's balance below its floor, until it is back."""
    if not book.checks["negative"]["running"]:
        return
    for lane, holding in book.holdings.items():
        floor, below = holding.floor, False
        instants: defaultdict[datetime, list[tuple[Any, int, Row]]] = defaultdict(list)
        for row in book.sound:
            if row.lane == lane:
                assert row.posted_at is not None
                assert row.balance_after is not None
                instants[row.posted_at].append((row.entry, row.balance_after, row))
        for _, rows in sorted(instants.items()):
            low = [said for said in rows if said[1] < floor]
            if low and not below:
                _, balance, row = min(low, key=lambda said: said[:2])
                row.codes.append("NEGATIVE_RUNNING")
                yield of_row(
                    row,
                    "negative",
                    severity="low",
                    amount=balance - floor,
                    expected=floor,
                    actual=balance,
                )
            below = bool(low)


def _length(text: str) -> timedelta:
    return timedelta(seconds=int(text[:-1]) * _LENGTHS[text[-1]])
