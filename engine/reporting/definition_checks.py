"""What no part of a report's file shows by itself: names that must fit each other."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from engine.documents.closest import suggestion
from engine.documents.problem import KeyPath
from engine.exporters.document import Kind
from engine.reporting.definition import Dataset, Param, ReportColumn, ReportDefinition
from engine.reporting.label import Label
from engine.reporting.placeholders import placeholders
from engine.reporting.report_params import value_of
from engine.schedules.tokens import fill, wrong_tokens

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_NAME_WORDS = "1 to 64 of a-z, 0-9, '_' and '-', and begins with a letter or a digit"
_SAMPLE = {
    "period.start": "2026-01-31T00:00:00+03:00",
    "period.end": "2026-02-01T00:00:00+03:00",
}

RESERVED = frozenset(
    {
        *("name", "dataset", "period", "formats", "locales"),
        *("personal", "archive", "password", "params"),
    }
)
"""What the jobs that make reports take themselves; no param of a report could be given so."""

Found = Iterator[tuple[KeyPath, str]]


def misfits(definition: ReportDefinition, data: Mapping[str, Any]) -> Found:
    """Everything that does not fit, each with its way from the top of the file's `data`."""
    if not NAME.fullmatch(definition.name):
        yield (
            (),
            f"the file's name {definition.name[:70]!r} cannot name a report: that is "
            + (_NAME_WORDS),
        )
    for dataset in definition.datasets:
        path = ("datasets", dataset.name) if "datasets" in data else ()
        yield from _dataset(definition, dataset, path)
    yield from _params(definition)
    yield from _unused_params(definition)
    yield from _summaries(definition)
    yield from _charts(definition)
    yield from _personal(definition)
    yield from _labels(definition, data)


def _dataset(definition: ReportDefinition, dataset: Dataset, path: KeyPath) -> Found:
    if path and not NAME.fullmatch(dataset.name):
        yield path, f"a dataset's name is {_NAME_WORDS}"
    names = {column.name for column in dataset.columns}
    for column in dataset.columns:
        here = (*path, "columns", column.name)
        wanted = column.currency_column
        if wanted is not None and wanted not in names:
            hint = suggestion(wanted, names)
            yield (*here, "currency_column"), f"no column is named {wanted!r}; {hint}"
        elif wanted is not None:
            yield from _currency(dataset, column, here)
        if column.language is not None and column.language not in definition.locales:
            text = f"the report is not made in {column.language!r}; see `locales`"
            yield (*here, "language"), text
    for locale in definition.locales:
        if not any(not column.hidden for column in dataset.shown_in(locale)):
            yield (*path, "columns"), f"no column is left to be shown in {locale!r}"
    for name in placeholders(dataset.query):
        if name not in definition.params:
            hint = suggestion(name, definition.params)
            yield (*path, "query"), f"the query has :{name}, which is no param; {hint}"


def _currency(dataset: Dataset, column: ReportColumn, here: KeyPath) -> Found:
    code = dataset.column(column.currency_column or "")
    if code.kind is not Kind.TEXT or code.personal:
        yield (*here, "currency_column"), f"{code.name!r} holds no codes: it must be plain text"
    elif code.language not in (None, column.language):
        text = f"{code.name!r} is not there in every language that {column.name!r} is"
        yield (*here, "currency_column"), text


def _params(definition: ReportDefinition) -> Found:
    for name, param in definition.params.items():
        path = ("params", name)
        if name in RESERVED:
            yield path, f"{name!r} is what a run of any report takes; call this param otherwise"
        for place, choice in enumerate(param.choices):
            yield from _value(definition, param, choice, (*path, "choices", place), among=False)
        if param.default is None:
            continue
        has_period = definition.period is not None
        wrong = list(wrong_tokens(param.default, has_period=True))
        for _, message in wrong:
            yield (*path, "default"), message
        if not wrong and not has_period and "${period." in str(param.default):
            text = "a default of the period needs a `period` in this file, for runs without one"
            yield (*path, "default"), text
        elif not wrong:
            yield from _value(definition, param, param.default, (*path, "default"), among=True)


def _value(
    definition: ReportDefinition, param: Param, raw: Any, path: KeyPath, *, among: bool
) -> Found:
    asked = param if among else replace(param, choices=())
    try:
        value_of(asked, fill(raw, _SAMPLE), ZoneInfo(definition.timezone))
    except ValueError as error:
        yield path, str(error)


def _unused_params(definition: ReportDefinition) -> Found:
    used = {name for dataset in definition.datasets for name in placeholders(dataset.query)}
    for name in definition.params:
        if name not in used:
            yield ("params", name), f"no query has :{name}; use it there, or leave it out here"


