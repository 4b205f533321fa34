"""An extract: the rows that a report's queries give, each read once, all of a source at one moment.

The rows are typed as the report's columns say and kept in a file of the attempt's scratch folder,
so that every format of a run shows the same. Beside them stand the control totals, which the
source itself gives at the same moment.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from engine.clock import Clock
from engine.exporters.batches import Batches
from engine.exporters.document import Row
from engine.exporters.recount.figures import Figures
from engine.reporting.dataset_query import DatasetQuery as DatasetQuery
from engine.reporting.dataset_query import Preview as Preview
from engine.reporting.dataset_query import Progress as Progress
from engine.reporting.dataset_query import SourceHasNoTables, unwatched
from engine.reporting.dataset_reading import DatasetReading
from engine.reporting.kept_rows import KeptRows
from engine.sources.catalog import Sources
from engine.sources.database import Database
from engine.sources.faults import InvalidQuery, QueryTooLong
from engine.sources.folder import Folder

_COUNTED_WITHIN = timedelta(seconds=10)  # in a preview


@contextmanager
def open_extract(
    queries: Sequence[DatasetQuery],
    sources: Sources,
    *,
    scratch: Path,
    clock: Clock,
    progress: Progress = unwatched,
) -> Iterator["Extract"]:
    """Check every query, then hold each of their sources still for as long as the context lasts.

    Raises InvalidQuery for a query that is no single SELECT, lacks a column or a parameter, or is
    given one that it does not name. Files go into the folder `scratch`, and are removed at the end.
    """
    databases: dict[str, Database] = {}
    checked: list[tuple[DatasetQuery, Mapping[str, str]]] = []
    for query in queries:
        database = sources.get(query.source)
        if isinstance(database, Folder):
            raise SourceHasNoTables(dataset=query.name, source=query.source)
        databases[database.name] = database
        # Before any snapshot: two libraries must not have one file open at once.
        checked.append((query, _columns(database, query)))
    with ExitStack() as stack:
        # In one order, because threads take turns.
        opened = {
            name: (stack.enter_context(database.snapshot()), clock.now())
            for name, database in sorted(databases.items())
        }
        readings = {}
        for query, columns in checked:
            database = sources.get(query.source)
            assert not isinstance(database, Folder)  # noqa: S101 - seen above
            snapshot, _ = opened[database.name]
            sql = database.dialect(columns)
            readings[query.name] = DatasetReading(query, snapshot, columns, sql)
        taken_at = {each.source: opened[each.source.lower()][1] for each in queries}
        extract = Extract(readings, taken_at, scratch, progress)
        stack.callback(extract.remove_files)
        yield extract


class Extract:
    """The datasets of a report. `taken_at` is the moment of each source, by its name."""

    def __init__(
        self,
        readings: Mapping[str, DatasetReading],
        taken_at: Mapping[str, datetime],
        scratch: Path,
        progress: Progress,
    ) -> None:
        self.taken_at = taken_at
        self._readings = readings
        self._progress = progress
        self._kept = {
            name: KeptRows(scratch / f"{at}.arrows", reading.schema)
            for at, (name, reading) in enumerate(readings.items())
        }
        self._totals: dict[str, Figures] = {}
        scratch.mkdir(parents=True, exist_ok=True)

    def rows(self, name: str, columns: Sequence[str] | None = None) -> Batches:
        """A dataset's rows, or some of its columns: as often as one likes, read once.

        The source is read when the first row is asked for; raises WrongValue of a value that is
        not what its column says, QueryTooLong if the time is over, and what reading a source
        raises.
        """
        return Batches(lambda: self._from_file(name, columns))

    def stream(self, name: str, columns: Sequence[str] | None = None) -> Batches:
        """The same straight from the source, where they are asked for once only.

        The time limit goes on while whoever takes them works.
        """
        return Batches(lambda: self._from_source(name, columns))

    def count(self, name: str) -> int:
        """How many rows a dataset has."""
        return self.read(name).rows

    def read(self, name: str) -> Figures:
        """What was read of a dataset, counted and added up; it is read if it was not yet."""
        reading = self._readings[name]
        if reading.figures is None:
            self._keep(name)
        assert reading.figures is not None  # noqa: S101 - it was read to its end
        return reading.figures

    def totals(self, name: str) -> Figures:
        """The control totals that the source gives of a dataset, at the same moment."""
        if name not in self._totals:
            self._totals[name] = self._readings[name].totals()
        return self._totals[name]

    def preview(self, name: str, most: int = 20) -> Preview:
        """A look at a dataset without reading all of it."""
        reading = self._readings[name]
        plan = reading.plan()
        rows: list[Row] = []
        with reading.batches() as batches:
            for batch in batches:
                head = batch.slice(0, most - len(rows))
                rows += zip(*(column.to_pylist() for column in head.columns), strict=True)
                if len(rows) >= most:
                    break
        count = len(rows) if len(rows) < most else self._counted(reading)
        return Preview(rows=rows, count=count, expected=plan.rows, cost=plan.cost, plan=plan.lines)

    def remove_files(self) -> None:
        """Remove all that was kept."""
        for kept in self._kept.values():
            kept.remove()

    def _counted(self, reading: DatasetReading) -> int | None:
        try:
            return reading.counted(_COUNTED_WITHIN)
        except QueryTooLong:
            return None

    def _from_file(self, name: str, columns: Sequence[str] | None) -> Iterator[Any]:
        self._keep(name)
        yield from self._kept[name].batches(columns)

    def _keep(self, name: str) -> None:
        kept = self._kept[name]
        if kept.count is None:
            kept.keep(self._from_source(name, None))

    def _from_source(self, name: str, columns: Sequence[str] | None) -> Iterator[Any]:
        done = 0
        self._progress(name, done)
        with self._readings[name].batches() as batches:
            for batch in batches:
                yield batch if columns is None else batch.select(list(columns))
                done += batch.num_rows
                self._progress(name, done)


def _columns(database: Database, query: DatasetQuery) -> Mapping[str, str]:
    """The columns that are read, with their types."""
    try:
        given = database.columns(query.query, query.params)
    except InvalidQuery as error:
        raise query.invalid(error.facts["reason"]) from error
    wanted = [each.name for each in query.columns]
    wanted += [each.currency_column for each in query.columns if each.currency_column]
    for name in wanted:
        if name not in given:
            raise query.invalid(f"it gives no column {name!r}, only {', '.join(given)}")
    return {name: given[name] for name in dict.fromkeys(wanted)}
