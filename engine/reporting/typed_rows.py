"""Typed rows: what a query gave, as batches of a report's columns; a wrong value is said where."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn

from engine.errors import Invalid
from engine.exporters.batches import arrow_schema
from engine.exporters.document import Column
from engine.money import is_code
from engine.redaction.hiding import MASK, hidden
from engine.reporting.read_column import ReadColumn
from engine.reporting.typed_arrays import read_array
from engine.reporting.typed_cells import Asked, Wrong

_DECIMALS = frozenset({"numeric", "decimal"})  # as databases call exact numbers
_SHOWN = 40  # characters of a wrong value
_CODE_IS_DUE = "a code of three capital letters is due (SAR): upper(trim(...)) in the query tidies"


class WrongValue(Invalid):
    """A query gave a value that is not what its column says; nothing is cast."""

    message = "dataset {dataset!r}, row {row}, column {column!r}: {value} is no {kind}; {due}"


class TypedRows:
    """The rows of one dataset; `types` are those of its columns, as the database calls them."""

    def __init__(
        self, dataset: str, columns: Sequence[ReadColumn], types: Mapping[str, str], zone: str
    ) -> None:
        self.schema = arrow_schema([_shown(column) for column in columns])
        self._dataset = dataset
        self._columns = columns
        self._asked = [
            Asked(
                kind=column.kind,
                unit=column.unit,
                currency=column.currency,
                zone=zone,
                untyped=types[column.name] == "",
                exact=types[column.name] in _DECIMALS,
            )
            for column in columns
        ]

    def batches(self, raw: Iterable[Any]) -> Iterator[Any]:
        """Every batch typed; raises WrongValue."""
        import pyarrow as pa

        before = 0
        for batch in raw:
            arrays = [self._read(batch, at, before) for at in range(len(self._columns))]
            yield pa.RecordBatch.from_arrays(arrays, schema=self.schema)
            before += batch.num_rows

    def refuse(
        self, at: int, row: int, value: Any, due: str | None = None, kind: str | None = None
    ) -> NoReturn:
        """Say that the value of column number `at` is wrong, and what is due."""
        column = self._columns[at]
        if due is None:
            try:
                replace(self._asked[at], currency=column.currency or "").read(value)
                due = "it is of another type than is due"
            except Wrong as wrong:
                due = str(wrong)
        shown = f"{type(value).__name__} {value!r}"
        shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
        raise WrongValue(
            dataset=self._dataset,
            row=row,
            column=column.name,
            value=MASK if column.personal else hidden(shown),
            kind=kind or column.kind,
            due=due,
        )

    def _read(self, batch: Any, at: int, before: int) -> Any:
        column, asked = self._columns[at], self._asked[at]
        array = _plain(batch.column(column.name))
        if column.currency_column is None:
            return self._column(array, at, asked, before)
        return self._by_currency(array, _plain(batch.column(column.currency_column)), at, before)

    def _by_currency(self, array: Any, currencies: Any, at: int, before: int) -> Any:
        """Amounts whose number of places is that of each row's currency."""
        import pyarrow as pa
        import pyarrow.compute as pc

        from engine.exporters.arrays import one

        asked = self._asked[at]
        if not pa.types.is_string(currencies.type):
            currencies = currencies.cast(pa.string())
        known = [each for each in pc.unique(currencies).to_pylist() if each]
        lost = pc.and_(pc.is_valid(array), pc.equal(pc.fill_null(currencies, one("")), one("")))
        if pc.any(lost).as_py():
            row = pc.index(lost, True).as_py()
            due = f"its currency is due in {self._columns[at].currency_column!r}"
            self.refuse(at, before + row + 1, array[row].as_py(), due)
        for currency in known:
            if not is_code(currency):
                self._refuse_code(currency, array, currencies, at, before)
        if len(known) <= 1 or asked.unit == "minor":
            currency = known[0] if known else ""
            return self._column(array, at, replace(asked, currency=currency), before)
        result = pa.nulls(len(array), pa.int64())
        for currency in known:
            here = pc.equal(currencies, one(currency))
            some = pc.if_else(here, array, None)
            read = self._column(some, at, replace(asked, currency=currency), before)
            result = pc.coalesce(result, read)
        return result

    def _refuse_code(self, code: str, array: Any, currencies: Any, at: int, before: int) -> None:
        """Where an amount has it: its decimals would be guessed, and guessed wrong for `kwd`."""
        import pyarrow.compute as pc

        from engine.exporters.arrays import one

        row = pc.index(pc.and_(pc.is_valid(array), pc.equal(currencies, one(code))), True).as_py()
        if row >= 0:
            names = [column.name for column in self._columns]
            place = names.index(self._columns[at].currency_column or "")
            self.refuse(place, before + row + 1, code, _CODE_IS_DUE, "currency")

    def _column(self, array: Any, at: int, asked: Asked, before: int) -> Any:
        import pyarrow as pa

        due = self.schema.field(at).type
        if array.null_count == len(array):
            return pa.nulls(len(array), due)
        try:
            read = read_array(array, asked)
            if read is not None:
                return read
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            pass
        return self._one_by_one(array, at, asked, before)

    def _one_by_one(self, array: Any, at: int, asked: Asked, before: int) -> Any:
        """Each value that there is, once."""
        import pyarrow as pa

        known: dict[Any, Any] = {}
        cells = []
        for row, scalar in enumerate(array):
            value = _value(scalar)
            key = repr(value) if isinstance(value, list) else (type(value), value)
            if key not in known:
                try:
                    known[key] = asked.read(value)
                except Wrong as wrong:
                    self.refuse(at, before + row + 1, value, str(wrong))
            cells.append(known[key])
        return pa.array(cells, self.schema.field(at).type)


def _plain(array: Any) -> Any:
    """The array without what a driver says of its type beside."""
    import pyarrow as pa

    if isinstance(array.type, pa.BaseExtensionType) and pa.types.is_string(array.type.storage_type):
        return array.storage
    return array


def _value(scalar: Any) -> Any:
    try:
        return scalar.as_py()
    except (OverflowError, ValueError):
        return "what is beyond all years"


def _shown(column: ReadColumn) -> Column:
    return Column(
        name=column.name,
        title=column.name,
        kind=column.kind,
        currency=column.currency,
        currency_column=column.currency_column,
    )
