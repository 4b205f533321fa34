"""Control totals as the source itself gives them: counted and added up by the database, exactly."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any

from engine.exporters.document import Kind
from engine.exporters.recount.figures import Figures, Sum
from engine.money import to_minor
from engine.reporting.read_column import ReadColumn
from engine.sources.dialect import Dialect

Ask = Callable[[str], Sequence[tuple[Any, ...]]]
"""Gives the few rows of a query, bound and within its time."""

_WEIGHTS = (Decimal(2**32), Decimal(1), Decimal("1e-9"))
"""Of the parts that a dialect gives a sum in."""
_EXACT = Context(prec=100)


@dataclass(frozen=True)
class SourceTotals:
    """The totals of the columns that are added up, of the rows of `query`."""

    query: str
    columns: Sequence[ReadColumn]
    sql: Dialect

    def asked(self, ask: Ask) -> Figures:
        """Rows, and the sums by column and currency. Each column of currencies is a query."""
        sums: defaultdict[Sum, int] = defaultdict(int)
        counts = set()
        for by, columns in self._groups():
            rows = 0
            for currency, count, *parts in ask(self._select(by, columns)):
                rows += int(count)
                for column, total in zip(columns, self._totals(columns, parts), strict=True):
                    if total is not None:
                        code = _text(currency) if column.currency_column else column.currency
                        sums[Sum(column.name, code)] += _minor(column, total, code)
            counts.add(rows)
        # All of them at one moment: they cannot differ.
        return Figures(rows=counts.pop(), sums=dict(sums))

    def _groups(self) -> Iterator[tuple[str | None, Sequence[ReadColumn]]]:
        """The columns that are added up, by where their currency is; at least one of these."""
        added = [each for each in self.columns if each.kind is Kind.MONEY or _is_counted(each)]
        by = dict.fromkeys(each.currency_column for each in added if each.currency_column)
        first, *others = by or [None]
        # Those that have none of their own are asked for with the first.
        yield first, [each for each in added if each.currency_column in (first, None)]
        for name in others:
            yield name, [each for each in added if each.currency_column == name]

    def _select(self, by: str | None, columns: Sequence[ReadColumn]) -> str:
        parts = ["count(*)"]
        for column in columns:
            parts += self._sums(column)
        currency = self.sql.apart(by) if by else "''"
        group = f" GROUP BY {currency}" if by else ""
        found = f"FROM ({self.query}\n) AS found"
        return f"SELECT {currency} AS currency, {', '.join(parts)} {found}{group}"

    def _sums(self, column: ReadColumn) -> Sequence[str]:
        if column.kind is Kind.MONEY and column.unit == "major":
            return self.sql.decimal_sum(column.name)
        return self.sql.whole_sum(column.name)

    def _totals(
        self, columns: Sequence[ReadColumn], parts: Sequence[Any]
    ) -> Iterator[Decimal | None]:
        """The sums, put together of their parts."""
        left = iter(parts)
        for column in columns:
            values = [next(left) for _ in self._sums(column)]
            if values[1] is None:
                yield None
                continue
            total = Decimal(0)
            for value, weight in zip(values, _WEIGHTS, strict=False):
                total = _EXACT.add(total, _EXACT.multiply(Decimal(value), weight))
            yield total


def _minor(column: ReadColumn, total: Decimal, currency: str | None) -> int:
    if column.kind is Kind.MONEY and column.unit == "major":
        return to_minor(total, currency or "")
    return int(total)


def _is_counted(column: ReadColumn) -> bool:
    return column.kind is Kind.INTEGER and column.total


def _text(currency: Any) -> str:
    return currency.decode() if isinstance(currency, bytes) else str(currency or "")
