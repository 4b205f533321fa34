"""What is wrong with wallets: nobody's, or with another balance than they should have."""

from collections.abc import Iterable, Mapping
from typing import Any

from tests.builders.reference.book import Book
from tests.builders.reference.breaks import Break, of_holding
from tests.builders.reference.row import Lane, Row


def ownerless(book: Book) -> Iterable[Break]:
    """Wallets of nobody who is known."""
    if not book.shape.maps("owners"):
        return
    owners = {str(owner) for owner in book.ledger.owners if owner is not None}
    for lane, holding in book.holdings.items():
        if holding.owner not in owners:
            yield of_holding(
                holding,
                *("orphan", "ORPHAN_WALLET"),
                severity="medium",
                actual=book.stored(lane),
                owner=holding.owner,
            )


def drifts(book: Book) -> Iterable[Break]:
    """Stored balances that are not what the entries give."""
    for lane, holding in book.holdings.items():
        if _drifts(book, lane):
            stored, expected = book.stored(lane), book.expected(lane)
            why = _explained(book, lane, stored - expected)
            details: dict[str, Any] = {"explained_by": why} if why else {}
            yield of_holding(
                holding,
                *("balance", "BALANCE_DRIFT"),
                severity="low" if why else "medium",
                actual=stored,
                expected=expected,
                **details,
            )


def overdrawn(book: Book) -> Iterable[Break]:
    """Stored balances below the floor."""
    for lane, holding in book.holdings.items():
        stored, floor = book.stored(lane), holding.floor
        if stored < floor:
            drifted = _drifts(book, lane) and book.expected(lane) >= floor
            why = {"BALANCE_DRIFT": [holding.wallet]}
            details: dict[str, Any] = {"explained_by": why} if drifted else {}
            yield of_holding(
                holding,
                *("negative", "NEGATIVE_BALANCE"),
                severity="high",
                actual=stored,
                expected=floor,
                **details,
            )


def _drifts(book: Book, lane: Lane) -> bool:
    if "balance" not in book.checks:
        return False
    tolerance: int = book.checks["balance"]["tolerance"]
    return abs(book.stored(lane) - book.expected(lane)) > tolerance


def _explained(book: Book, lane: Lane, drift: int) -> Mapping[str, list[str]]:
    copies = [row for row in book.sound if row.lane == lane and row.original is not None]
    foreign = [
        row
        for row in book.sound
        if row.wallet == lane[0] and book.is_mismatched(row) and row.original is None
    ]
    copies = copies if "duplicate" in book.checks else []
    foreign = foreign if "currency" in book.checks else []
    copied, strange = (sum(row.amount for row in rows) for rows in (copies, foreign))
    none: list[Row] = []
    for amount, duplicates, mismatches in (
        (-copied, copies, none),
        (strange, none, foreign),
        (strange - copied, copies, foreign),
    ):
        if amount == drift and (duplicates or mismatches):
            parts = {"DUPLICATE_EXACT": duplicates, "CURRENCY_MISMATCH": mismatches}
            return {code: _names(rows) for code, rows in parts.items() if rows}
    return {}


def _names(rows: Iterable[Row]) -> list[str]:
    return [row.name for row in sorted(rows, key=lambda row: (row.currency, row.entry, row.name))]
