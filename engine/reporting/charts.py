"""Charts of a report: the groups of a dataset, added up, as bars or as points of a line."""

from collections.abc import Iterable
from typing import Any

from engine.exporters.document import Bar, BarChart
from engine.money import format_minor, minor_digits
from engine.reporting.definition import Dataset, Measure, ReportChart
from engine.reporting.groups import grouped
from engine.reporting.label import Language


def chart_of(
    chart: ReportChart, dataset: Dataset, batches: Iterable[Any], language: Language
) -> BarChart:
    """One chart in one language; amounts of two currencies are two bars."""
    by = next(name for name in chart.labels if dataset.column(name).is_in(language))
    value = dataset.column(chart.value)
    keys = list(dict.fromkeys([by, *([value.currency_column] if value.currency_column else [])]))
    measures = [Measure(column=value.name, how="sum")]
    groups = grouped(batches, keys, measures, name=chart.label.en)
    bars = []
    for key, (total,) in groups.values.items():
        currency = value.currency or (str(key[-1] or "") if value.currency_column else None)
        bars.append(_bar(_said(key[0]), total or 0, currency))
    if chart.kind == "bar":
        bars = sorted(bars, key=lambda bar: (-bar.value, bar.label))[: chart.most]
    else:
        bars = sorted(bars, key=lambda bar: bar.label)[-chart.most :]
    return BarChart(title=chart.label.said(language), bars=bars)


def _bar(label: str, total: int, currency: str | None) -> Bar:
    if currency is None:
        return Bar(label=label, value=total)
    # A bar is as long as whole units are; what it says is exact.
    return Bar(
        label=label,
        value=total // 10 ** minor_digits(currency),
        note=f"{format_minor(total, currency)} {currency}",
    )


def _said(value: Any) -> str:
    return "" if value is None else str(value)
