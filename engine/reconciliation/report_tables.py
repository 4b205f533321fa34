"""The tables of a reconciliation report: sources, control totals, pivots and the breaks."""

import json
from collections.abc import Iterator, Sequence

from engine.exporters.document import Cell, Column, Kind, Row, Stream, Table
from engine.money import minor_digits
from engine.reconciliation.codes import meaning
from engine.reconciliation.result import Result
from engine.reconciliation.standing import Standing, StandingOf
from engine.reporting.pivot import CodeTotal
from engine.store.breaks import Difference


def _money(name: str, title: str) -> Column:
    return Column(name=name, title=title, kind=Kind.MONEY, currency_column="currency")


_MOST_PRINTED = 2_000
_CURRENCY = Column(name="currency", title="Currency")

_BREAK_COLUMNS = (
    Column(name="identity", title="Identity", width=20),
    Column(name="check", title="Check"),
    Column(name="code", title="Code"),
    Column(name="class", title="Class"),
    Column(name="wallet", title="Wallet"),
    Column(name="entry", title="Entry"),
    _CURRENCY,
    _money("amount", "Difference"),
    _money("expected", "Expected"),
    _money("actual", "Actual"),
    Column(name="severity", title="Severity"),
    Column(name="status", title="Status"),
    Column(name="first_seen_at", title="First seen", kind=Kind.DATETIME),
    Column(name="occurrences", title="Times seen", kind=Kind.INTEGER),
    Column(name="details", title="Details", width=40),
)

_PRINTED_COLUMNS = (
    Column(name="code", title="Code"),
    Column(name="wallet", title="Wallet"),
    Column(name="entry", title="Entry"),
    _CURRENCY,
    _money("expected", "Expected"),
    _money("actual", "Actual"),
    _money("amount", "Difference"),
    Column(name="severity", title="Severity"),
    Column(name="status", title="Status"),
    Column(name="first_seen_at", title="First seen", kind=Kind.DATETIME),
    Column(name="occurrences", title="Times seen", kind=Kind.INTEGER),
)


def breaks(result: Result, standing_of: StandingOf) -> Table:
    """Every break with all that is known of it, in the order of the result."""

    def rows() -> Iterator[Row]:
        for each in result.differences:
            identity, *standing = _cells(standing_of(each))
            yield (
                identity,
                each.check,
                each.code,
                each.kind,
                each.wallet,
                each.entry,
                each.currency,
                each.amount_minor,
                each.expected_minor,
                each.actual_minor,
                each.severity,
                *standing,
                json.dumps(each.details, ensure_ascii=False, sort_keys=True, default=str)
                if each.details
                else None,
            )

    return Table(name="breaks", title="Breaks", columns=_BREAK_COLUMNS, rows=Stream(rows))


def largest_breaks(result: Result, standing_of: StandingOf, most: int = _MOST_PRINTED) -> Table:
    """The breaks as they are printed: the largest first, and no more than somebody would read."""
    ordered = sorted(result.differences, key=_by_size)
    note = "The largest differences first."
    if len(ordered) > most:
        note = (
            f"The {most:,} largest of {len(ordered):,} differences; "
            "the spreadsheet and the CSV file have all of them."
        )

    def rows() -> Iterator[Row]:
        for each in ordered[:most]:
            _, *standing = _cells(standing_of(each))
            yield (
                each.code,
                each.wallet,
                each.entry,
                each.currency,
                each.expected_minor,
                each.actual_minor,
                each.amount_minor,
                each.severity,
                *standing,
            )

    return Table(
        name="breaks",
        title="Breaks",
        note=note if ordered else "",
        columns=_PRINTED_COLUMNS,
        rows=Stream(rows),
    )


def control_totals(result: Result) -> Table:
    """The proof of completeness: both sides of the equation and what is left, per currency."""
    return Table(
        name="control_totals",
        title="Control totals",
        note=(
            "Stored - opening - entries, each read from the source by itself, must equal drift - "
            "orphans - mismatched, which are what was found. Orphans are entries of no wallet, "
            "mismatched those in a currency that their wallet does not hold, copies included. The "
            "gap is what nobody can explain."
        ),
        columns=(
            _CURRENCY,
            Column(name="wallets", title="Wallets", kind=Kind.INTEGER),
            Column(name="entries_counted", title="Entries counted", kind=Kind.INTEGER),
            _money("stored", "Stored"),
            _money("opening", "Opening"),
            _money("entries", "Entries"),
            _money("to_explain", "Stored - opening - entries"),
            _money("drift", "Drift listed"),
            _money("orphans", "Orphan entries"),
            _money("mismatched", "Mismatched entries"),
            _money("explained", "Drift - orphans - mismatched"),
            _money("gap", "Gap"),
            Column(name="ties_out", title="Ties out"),
        ),
        rows=[
            (
                total.currency,
                total.wallets,
                total.entries,
                total.stored_minor,
                total.opening_minor,
                total.entries_minor,
                total.stored_minor - total.opening_minor - total.entries_minor,
                total.drift_minor,
                total.orphans_minor,
                total.mismatched_minor,
                total.explained_minor,
                total.gap_minor,
                "no" if total.gap_minor else "yes",
            )
            for total in result.totals
        ],
    )


