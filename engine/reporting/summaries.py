"""Summaries: groups of a dataset as small tables, spread out by pandas and added up once more.

Amounts stay Python integers: the frames are of dtype object, and what comes back is added up
without pandas. Currencies are groups of their own and never mix.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from engine.exporters.document import Cell, Column, Kind, Row, Table
from engine.exporters.words import words_of
from engine.reporting.definition import Dataset, Measure, ReportColumn, Summary
from engine.reporting.groups import Groups, Key, grouped
from engine.reporting.label import Language
from engine.reporting.pivot import PivotInexact

Numbers = Sequence[int | None]


class _Head(NamedTuple):
    """A column of numbers: what of which measure, below which value of the pivot."""

    measure: Measure
    top: Any


def summary_table(
    summary: Summary, dataset: Dataset, batches: Iterable[Any], language: Language
) -> Table:
    """The table of a summary in one language."""
    by = _in(dataset, summary.by, language)
    across = next(iter(_in(dataset, summary.across, language)), None)
    currencies = _currencies(dataset, summary.measures)
    left = list(dict.fromkeys([*(each.name for each in by), *currencies]))
    keys = [*left, across.name] if across and across.name not in left else left
    groups = grouped(batches, keys, summary.measures, name=summary.name)
    if across is None:
        heads = [_Head(measure, None) for measure in summary.measures]
        rows = [(key, list(values)) for key, values in groups.values.items()]
    else:
        heads, rows = _spread(summary, groups, keys.index(across.name))
    columns = [dataset.column(name).shown(language) for name in left]
    columns += [
        _number_column(place, head, dataset, language, several=len(summary.measures) > 1)
        for place, head in enumerate(heads)
    ]
    return Table(
        name=summary.name,
        title=summary.label.said(language),
        columns=columns,
        rows=[[*key, *numbers] for key, numbers in rows],
        totals=list(_totals(rows, heads, left, currencies, dataset, language)),
    )


def _spread(
    summary: Summary, groups: Groups, place: int
) -> tuple[list[_Head], list[tuple[Key, list[int | None]]]]:
    """Rows of what is left of the keys, with a column for each value at `place`."""
    import pandas as pd

    lefts: dict[Key, int] = {}
    tops: dict[Any, int] = {}
    cells = []
    for key, values in groups.values.items():
        left = lefts.setdefault((*key[:place], *key[place + 1 :]), len(lefts))
        cells.append((left, tops.setdefault(key[place], len(tops)), *values))
    measures = list(range(2, 2 + len(summary.measures)))
    frame = pd.DataFrame(cells, columns=[0, 1, *measures], dtype=object)
    frame = frame.astype({0: int, 1: int})
    pivots = [frame.pivot(index=0, columns=1, values=measure) for measure in measures]
    order = sorted(tops, key=lambda top: (top is None, str(top)))
    heads = [_Head(measure, top) for top in order for measure in summary.measures]
    rows = [
        (key, [_whole(pivot.at[row, tops[top]]) for top in order for pivot in pivots])
        for key, row in lefts.items()
    ]
    found = sum(number or 0 for _, numbers in rows for number in numbers)
    expected = sum(number or 0 for values in groups.values.values() for number in values)
    if found != expected:
        raise PivotInexact(what=summary.name, found=found, expected=expected)
    return heads, rows


def _totals(
    rows: Sequence[tuple[Key, Numbers]],
    heads: Sequence[_Head],
    left: Sequence[str],
    currencies: Sequence[str],
    dataset: Dataset,
    language: Language,
) -> Iterator[Row]:
    """A row for each currency below the groups, of what can be added up."""
    places = [left.index(name) for name in currencies]
    if len(places) == len(left):
        return  # each group is all that there is in its currency, so a total is the same again
    texts = (
        place
        for place, name in enumerate(left)
        if place not in places and dataset.column(name).kind is Kind.TEXT
    )
    word_at = next(texts, None)
    sums: dict[Key, list[int | None]] = {}
    for key, numbers in rows:
        held = sums.setdefault(tuple(key[place] for place in places), [None] * len(heads))
        for number, (head, value) in enumerate(zip(heads, numbers, strict=True)):
            if value is not None and head.measure.how in ("sum", "count"):
                held[number] = (held[number] or 0) + value
    for codes, numbers in sums.items():
        cells: list[Cell] = [None] * len(left)
        for place, code in zip(places, codes, strict=True):
            cells[place] = code
        if word_at is not None:  # otherwise the files find a place for it
            cells[word_at] = words_of(language).total
        yield [*cells, *numbers]


def _number_column(
    place: int, head: _Head, dataset: Dataset, language: Language, *, several: bool
) -> Column:
    name = f"{head.measure.column or 'rows'}_{head.measure.how}_{place}"
    if head.measure.column is None:
        title, money = words_of(language).rows, None
    else:
        money = dataset.column(head.measure.column)
        title = money.label.said(language)
    if head.top is not None:
        title = f"{head.top} · {title}" if several else str(head.top)
    if money is None or money.kind is not Kind.MONEY:
        return Column(name=name, title=title, kind=Kind.INTEGER)
    return Column(
        name=name,
        title=title,
        kind=Kind.MONEY,
        currency=money.currency,
        currency_column=money.currency_column,
    )


def _in(dataset: Dataset, names: Sequence[str], language: Language) -> list[ReportColumn]:
    """The columns of these names that documents in the language have."""
    return [column for name in names if (column := dataset.column(name)).is_in(language)]


def _currencies(dataset: Dataset, measures: Sequence[Measure]) -> list[str]:
    columns = [dataset.column(each.column) for each in measures if each.column]
    return list(dict.fromkeys(each.currency_column for each in columns if each.currency_column))


def _whole(value: Any) -> int | None:
    """The integer that pandas was given, None where it fills a gap."""
    if type(value) is int:
        return value
    if value is None or value != value:
        return None
    raise PivotInexact(what="a cell", found=repr(value), expected="an integer")
