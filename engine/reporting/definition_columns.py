"""What a report's file may say about a column, and which settings need which type."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from engine.exporters.document import Kind
from engine.reporting.definition import ReportColumn
from engine.reporting.label import Label

Text = Annotated[str, Field(min_length=1)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
ColumnType = Literal["text", "integer", "money", "percent", "date", "datetime", "boolean"]

_LINKS = ("https://", "mailto:")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class LabelModel(_Strict):
    """A text in each language."""

    en: Text
    ar: Text | None = None


Labelled = Text | LabelModel


def label(said: "str | LabelModel") -> Label:
    """As the engine sees it; a bare text is English."""
    return Label(en=said) if isinstance(said, str) else Label(en=said.en, ar=said.ar)


class ColumnModel(_Strict):
    """One column of the query."""

    label: Labelled = Field(description="The heading, in English and Arabic.")
    type: ColumnType = Field(default="text", description="What its cells are.")
    currency: Currency | None = Field(default=None, description="Of all its amounts: SAR.")
    currency_column: Name | None = Field(
        default=None, description="The column that holds each amount's currency."
    )
    unit: Literal["minor", "major"] = Field(
        default="minor",
        description="How the query gives amounts: whole minor units, or exact decimals.",
    )
    width: int | None = Field(default=None, ge=1, le=255, description="In characters.")
    total: bool = Field(default=False, description="Added up below the rows, by currency.")
    group: bool = Field(default=False, description="Totals by this column come first.")
    hidden: bool = Field(
        default=False, description="In data files only; a hidden column of a workbook."
    )
    link: Text | None = Field(
        default=None, description="A URL with {} where the cell's value goes."
    )
    personal: bool = Field(
        default=False, description="Somebody's own: masked unless it may be, and is, asked for."
    )
    language: Literal["en", "ar"] | None = Field(
        default=None, description="Only documents in this language have the column."
    )

    @field_validator("link")
    @classmethod
    def _link_leads_somewhere(cls, link: str | None) -> str | None:
        if link is None:
            return None
        if not link.startswith(_LINKS):
            raise ValueError(f"a link begins with {' or '.join(_LINKS)}, not {link[:40]!r}")
        if link.count("{}") != 1:
            raise ValueError("a link has one {} where the cell's value goes")
        return link

    @model_validator(mode="after")
    def _settings_suit_the_type(self) -> "ColumnModel":
        currencies = [self.currency, self.currency_column].count(None)
        if self.type == "money" and currencies == 2:
            raise ValueError("money needs `currency: SAR`, or `currency_column:` and its name")
        if self.type == "money" and currencies == 0:
            raise ValueError("`currency` and `currency_column` exclude each other; keep one")
        if self.type != "money" and currencies != 2:
            raise ValueError(f"a currency is for `type: money`, not for {self.type}")
        if self.type != "money" and "unit" in self.model_fields_set:
            raise ValueError(f"`unit` is for `type: money`, not for {self.type}")
        if self.total and self.type not in ("money", "integer"):
            raise ValueError(f"`total` is for money and integers; {self.type} is not added up")
        if self.group and self.type in ("money", "percent"):
            raise ValueError(f"`group` is for what rows have in common, not for {self.type}")
        if self.link is not None and self.type not in ("text", "integer"):
            raise ValueError(f"`link` is for text and integers, not for {self.type}")
        if self.link is not None and self.personal:
            raise ValueError("`link` would carry what `personal` masks; keep one of them")
        if self.group and self.personal:
            raise ValueError("`group` would tell apart what `personal` masks; keep one of them")
        return self

    def parsed(self, name: str) -> ReportColumn:
        """As the engine sees it."""
        return ReportColumn(
            name=name,
            label=label(self.label),
            kind=Kind(self.type),
            currency=self.currency,
            currency_column=self.currency_column,
            unit=self.unit,
            width=self.width,
            total=self.total,
            group=self.group,
            hidden=self.hidden,
            link=self.link,
            personal=self.personal,
            language=self.language,
        )
