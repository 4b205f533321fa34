"""Manifests: what a report's file was made from, and what must be found in it ever after."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.artifact_files.spool import SpooledFile
from engine.clock import rfc3339
from engine.exporters.document import Column, Kind
from engine.exporters.recount.figures import Figures, Sum
from engine.exporters.recount.layout import Layout
from engine.money import format_minor
from engine.reporting.proof import Dataset, Proof
from engine.reporting.shown_params import is_hidden

_FORMAT = 1
_LONGEST_PROPERTY = 255  # of a workbook's


@dataclass(frozen=True, kw_only=True)
class ReportFacts:
    """What is known of a report before it is written; `params` are masked where they are secret."""

    report: str
    title: str
    definition_sha256: str
    template_sha256: str | None = None
    params: Mapping[str, Any]
    period: tuple[datetime, datetime] | None
    timezone: str
    snapshot_at: datetime
    code_version: str
    asked_by: str | None
    run: str
    locale: str = "en"
    confidentiality: str = ""

    def properties(self, datasets: Sequence[Dataset]) -> Mapping[str, str]:
        """The same as properties of a document, by names that programs can rely on."""
        said = {
            name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            for name, value in self.as_json().items()
            if value not in (None, "") and name not in ("params", "period")
        }
        if self.period is not None:
            said["period"] = "/".join(str(rfc3339(each)) for each in self.period)
        for name, value in self.params.items():
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            said[f"param.{name}"] = text
        for each in datasets:
            said[f"rows.{each.layout.name}"] = str(each.read.rows)
            said.update(_totals_said(each))
        return {name: _short(text) for name, text in said.items()}

    def as_json(self) -> dict[str, Any]:
        """The facts as a manifest has them."""
        return {
            "report": self.report,
            "title": self.title,
            "definition_sha256": self.definition_sha256,
            "template_sha256": self.template_sha256,
            "params": dict(self.params),
            "period": self.period and [rfc3339(each) for each in self.period],
            "timezone": self.timezone,
            "locale": self.locale,
            "confidentiality": self.confidentiality,
            "snapshot_at": rfc3339(self.snapshot_at),
            "code_version": self.code_version,
            "asked_by": self.asked_by,
            "run": self.run,
        }


def params_told(params: Mapping[str, Any], values: Mapping[str, Any]) -> Mapping[str, Any]:
    """A run's parameters and, for those of the report, what they stand for: defaults and days.

    `values` are as anybody may see them; what is hidden of the run's stays hidden.
    """
    hidden = {name: value for name, value in params.items() if is_hidden(value)}
    return {**params, **{name: _plain(value) for name, value in values.items()}, **hidden}


def manifest_of(
    facts: ReportFacts,
    datasets: Sequence[Dataset],
    file: SpooledFile,
    format_name: str,
    proof: Proof,
) -> dict[str, Any]:
    """The manifest of a file, but for its version and the name that this gives it."""
    counted: Sequence[Figures | None] = list(proof.counted or ())
    # A file of one table holds the first.
    held = datasets if proof.counted is None else datasets[: len(counted)]
    return {
        "manifest": _FORMAT,
        **facts.as_json(),
        "format": format_name,
        "media_type": file.media_type,
        "size": file.size,
        "sha256": file.sha256,
        "rows_written": proof.written,
        "datasets": [
            _dataset(each, counted[place] if place < len(counted) else None)
            for place, each in enumerate(held)
        ],
        "problems": list(proof.problems),
    }


def layouts_in(manifest: Mapping[str, Any]) -> Sequence[Layout]:
    """The layouts of the tables that a manifest's file has."""
    return [
        Layout(
            name=each["name"],
            title=each["title"],
            columns=[Column(**{**of, "kind": Kind(of["kind"])}) for of in each["columns"]],
            totals=each["rows_of_totals"],
        )
        for each in manifest["datasets"]
    ]


def figures_in(manifest: Mapping[str, Any]) -> Sequence[Figures]:
    """The figures of those tables, as they were read."""
    return [
        Figures(
            rows=each["rows"],
            sums={Sum(of["column"], of["currency"]): of["sum"] for of in each["totals"]},
        )
        for each in manifest["datasets"]
    ]


def _dataset(dataset: Dataset, counted: Figures | None) -> dict[str, Any]:
    layout, asked = dataset.layout, dataset.asked
    return {
        "name": layout.name,
        "title": layout.title,
        "rows": dataset.read.rows,
        "rows_in_source": asked and asked.rows,
        "rows_in_file": counted and counted.rows,
        "totals": [
            {"column": name, "currency": currency, "sum": total}
            for (name, currency), total in sorted((dataset.read.sums or {}).items(), key=str)
        ],
        "totals_found_in": [
            *(["source"] if asked and asked.sums is not None else []),
            *(["file"] if counted and counted.sums is not None else []),
        ],
        "rows_of_totals": layout.totals,
        "columns": [_column(column) for column in layout.columns],
    }


def _column(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "title": column.title,
        "kind": str(column.kind),
        "currency": column.currency,
        "currency_column": column.currency_column,
        "hidden": column.hidden,
        "total": column.total,
    }


def _totals_said(dataset: Dataset) -> Iterator[tuple[str, str]]:
    kinds = {column.name: column.kind for _, column in dataset.layout.added()}
    for (name, currency), total in sorted((dataset.read.sums or {}).items(), key=str):
        key = ".".join(("total", dataset.layout.name, name, *([currency] if currency else [])))
        money = kinds.get(name) is Kind.MONEY
        yield key, format_minor(total, currency or "").replace(",", "") if money else str(total)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    return value if value is None or isinstance(value, str | int) else str(value)


def _short(text: str) -> str:
    """A text as a workbook's property can be; the manifest has all of it."""
    return text if len(text) <= _LONGEST_PROPERTY else f"{text[: _LONGEST_PROPERTY - 1]}…"