def _summaries(definition: ReportDefinition) -> Found:
    for summary in definition.summaries:
        path = ("summaries", summary.name)
        if not NAME.fullmatch(summary.name):
            yield path, f"a summary's name is {_NAME_WORDS}"
        if not (dataset := _known(definition, summary.dataset)):
            yield (*path, "dataset"), _no_dataset(definition, summary.dataset)
            continue
        yield from _label_columns(definition, dataset, summary.by, (*path, "by"))
        if summary.across:
            across = (*path, "across")
            yield from _label_columns(definition, dataset, summary.across, across, one=True)
        for name in summary.across:
            if name in summary.by:
                yield (*path, "across"), f"{name!r} is in `by` already"
        for place, measure in enumerate(summary.measures):
            if measure.column is not None:
                where = (*path, "measures", place, "column")
                yield from _number_column(dataset, measure.column, where)


def _charts(definition: ReportDefinition) -> Found:
    for place, chart in enumerate(definition.charts):
        path = ("charts", place)
        if not (dataset := _known(definition, chart.dataset)):
            yield (*path, "dataset"), _no_dataset(definition, chart.dataset)
            continue
        labels = (*path, "labels")
        yield from _label_columns(definition, dataset, chart.labels, labels, one=True)
        yield from _number_column(dataset, chart.value, (*path, "value"))


def _known(definition: ReportDefinition, name: str) -> Dataset | None:
    return next((each for each in definition.datasets if each.name == name), None)


def _no_dataset(definition: ReportDefinition, name: str) -> str:
    names = [each.name for each in definition.datasets]
    return f"no dataset is named {name!r}; {suggestion(name, names)}"


def _label_columns(
    definition: ReportDefinition,
    dataset: Dataset,
    names: Sequence[str],
    path: KeyPath,
    *,
    one: bool = False,
) -> Found:
    """Columns to group by: some for each language that the report is made in, or just `one`."""
    wrong = [
        found
        for place, name in enumerate(names)
        for found in _label_column(dataset, name, (*path, place))
    ]
    yield from wrong
    for locale in () if wrong else definition.locales:
        here = [name for name in names if dataset.column(name).is_in(locale)]
        if not here:
            yield path, f"none of these columns is there in {locale!r}"
        elif one and len(here) > 1:
            yield path, f"one column for each language; in {locale!r} these are {', '.join(here)}"


def _label_column(dataset: Dataset, name: str, path: KeyPath) -> Found:
    found = {column.name: column for column in dataset.columns}
    if name not in found:
        yield path, f"no column is named {name!r}; {suggestion(name, found)}"
    elif found[name].kind in (Kind.MONEY, Kind.PERCENT):
        yield path, f"{name!r} is an amount; rows are grouped by what they have in common"
    elif found[name].personal:
        yield path, f"{name!r} is personal; a group of it would tell whose it is"


def _number_column(dataset: Dataset, name: str, path: KeyPath) -> Found:
    found = {column.name: column for column in dataset.columns}
    if name not in found:
        yield path, f"no column is named {name!r}; {suggestion(name, found)}"
    elif found[name].kind not in (Kind.MONEY, Kind.INTEGER):
        yield path, f"{name!r} is {found[name].kind}; only money and integers are added up"


def _personal(definition: ReportDefinition) -> Found:
    if definition.shows_personal_to is not None and not definition.is_personal:
        yield ("personal",), "no column is `personal`, so there is nothing to show"


def _labels(definition: ReportDefinition, data: Mapping[str, Any]) -> Found:
    """A report that is made in Arabic says everything in Arabic."""
    if "ar" not in definition.locales:
        return
    message = "this report is made in 'ar'; write {en: ..., ar: ...}"
    for path, label in _all_labels(definition, data):
        if label is not None and label.ar is None:
            yield path, message


def _all_labels(
    definition: ReportDefinition, data: Mapping[str, Any]
) -> Iterator[tuple[KeyPath, Label | None]]:
    yield ("title",), definition.title
    yield ("description",), definition.description
    yield ("confidentiality",), definition.confidentiality
    for dataset in definition.datasets:
        path: KeyPath = ("datasets", dataset.name) if "datasets" in data else ()
        if path:
            yield (*path, "label"), dataset.label
            yield (*path, "note"), dataset.note
        for column in dataset.columns:
            if column.language != "en":
                yield (*path, "columns", column.name, "label"), column.label
    for summary in definition.summaries:
        yield ("summaries", summary.name, "label"), summary.label
    for place, chart in enumerate(definition.charts):
        yield ("charts", place, "label"), chart.label


def unknown_requirements(definition: ReportDefinition, known: Collection[str]) -> Found:
    """Reconciliations that it requires and nobody defines."""
    for place, each in enumerate(definition.requires):
        if each.reconciliation not in known:
            hint = suggestion(each.reconciliation, known)
            path = ("requires", place, "reconciliation")
            yield path, f"no reconciliation is named {each.reconciliation!r}; {hint}"
