"""A look at a report before it is made: its first rows, how many there are, what it will cost."""

import io
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from engine.clock import Clock
from engine.exporters.batches import Batches, batches_of
from engine.exporters.cells import TextRows
from engine.exporters.document import Document, Kind, Row, Table
from engine.exporters.exporter import Exporter
from engine.reporting.asking import Asked, Wish, settle
from engine.reporting.definition import ReportDefinition
from engine.reporting.definitions import ReportDefinitions
from engine.reporting.extract import Preview
from engine.reporting.masking import masked_rows
from engine.reporting.reading import open_reading
from engine.reporting.report_documents import ReportDocuments, Told
from engine.schedules.zones import zone_named

_NUMBERS = (Kind.INTEGER, Kind.MONEY, Kind.PERCENT)
_SAMPLE = 200  # rows that are written to see what a format costs


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one file in a format will take: CPU time and bytes, from having written some rows."""

    format: str
    seconds: float
    size: int


@dataclass(frozen=True, kw_only=True)
class DatasetPreview:
    """The first rows of a dataset as people read them; `count` is None where counting took long."""

    name: str
    titles: Sequence[str]
    names: Sequence[str]
    numbers: Sequence[str]
    rows: Sequence[Sequence[str]]
    count: int | None
    expected: int | None
    plan: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class ReportPreview:
    """All of it; the costs are those of the rows of all datasets."""

    period: str | None
    read_at: datetime
    datasets: Sequence[DatasetPreview]
    costs: Sequence[Cost]
    files: int


@dataclass(frozen=True, kw_only=True)
class Previews:
    """Looks at reports; nothing is booked or stored."""

    definitions: ReportDefinitions
    exporters: Mapping[str, Exporter]
    clock: Clock

    def look(self, name: str, wish: Wish, *, most: int, scratch: Path) -> ReportPreview:
        """The first rows of each dataset in the first language; what is personal is masked."""
        definition = self.definitions.load(name)
        now = self.clock.now()
        asked = settle(definition, replace(wish, personal=False), at=now)
        with open_reading(
            definition, asked, self.definitions.sources, scratch=scratch, clock=self.clock
        ) as reading:
            found = {
                each.name: reading.extract.preview(each.name, max(most, _SAMPLE))
                for each in definition.datasets
            }
            read_at = reading.read_at
        held = _Held(definition, asked, {name: each.rows for name, each in found.items()})
        told = Told(made_at=now, read_at=read_at, period=asked.period, values=asked.values)
        whole = ReportDocuments(definition=asked.definition, reading=held, told=told).whole(
            asked.locales[0]
        )
        return ReportPreview(
            period=asked.period.name if asked.period else None,
            read_at=read_at,
            datasets=[_shown(table, found[table.name], most, whole) for table in whole.tables],
            costs=[self._cost(each, whole, found) for each in asked.formats],
            files=len(asked.formats) * len(asked.locales),
        )

    def _cost(self, name: str, document: Document, found: Mapping[str, Preview]) -> Cost:
        """A file of no rows and one of some tell what each row adds."""
        empty = replace(document, tables=[replace(each, rows=()) for each in document.tables])
        exporter = self.exporters[name]
        none, some = _written(exporter, empty), _written(exporter, document)
        sample = sum(len(each.rows) for each in found.values())
        rows = sum(_count(each) for each in found.values())
        times = rows / sample if sample else 0
        return Cost(
            format=name,
            seconds=none[0] + max(some[0] - none[0], 0) * times,
            size=none[1] + int(max(some[1] - none[1], 0) * times),
        )


@dataclass(frozen=True)
class _Held:
    """The rows that a preview gave, as a reading of them."""

    definition: ReportDefinition
    asked: Asked
    held: Mapping[str, Sequence[Row]] = field(default_factory=dict)

    def rows(self, name: str) -> Batches:
        """All columns of a dataset."""
        dataset = self.definition.dataset(name)
        columns = [each.shown("en") for each in dataset.columns]
        table = Table(name=name, title=name, columns=columns, rows=self.held[name])
        rows = Batches(lambda: batches_of(table))
        return masked_rows(rows, dataset) if self.asked.masked else rows


def _shown(table: Table, found: Preview, most: int, document: Document) -> DatasetPreview:
    rows: list[list[str]] = []
    for row in TextRows(table, zone_named(document.timezone)):
        if len(rows) == most:
            break
        rows.append(row)
    return DatasetPreview(
        name=table.name,
        titles=[each.title for each in table.columns],
        names=[each.name for each in table.columns],
        numbers=[each.name for each in table.columns if each.kind in _NUMBERS],
        rows=rows,
        count=found.count,
        expected=found.expected,
        plan=found.plan,
    )


def _count(found: Preview) -> int:
    known = (found.count, found.expected, len(found.rows))
    return next(count for count in known if count is not None)


def _written(exporter: Exporter, document: Document) -> tuple[float, int]:
    target = io.BytesIO()
    started = time.process_time()
    exporter.write(document, target)
    return time.process_time() - started, len(target.getbuffer())
