"""The reading of one dataset, in a snapshot of its source: rows, counts, totals and the plan."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

from engine.exporters.document import Column, Kind
from engine.exporters.recount.figures import Figures
from engine.exporters.recount.layout import Layout
from engine.exporters.recount.tally import Tally
from engine.reporting.dataset_query import DatasetQuery, DatasetTooLong
from engine.reporting.source_totals import Ask, SourceTotals
from engine.reporting.typed_rows import TypedRows
from engine.reporting.wrong_values import refuse_first
from engine.sources.database import Kind as RawKind
from engine.sources.database import Plan, Snapshot
from engine.sources.dialect import Dialect, Due
from engine.sources.faults import InvalidQuery, QueryTooLong

Told = TypeVar("Told")

_KINDS: Mapping[Due, RawKind] = {
    "whole": "whole",
    "fraction": "number",
    "decimal": "text",
    "text": "text",
}


class DatasetReading:
    """One query; `types` are those of the columns that are read, as the database calls them.

    `figures` are what was read, once it was read to its end.
    """

    def __init__(
        self, query: DatasetQuery, snapshot: Snapshot, types: Mapping[str, str], sql: Dialect
    ) -> None:
        self.figures: Figures | None = None
        self._failed = False
        self._query = query
        self._snapshot = snapshot
        self._sql = sql
        self._rows = TypedRows(query.name, query.columns, types, query.timezone)
        self._untyped = all(kind == "" for kind in types.values())
        self._dues: Mapping[str, Due] = {
            **dict.fromkeys(types, "text"),
            **{each.name: _due(each.kind, each.unit) for each in query.columns},
        }

    @property
    def schema(self) -> Any:
        """Of its batches."""
        return self._rows.schema

    @contextmanager
    def batches(self) -> Iterator[Iterator[Any]]:
        """The typed batches; errors are raised where they are taken, or here."""
        import pyarrow as pa

        query, tally = self._query, Tally(self._layout)
        asked = self._sql.as_due(query.query, self._dues)
        kinds = self._kinds if self._untyped else None
        try:
            with self._snapshot.batches(
                asked, kinds, params=query.params, time_limit=query.time_limit
            ) as reader:
                if kinds and self._is_of_other_types(reader.schema):
                    raise _OtherTypes
                yield self._typed(reader, tally)
        except (OSError, pa.ArrowInvalid, UnicodeDecodeError, _OtherTypes) as error:
            if not self._failed and not isinstance(error, _OtherTypes):
                raise  # it is of whoever takes the batches
            self._refuse_first()
            raise query.invalid(error) from error
        except QueryTooLong as error:
            raise self._too_long(error) from error
        except InvalidQuery as error:
            self._refuse_first()
            raise query.invalid(error.facts["reason"]) from error

    def totals(self) -> Figures:
        """What the source itself counts and adds up."""
        totals = SourceTotals(self._query.query, self._query.columns, self._sql)
        return self._told(totals.asked, self._query.time_limit)

    def counted(self, within: timedelta) -> int:
        """How many rows there are; raises QueryTooLong."""
        counting = f"SELECT count(*) FROM ({self._query.query}\n) AS found"  # noqa: S608
        return self._told(lambda ask: int(ask(counting)[0][0]), within)

    def plan(self) -> Plan:
        """How the database would carry it out."""
        return self._snapshot.plan(self._query.query, self._query.params)

    def _typed(self, reader: Any, tally: Tally) -> Iterator[Any]:
        typed = self._rows.batches(reader)
        while True:
            try:
                batch = next(typed, None)
            except Exception:
                self._failed = True
                raise
            if batch is None:
                break
            tally.add(batch)
            yield batch
        self.figures = tally.figures

    def _refuse_first(self) -> None:
        """Raise WrongValue if it was one that ended the reading."""
        if self._untyped:
            refuse_first(self._rows, self._query.query, self._dues, self._sql, self._read_again)

    def _told(self, ask: Callable[[Ask], Told], limit: timedelta) -> Told:
        try:
            return ask(
                lambda query: self._snapshot.rows(
                    query, params=self._query.params, time_limit=limit
                )
            )
        except QueryTooLong as error:
            raise self._too_long(error) from error
        except InvalidQuery as error:
            raise self._query.invalid(error.facts["reason"]) from error

    @contextmanager
    def _read_again(self, query: str, kinds: Mapping[str, RawKind]) -> Iterator[Any]:
        limit = self._query.time_limit
        with self._snapshot.batches(
            query, kinds, params=self._query.params, time_limit=limit
        ) as reader:
            yield reader

    def _too_long(self, error: QueryTooLong) -> DatasetTooLong:
        return DatasetTooLong(dataset=self._query.name, **error.facts)

    @property
    def _kinds(self) -> Mapping[str, RawKind]:
        return {name: _KINDS[due] for name, due in self._dues.items()}

    def _is_of_other_types(self, schema: Any) -> bool:
        """Whether the first rows already hold what is not due."""
        import pyarrow as pa

        types = {"whole": pa.int64(), "number": pa.float64(), "text": pa.string()}
        return any(schema.field(name).type != types[kind] for name, kind in self._kinds.items())

    @property
    def _layout(self) -> Layout:
        columns = [
            Column(
                name=each.name,
                title=each.name,
                kind=each.kind,
                currency=each.currency,
                currency_column=each.currency_column,
                total=each.total,
            )
            for each in self._query.columns
        ]
        return Layout(name=self._query.name, title=self._query.name, columns=columns)


class _OtherTypes(Exception):
    """Columns came as another type than is due."""


def _due(kind: Kind, unit: str) -> Due:
    if kind is Kind.INTEGER or (kind is Kind.MONEY and unit == "minor"):
        return "whole"
    if kind is Kind.PERCENT:
        return "fraction"
    return "decimal" if kind is Kind.MONEY else "text"