def sources(result: Result) -> Table:
    """What was read, and a fingerprint that tells this reading from another."""
    return Table(
        name="sources",
        title="Sources",
        columns=(
            Column(name="side", title="Side"),
            Column(name="source", title="Source"),
            Column(name="rows", title="Rows", kind=Kind.INTEGER),
            Column(name="fingerprint", title="Fingerprint (SHA-256)", width=66),
        ),
        rows=[(side.name, side.source, side.rows, side.fingerprint) for side in result.sides],
    )


def pivot(totals: Sequence[CodeTotal]) -> Table:
    """Codes down, currencies across, with a last row for all codes of a currency."""
    currencies = sorted({total.currency for total in totals})
    columns = [Column(name="code", title="Code")]
    for currency in currencies:
        columns += [
            Column(name=f"count_{currency}", title=f"Breaks in {currency}", kind=Kind.INTEGER),
            _fixed(f"net_{currency}", "Net difference", currency),
            _fixed(f"gross_{currency}", "Gross difference", currency),
        ]
    found = {(total.code, total.currency): total for total in totals}
    rows: list[Row] = []
    for code in sorted({total.code for total in totals}):
        cells: list[str | int | None] = [code]
        for currency in currencies:
            total = found.get((code, currency))
            cells += (
                [total.count, total.net_minor, total.gross_minor] if total else [None, None, None]
            )
        rows.append(cells)
    if rows:
        rows.append(["All codes", *_sums(totals, currencies)])
    return Table(name="pivot", title="Breaks by code and currency", columns=columns, rows=rows)


def by_code(totals: Sequence[CodeTotal]) -> Table:
    """The same numbers for paper, where currencies go down because there may be many."""
    return Table(
        name="by_code",
        title="Breaks by code and currency",
        columns=(
            Column(name="code", title="Code"),
            _CURRENCY,
            Column(name="count", title="Breaks", kind=Kind.INTEGER),
            _money("net", "Net difference"),
            _money("gross", "Gross difference"),
        ),
        rows=[
            (total.code, total.currency, total.count, total.net_minor, total.gross_minor)
            for total in totals
        ],
    )


def meanings(totals: Sequence[CodeTotal]) -> Table:
    """What the codes that were found mean."""
    found = {code: meaning(code) for code in sorted({total.code for total in totals})}
    return Table(
        name="codes",
        title="What the codes mean",
        columns=(
            Column(name="code", title="Code"),
            Column(name="title", title="In short"),
            Column(name="meaning", title="Meaning", width=60),
        ),
        rows=[(code, each.title, each.text) for code, each in found.items()],
    )


def _cells(standing: Standing | None) -> tuple[Cell, Cell, Cell, Cell]:
    """Identity, status, first seen, times seen; empty for a break that nobody recorded."""
    if standing is None:
        return (None, None, None, None)
    return (standing.identity, standing.status, standing.first_seen_at, standing.occurrences)


def _sums(totals: Sequence[CodeTotal], currencies: Sequence[str]) -> Iterator[int]:
    for currency in currencies:
        here = [total for total in totals if total.currency == currency]
        yield sum(total.count for total in here)
        yield sum(total.net_minor for total in here)
        yield sum(total.gross_minor for total in here)


def _fixed(name: str, title: str, currency: str) -> Column:
    return Column(name=name, title=title, kind=Kind.MONEY, currency=currency)


def _by_size(difference: Difference) -> tuple[int, str, str, str]:
    """Largest first in whole units: 1 KWD is 1,000 of its minor units and 1 SAR is 100."""
    size = abs(difference.amount_minor) * 10 ** (4 - minor_digits(difference.currency))
    return (-size, difference.code, difference.wallet, difference.entry or "")
