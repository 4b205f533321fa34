"""A break, in words of the reference's own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.builders.reference.row import Holding, Row


@dataclass(frozen=True)
class Break:
    """One break, with all that is said of it."""

    check: str
    code: str
    wallet: str
    entry: str | None
    currency: str
    amount: int
    expected: int | None
    actual: int | None
    severity: str
    details: Mapping[str, Any] = field(default_factory=dict)


def of_row(
    row: Row,
    check: str,
    *,
    severity: str,
    amount: int | None = None,
    expected: int | None = None,
    actual: int | None = None,
    **details: Any,
) -> Break:
    """A break of an entry for the cause found last; it is about all of its amount, if not told."""
    return Break(
        check=check,
        code=row.codes[-1],
        wallet=row.wallet,
        entry=row.name,
        currency=row.currency,
        amount=row.amount if amount is None else amount,
        expected=expected,
        actual=row.amount if actual is None else actual,
        severity=severity,
        details=details,
    )


def of_holding(
    holding: Holding,
    check: str,
    code: str,
    *,
    severity: str,
    actual: int,
    expected: int | None = None,
    **details: Any,
) -> Break:
    """A break of a wallet in one currency, about how far `actual` is from `expected`."""
    return Break(
        check=check,
        code=code,
        wallet=holding.wallet,
        entry=None,
        currency=holding.currency,
        amount=actual - (expected or 0),
        expected=expected,
        actual=actual,
        severity=severity,
        details=details,
    )
