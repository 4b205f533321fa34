"""What a report's YAML file may say about its params, summaries, charts and conditions."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from engine.reporting.definition import Measure, Param, ReportChart, Summary
from engine.reporting.definition_columns import Labelled, Name, Text, label
from engine.reporting.label import Label


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ParamModel(_Strict):
    """A value that whoever runs the report may choose."""

    label: Labelled | None = None
    type: Literal["text", "integer", "date", "datetime", "boolean"] = "text"
    default: Any = Field(
        default=None, description="May be ${period.start} or ${period.end}; none makes it NULL."
    )
    choices: list[Any] = Field(default=[], description="The only values that it may have.")
    required: bool = Field(default=True, description="Whether a run without it is refused.")
    personal: bool = Field(
        default=False,
        description="It is somebody's own: *** wherever a run, its files or their records tell it.",
    )

    def parsed(self, name: str) -> Param:
        """As the engine sees it."""
        return Param(
            name=name,
            label=label(self.label) if self.label else Label(en=name.replace("_", " ")),
            type=self.type,
            default=self.default,
            choices=tuple(self.choices),
            required=self.required and self.default is None,
            personal=self.personal,
        )


class MeasureModel(_Strict):
    """One number of each group."""

    how: Literal["sum", "count", "min", "max"] = "sum"
    column: Name | None = None

    @model_validator(mode="after")
    def _a_column_unless_rows_are_counted(self) -> "MeasureModel":
        if (self.how == "count") != (self.column is None):
            raise ValueError("`count` counts rows and takes no `column`; the others need one")
        return self

    def parsed(self) -> Measure:
        """As the engine sees it."""
        return Measure(column=self.column, how=self.how)


class SummaryModel(_Strict):
    """A small table of groups; amounts of different currencies are never added up."""

    label: Labelled
    dataset: Text | None = None
    by: list[Name] = Field(min_length=1, description="The columns whose values make a group.")
    across: list[Name] = Field(
        default=[], description="A column of each language whose values become columns: a pivot."
    )
    measures: list[MeasureModel] = Field(min_length=1)

    def parsed(self, name: str, main: str) -> Summary:
        """As the engine sees it."""
        return Summary(
            name=name,
            label=label(self.label),
            dataset=self.dataset or main,
            by=tuple(self.by),
            across=tuple(self.across),
            measures=[each.parsed() for each in self.measures],
        )


class ChartModel(_Strict):
    """Bars or a line: one number for each label."""

    type: Literal["bar", "line"] = "bar"
    label: Labelled
    dataset: Text | None = None
    labels: list[Name] = Field(
        min_length=1, description="The column, one for each language, that the bars are called by."
    )
    value: Name = Field(description="The column that is added up for each of them.")
    most: int = Field(default=20, ge=1, le=100, description="So many, the largest, are drawn.")

    def parsed(self, main: str) -> ReportChart:
        """As the engine sees it."""
        return ReportChart(
            kind=self.type,
            label=label(self.label),
            dataset=self.dataset or main,
            labels=tuple(self.labels),
            value=self.value,
            most=self.most,
        )


class RequirementModel(_Strict):
    """A reconciliation that must have tied out for the report's period."""

    reconciliation: Text
    otherwise: Literal["block", "stamp"] = "block"


class PersonalModel(_Strict):
    """Who may see the columns that are `personal`."""

    role: Literal["operator", "approver", "admin"]
