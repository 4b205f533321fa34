"""Figures: how many rows there are, and what their columns add up to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Sum(NamedTuple):
    """What was added up: a column in one currency, or of whole numbers that are no money."""

    column: str
    currency: str | None = None

    def __str__(self) -> str:
        """The column, and the currency if there is one."""
        return f"{self.column} {self.currency}" if self.currency else self.column


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Rows and sums of one table; amounts are of the minor unit.

    `sums` is None where nobody can tell them. One that is not listed is nought.
    """

    rows: int
    sums: Mapping[Sum, int] | None = None
