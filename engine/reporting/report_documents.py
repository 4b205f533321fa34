"""What a report says, as documents: one for people in each language, one for each set of rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from engine.exporters.batches import Batches
from engine.exporters.document import BarChart, Document, Fact, Table
from engine.exporters.words import words_of
from engine.reporting.charts import charts_of
from engine.reporting.definition import (
    Dataset,
    Measure,
    ReportChart,
    ReportDefinition,
    Summary,
)
from engine.reporting.label import Label, Language
from engine.reporting.period import ReportPeriod
from engine.reporting.requirement import Unreconciled
from engine.reporting.summaries import summary_table
from engine.reporting.totals import Sums, added_up, total_rows


class Reading(Protocol):
    """The rows of a report's datasets, all of one moment, as often as one likes."""

    def rows(self, name: str) -> Batches:
        """All columns of a dataset."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What every document of a run says; `stamps` are of reconciliations that it lacks.

    `values` are those of the params as anybody may see them.
    """

    made_at: datetime
    read_at: datetime
    period: ReportPeriod | None
    values: Mapping[str, Any]
    run: str = ""
    stamps: Mapping[str, Unreconciled] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ReportDocuments:
    """Makes the documents of one run of a report."""

    definition: ReportDefinition
    reading: Reading
    told: Told
    _sums: dict[str, Sums] = field(default_factory=dict)

    def whole(self, language: Language) -> Document:
        """Everything, for people: what it is about, summaries, charts, every set of rows."""
        definition = self.definition
        return replace(
            self._document(language, definition.datasets),
            summaries=[self._summary(each, language) for each in self._summaries(language)],
            charts=[chart for each in definition.charts for chart in self._charts(each, language)],
            facts=list(self._facts(language)),
            notices=[stamp.notice(language) for stamp in self.told.stamps.values()],
        )

    def rows_of(self, dataset: Dataset, language: Language) -> Document:
        """One set of rows alone, for formats that hold just that."""
        return self._document(language, [dataset])

    def _document(self, language: Language, datasets: Sequence[Dataset]) -> Document:
        definition = self.definition
        said = definition.confidentiality
        return Document(
            title=definition.title.said(language),
            subtitle=definition.description.said(language) if definition.description else "",
            made_at=self.told.made_at,
            timezone=definition.timezone,
            language=language,
            digits=definition.digits,
            hijri=definition.hijri,
            confidentiality=said.said(language) if said else "",
            tables=[self._table(each, language) for each in datasets],
            template=definition.template,
            keywords=("report", definition.name),
        )

    def _table(self, dataset: Dataset, language: Language) -> Table:
        shown = dataset.shown_in(language)
        said = words_of(language).total
        rows = self.reading.rows(dataset.name)
        names = [column.name for column in shown]
        if len(names) < len(dataset.columns):
            whole = rows
            rows = Batches(lambda: (batch.select(names) for batch in whole.make()))
        return Table(
            name=dataset.name,
            title=dataset.label.said(language),
            columns=[column.shown(language) for column in shown],
            rows=rows,
            totals=total_rows(shown, self._added_up(dataset), said),
            note=dataset.note.said(language) if dataset.note else "",
        )

    def _added_up(self, dataset: Dataset) -> Sums:
        """The totals of a dataset, which every document of the run has."""
        if dataset.name not in self._sums:
            batches = self.reading.rows(dataset.name).make()
            self._sums[dataset.name] = added_up(dataset.columns, batches)
        return self._sums[dataset.name]

    def _summary(self, summary: Summary, language: Language) -> Table:
        dataset = self.definition.dataset(summary.dataset)
        rows = self.reading.rows(summary.dataset).make()
        return summary_table(summary, dataset, rows, language)

    def _charts(self, chart: ReportChart, language: Language) -> Iterator[BarChart]:
        dataset = self.definition.dataset(chart.dataset)
        return charts_of(chart, dataset, self.reading.rows(chart.dataset).make(), language)

    def _summaries(self, language: Language) -> list[Summary]:
        """Those that the file defines, behind one of each dataset that has `group` columns."""
        return [
            *(
                by_groups(each)
                for each in self.definition.datasets
                if any(column.group and column.is_in(language) for column in each.columns)
            ),
            *self.definition.summaries,
        ]

    def _facts(self, language: Language) -> list[Fact]:
        words, told = words_of(language), self.told
        facts = []
        if told.period is not None:
            first, last = told.period.start.date().isoformat(), told.period.last_day.isoformat()
            both = words.period_from_to.format(start=first, end=last)
            facts.append(Fact(label=words.period, value=first if first == last else both))
        for name, value in told.values.items():
            param = self.definition.params[name]
            if value is not None and "${period." not in str(param.default):
                shown = value if isinstance(value, str | datetime) else str(value)
                facts.append(Fact(label=param.label.said(language), value=shown))
        facts.append(Fact(label=words.snapshot, value=told.read_at))
        if told.run:
            facts.append(Fact(label=words.run, value=told.run))
        return facts


def by_groups(dataset: Dataset) -> Summary:
    """The summary that the `group` columns of a dataset ask for: rows, and what has a total."""
    grouping = [column for column in dataset.columns if column.group]
    totals = [column.name for column in dataset.columns if column.total]
    measures = [Measure(column=None, how="count")]
    measures += [Measure(column=name, how="sum") for name in totals]
    ar = "، ".join(each.label.said("ar") for each in grouping if each.is_in("ar"))
    en = ", ".join(each.label.said("en") for each in grouping if each.is_in("en"))
    return Summary(
        name=f"{dataset.name}_by_group",
        label=Label(en=f"{dataset.label.en}: {en}", ar=f"{dataset.label.said('ar')}: {ar}"),
        dataset=dataset.name,
        by=[column.name for column in grouping],
        across=(),
        measures=measures,
    )
