"""A tally: rows and exact sums of Arrow batches, column by column and currency by currency."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from engine.errors import EngineError
from engine.exporters.batches import batches_of
from engine.exporters.document import Column, Kind, Table
from engine.exporters.recount.figures import Figures, Sum
from engine.exporters.recount.layout import Layout
from engine.money import to_minor

if TYPE_CHECKING:
    import pyarrow as pa

_LOW_HALF = 2**32 - 1


class NotAdded(EngineError):
    """A column holds what cannot be added up exactly."""

    message = "column {column!r} holds {problem}"


class Tally:
    """Adds up batches whose columns are those of a layout that are needed, by their names.

    Amounts are integers of the minor unit, or decimals of whole units.
    """

    def __init__(self, layout: Layout) -> None:
        self.columns: Sequence[Column] = [column for _, column in layout.added()]
        self._rows = 0
        self._sums: defaultdict[Sum, int] = defaultdict(int)

    @property
    def needed(self) -> Sequence[str]:
        """The columns that a batch must have."""
        names = dict.fromkeys(column.name for column in self.columns)
        names.update(dict.fromkeys(c.currency_column for c in self.columns if c.currency_column))
        return list(names)

    @property
    def figures(self) -> Figures:
        """What was added up so far."""
        return Figures(rows=self._rows, sums=dict(self._sums))

    def add(self, batch: "pa.RecordBatch") -> None:
        """Take a batch into account."""
        self.add_rows(batch.num_rows)
        for column in self.columns:
            named = column.currency_column
            self.add_values(
                column, batch.column(column.name), None if named is None else batch.column(named)
            )

    def add_rows(self, count: int) -> None:
        """Take so many rows into account, without their values."""
        self._rows += count

    def add_values(self, column: Column, values: Any, currencies: Any = None) -> None:
        """Add up values of a column, whose own `currencies` stand beside them, or are its one."""
        if currencies is None:
            self._add(column, column.currency, values)
            return
        for currency, part in _parts(values, currencies):
            self._add(column, currency, part)

    def _add(self, column: Column, currency: str | None, values: Any) -> None:
        found = _exact_sum(values)
        if found is None:
            return
        if column.kind is Kind.MONEY and isinstance(found, Decimal):
            found = to_minor(found, currency or "")
        if found != int(found):
            raise NotAdded(column=column.name, problem=f"part of a whole number: {found}")
        self._sums[Sum(column.name, currency)] += int(found)


def _parts(values: Any, currencies: Any) -> Iterator[tuple[str, Any]]:
    """The values by currency; those without one are of the currency ""."""
    import pyarrow.compute as pc

    from engine.exporters.arrays import one

    named = pc.fill_null(currencies, one(""))
    codes = pc.unique(named).to_pylist()
    for code in codes:
        yield code, values if len(codes) == 1 else values.filter(pc.equal(named, one(code)))


def _exact_sum(values: Any) -> int | Decimal | None:
    """The sum, exactly; None of nothing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from engine.exporters.arrays import one_number

    if pa.types.is_integer(values.type):
        # Sums of 64 bits wrap around without a word; those of halves cannot.
        values = values.cast(pa.int64())
        low = pc.sum(pc.bit_wise_and(values, one_number(_LOW_HALF))).as_py()
        high = pc.sum(pc.shift_right(values, one_number(32))).as_py()
        return None if low is None else (high << 32) + low
    if not pa.types.is_decimal(values.type):
        raise NotAdded(column=values.type, problem="no exact numbers")
    total: Decimal | None = pc.sum(values).as_py()
    return total


def figures_of(table: Table, layout: Layout) -> Figures:
    """The figures of a table's rows, as a reading of them gives."""
    tally = Tally(layout)
    for batch in batches_of(table):
        tally.add(batch)
    return tally.figures
