"""Reading a report: its queries asked at one moment, what is personal masked on the way."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from engine.clock import Clock
from engine.errors import Invalid
from engine.exporters.batches import Batches
from engine.reporting.asking import Asked
from engine.reporting.definition import ReportDefinition
from engine.reporting.extract import DatasetQuery, Extract, Progress, open_extract
from engine.reporting.masking import masked_rows
from engine.reporting.report_params import bound
from engine.sources.catalog import Sources


class NoRows(Invalid):
    """A dataset without which a report says nothing is empty; another attempt would find the same.

    The params that its query names are told, and not their values: they may be somebody's own.
    """

    message = (
        "dataset {dataset} has no rows: the report {report} is not made without it; nothing in "
        "{source} fits what was asked for{params}"
    )


@dataclass(frozen=True, kw_only=True)
class ReportReading:
    """The rows of a report's datasets, as whoever asked for it may see them."""

    extract: Extract
    definition: ReportDefinition
    masked: bool

    @property
    def read_at(self) -> datetime:
        """The moment that everything is of."""
        return self.extract.taken_at[self.definition.source]

    def require_rows(self) -> None:
        """Raise NoRows for the first dataset that must have some and has none."""
        for dataset in self.definition.datasets:
            if dataset.required and not self.extract.count(dataset.name):
                names = ", ".join(bound(self.definition, dataset, {}))
                raise NoRows(
                    dataset=dataset.name,
                    report=self.definition.name,
                    source=self.definition.source,
                    params=f"; see the params {names}" if names else "",
                )

    def rows(self, name: str) -> Batches:
        """All columns of a dataset."""
        rows = self.extract.rows(name)
        return masked_rows(rows, self.definition.dataset(name)) if self.masked else rows


@contextmanager
def open_reading(
    definition: ReportDefinition,
    asked: Asked,
    sources: Sources,
    *,
    scratch: Path,
    clock: Clock,
    progress: Progress = lambda name, rows: None,
) -> Iterator[ReportReading]:
    """Read the report of `definition` for what was `asked`; its scratch files go at the end."""
    queries = [
        DatasetQuery(
            name=dataset.name,
            source=definition.source,
            query=dataset.query,
            columns=dataset.columns,
            params=bound(definition, dataset, asked.values),
            timezone=definition.timezone,
            time_limit=definition.time_limit,
        )
        for dataset in definition.datasets
    ]
    with open_extract(queries, sources, scratch=scratch, clock=clock, progress=progress) as extract:
        yield ReportReading(extract=extract, definition=definition, masked=asked.masked)
