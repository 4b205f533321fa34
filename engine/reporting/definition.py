"""A report, defined: what is asked of which source, and how the answer is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, get_args

from engine.exporters.document import Column, Kind
from engine.reporting.label import Label, Language
from engine.schedules.period import PeriodKind

ParamType = Literal["text", "integer", "date", "datetime", "boolean"]
Format = Literal["xlsx", "pdf", "csv", "csv-excel", "jsonl", "parquet", "html"]
FORMATS: tuple[Format, ...] = get_args(Format)
Unit = Literal["minor", "major"]
How = Literal["sum", "count", "min", "max"]


@dataclass(frozen=True, kw_only=True)
class ReportColumn:
    """One column of a query, and how it is shown.

    `language`: only documents in that language have it. `personal`: masked for whoever may not,
    or did not ask to, see it.
    """

    name: str
    label: Label
    kind: Kind = Kind.TEXT
    currency: str | None = None
    currency_column: str | None = None
    unit: Unit = "minor"
    width: int | None = None
    total: bool = False
    group: bool = False
    hidden: bool = False
    link: str | None = None
    personal: bool = False
    language: Language | None = None

    def shown(self, language: Language) -> Column:
        """The column of a document in that language."""
        return Column(
            name=self.name,
            title=self.label.said(language),
            kind=self.kind,
            currency=self.currency,
            currency_column=self.currency_column,
            width=self.width,
            hidden=self.hidden,
            link=self.link,
            total=self.total,
        )

    def is_in(self, language: Language) -> bool:
        """Whether a document in that language has it."""
        return self.language in (None, language)


@dataclass(frozen=True, kw_only=True)
class Param:
    """One value that whoever runs the report may choose; a default may hold tokens.

    `personal`: it is somebody's own, and the files and records of a run tell it to nobody.
    """

    name: str
    label: Label
    type: ParamType
    default: Any = None
    choices: Sequence[Any] = ()
    required: bool = True
    personal: bool = False


@dataclass(frozen=True, kw_only=True)
class Measure:
    """What a summary says of a column of each group; `count` is of its rows."""

    column: str | None
    how: How


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A small table made of a dataset: its rows grouped, and spread over columns if `across`.

    Of `by` and `across` a document has the columns of its language; of `across` one.
    """

    name: str
    label: Label
    dataset: str
    by: Sequence[str]
    across: Sequence[str]
    measures: Sequence[Measure]


@dataclass(frozen=True, kw_only=True)
class ReportChart:
    """A picture of a dataset's groups: a number for each of the labels of a language."""

    kind: Literal["bar", "line"]
    label: Label
    dataset: str
    labels: Sequence[str]
    value: str
    most: int


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """One query and its columns: a sheet, or a table.

    `required`: a report of which it has no rows is not made.
    """

    name: str
    label: Label
    query: str
    columns: Sequence[ReportColumn]
    note: Label | None = None
    required: bool = False

    def column(self, name: str) -> ReportColumn:
        """The column of that name."""
        return next(each for each in self.columns if each.name == name)

    def shown_in(self, language: Language) -> Sequence[ReportColumn]:
        """The columns of a document in that language, in order."""
        return [each for each in self.columns if each.is_in(language)]


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """A reconciliation that must have tied out for the period, and what becomes of it if not."""

    reconciliation: str
    otherwise: Literal["block", "stamp"] = "block"


@dataclass(frozen=True, kw_only=True)
class ReportDefinition:
    """Everything about one report."""

    name: str
    title: Label
    source: str
    datasets: Sequence[Dataset]
    owner: str = ""
    description: Label | None = None
    timezone: str = "UTC"
    confidentiality: Label | None = None
    period: PeriodKind | None = None
    params: Mapping[str, Param] = field(default_factory=dict)
    summaries: Sequence[Summary] = ()
    charts: Sequence[ReportChart] = ()
    formats: Sequence[str] = ("xlsx",)
    locales: Sequence[Language] = ("en",)
    template: str | None = None
    digits: Literal["latin", "arabic"] = "latin"
    hijri: bool = False
    requires: Sequence[Requirement] = ()
    time_limit: timedelta = timedelta(minutes=5)
    shows_personal_to: str | None = None

    @property
    def main(self) -> Dataset:
        """What the report is about."""
        return self.datasets[0]

    def dataset(self, name: str) -> Dataset:
        """The dataset of that name."""
        return next(each for each in self.datasets if each.name == name)

    @property
    def is_personal(self) -> bool:
        """Whether any of its columns is somebody's own."""
        return any(column.personal for each in self.datasets for column in each.columns)
