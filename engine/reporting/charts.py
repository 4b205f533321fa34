"""Charts of a report: the groups of a dataset, added up, as bars or as points of a line."""

from collections.abc import Iterable, Iterator
from typing import Any

from engine.exporters.document import Bar, BarChart
from engine.exporters.words import words_of
from engine.reporting.definition import Dataset, Measure, ReportChart
from engine.reporting.groups import grouped
from engine.reporting.label import Language


def charts_of(
    chart: ReportChart, dataset: Dataset, batches: Iterable[Any], language: Language
) -> Iterator[BarChart]:
    """A chart in one language; of amounts there is one for each currency, which never mix."""
    by = next(name for name in chart.labels if dataset.column(name).is_in(language))
    value = dataset.column(chart.value)
    keys = [by, *([value.currency_column] if value.currency_column else [])]
    measures = [Measure(column=value.name, how="sum")]
    groups = grouped(batches, keys, measures, name=chart.label.en)
    bars: dict[str | None, list[Bar]] = {}
    for key, (total,) in groups.values.items():
        currency = str(key[-1] or "") if value.currency_column else value.currency
        if total is None and currency == "":
            continue  # no row has an amount, nor a currency to draw it in
        bars.setdefault(currency, []).append(Bar(label=_said(key[0]), value=total or 0))
    for currency, found in bars.items():
        drawn = _drawn(chart, found)
        title = chart.label.said(language)
        if len(bars) > 1:
            title = f"{title} ({currency})"
        if len(drawn) < len(found):
            of = words_of(language).so_many_of.format(shown=len(drawn), all=len(found))
            title = f"{title} - {of}"
        yield BarChart(
            title=title,
            bars=drawn,
            currency=currency,
            line=chart.kind == "line",
        )


def _drawn(chart: ReportChart, bars: list[Bar]) -> list[Bar]:
    """The largest bars, the first of them first; or the last points, in their order."""
    if chart.kind == "bar":
        return sorted(bars, key=lambda bar: (-bar.value, bar.label))[: chart.most]
    return sorted(bars, key=lambda bar: bar.label)[-chart.most :]


def _said(value: Any) -> str:
    return "" if value is None else str(value)
