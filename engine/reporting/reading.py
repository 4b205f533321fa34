"""Reading a report: its queries asked at one moment, what is personal masked on the way."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from engine.clock import Clock
from engine.exporters.batches import Batches
from engine.reporting.asking import Asked
from engine.reporting.definition import ReportDefinition
from engine.reporting.extract import DatasetQuery, Extract, Progress, open_extract
from engine.reporting.masking import masked_rows
from engine.reporting.report_params import bound
from engine.sources.catalog import Sources


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
