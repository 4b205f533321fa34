"""What a report's YAML file may say; a message for people where it may not."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from engine.reporting.definition import Dataset, Format, ReportDefinition, Requirement
from engine.reporting.definition_columns import ColumnModel, Labelled, Name, Text, label
from engine.reporting.definition_parts import (
    ChartModel,
    ParamModel,
    PersonalModel,
    RequirementModel,
    SummaryModel,
)
from engine.schedules.durations import duration
from engine.schedules.period import PeriodKind
from engine.schedules.zones import zone_named

Columns = Annotated[dict[Name, ColumnModel], Field(min_length=1)]
Unique = Field(min_length=1)
MAIN = "main"
"""What the one dataset of a file with `query` and `columns` at its top is called."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class DatasetModel(_Strict):
    """One query and its columns: one sheet of a workbook."""

    label: Labelled
    query: Text
    columns: Columns
    note: Labelled | None = None
    required: bool = Field(
        default=False, description="Whether a run fails, and leaves no file, if there are no rows."
    )

    def parsed(self, name: str) -> Dataset:
        """As the engine sees it."""
        return Dataset(
            name=name,
            label=label(self.label),
            query=_query(self.query),
            columns=[column.parsed(each) for each, column in self.columns.items()],
            note=label(self.note) if self.note else None,
            required=self.required,
        )


class ReportModel(_Strict):
    """The whole file."""

    title: Labelled
    description: Labelled | None = None
    owner: Text
    source: Text
    timezone: str = "UTC"
    confidentiality: Labelled | None = None
    period: PeriodKind | None = Field(
        default=None, description="What a run reports on that has no period of its own."
    )
    params: dict[Name, ParamModel] = {}
    query: Text | None = None
    columns: Columns | None = None
    required: bool | None = Field(
        default=None, description="Of `query`: whether a run fails if there are no rows."
    )
    datasets: Annotated[dict[str, DatasetModel], Field(min_length=1)] | None = None
    summaries: dict[str, SummaryModel] = {}
    charts: list[ChartModel] = []
    formats: Annotated[list[Format], Unique] = ["xlsx"]
    locales: Annotated[list[Literal["en", "ar"]], Unique] = ["en"]
    template: Text | None = None
    digits: Literal["latin", "arabic"] = "latin"
    hijri: bool = False
    requires: list[RequirementModel] = []
    time_limit: str = "5m"
    personal: PersonalModel | None = None

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, name: str) -> str:
        return zone_named(name).key

    @field_validator("time_limit")
    @classmethod
    def _time_limit_is_one(cls, text: str) -> str:
        duration(text)
        return text

    @field_validator("formats", "locales")
    @classmethod
    def _each_is_named_once(cls, names: list[str]) -> list[str]:
        twice = [name for place, name in enumerate(names) if name in names[:place]]
        if twice:
            raise ValueError(f"{twice[0]!r} is listed twice")
        return names

    @model_validator(mode="after")
    def _rows_come_from_one_place(self) -> "ReportModel":
        own = [self.query, self.columns]
        if self.datasets is not None and self.required is not None:
            raise ValueError("`required` belongs to one of the `datasets`; write it there")
        if self.datasets is not None and own != [None, None]:
            raise ValueError("`datasets` and `query` with `columns` exclude each other; keep one")
        if self.datasets is None and None in own:
            raise ValueError("it needs `query` and `columns`, or several of them as `datasets`")
        return self

    def parsed(self, name: str) -> ReportDefinition:
        """As the engine sees it."""
        datasets = self._datasets()
        main = datasets[0].name
        return ReportDefinition(
            name=name,
            title=label(self.title),
            description=label(self.description) if self.description else None,
            owner=self.owner,
            source=self.source,
            timezone=self.timezone,
            confidentiality=label(self.confidentiality) if self.confidentiality else None,
            period=self.period,
            params={each: param.parsed(each) for each, param in self.params.items()},
            datasets=datasets,
            summaries=[each.parsed(key, main) for key, each in self.summaries.items()],
            charts=[each.parsed(main) for each in self.charts],
            formats=tuple(self.formats),
            locales=tuple(self.locales),
            template=self.template,
            digits=self.digits,
            hijri=self.hijri,
            requires=[
                Requirement(reconciliation=each.reconciliation, otherwise=each.otherwise)
                for each in self.requires
            ],
            time_limit=duration(self.time_limit),
            shows_personal_to=self.personal.role if self.personal else None,
        )

    def _datasets(self) -> list[Dataset]:
        if self.datasets is not None:
            return [dataset.parsed(name) for name, dataset in self.datasets.items()]
        columns = [each.parsed(name) for name, each in (self.columns or {}).items()]
        return [
            Dataset(
                name=MAIN,
                label=label(self.title),
                query=_query(self.query or ""),
                columns=columns,
                required=self.required or False,
            )
        ]


def _query(text: str) -> str:
    return text.strip().removesuffix(";")
