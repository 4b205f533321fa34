"""Pivots by pandas, exact: amounts stay Python integers from the first row to the last total.

pandas would turn a column with gaps into floats, and its 64-bit sums wrap around silently. So
columns are of dtype object, every result is looked at, and the grand total is added up once more
without pandas.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.errors import EngineError


class PivotInexact(EngineError):
    """A pivot does not add up to its rows: a bug, never to be shown as a number."""

    message = "the pivot of {what} gives {found} where the rows add up to {expected}"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One row to be counted: under which code and currency, and how much it is."""

    code: str
    currency: str
    amount_minor: int


@dataclass(frozen=True, kw_only=True)
class CodeTotal:
    """All rows of one code and currency: how many, their net sum and the sum of their sizes."""

    code: str
    currency: str
    count: int
    net_minor: int
    gross_minor: int


def totals_by_code(rows: Iterable[Measured]) -> Sequence[CodeTotal]:
    """Count and add up by code and currency, in that order; currencies never mix."""
    import pandas as pd

    seen = [(row.code, row.currency, row.amount_minor, abs(row.amount_minor)) for row in rows]
    if not seen:
        return []
    frame = pd.DataFrame(seen, columns=["code", "currency", "net", "gross"], dtype=object)
    pivot = frame.pivot_table(
        index="code",
        columns="currency",
        values=["net", "gross"],
        aggfunc={"net": ["count", "sum"], "gross": "sum"},
    )
    totals = []
    for code in sorted(pivot.index):
        for currency in sorted(set(frame["currency"])):
            count = pivot.loc[code, ("net", "count", currency)]
            if not count > 0:  # no such pair: pandas fills the gap with NaN
                continue
            totals.append(
                CodeTotal(
                    code=code,
                    currency=currency,
                    count=int(count),
                    net_minor=_whole(pivot.loc[code, ("net", "sum", currency)]),
                    gross_minor=_whole(pivot.loc[code, ("gross", "sum", currency)]),
                )
            )
    _require(("counts", sum(each.count for each in totals), len(seen)))
    _require(("net amounts", sum(each.net_minor for each in totals), sum(row[2] for row in seen)))
    _require(
        ("gross amounts", sum(each.gross_minor for each in totals), sum(row[3] for row in seen))
    )
    return totals


def _whole(value: object) -> int:
    """The integer pandas was given back; anything else has been through a float."""
    if type(value) is not int:
        raise PivotInexact(what="an amount", found=repr(value), expected="an integer")
    return value


def _require(claim: tuple[str, int, int]) -> None:
    what, found, expected = claim
    if found != expected:
        raise PivotInexact(what=what, found=found, expected=expected)
