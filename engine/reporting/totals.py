"""Totals of a dataset, exact and by currency, from one reading of its batches.

Sums are taken as 38-digit decimals: the 64-bit sums of Arrow wrap around without a word.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from engine.exporters.document import Cell, Kind, Row
from engine.reporting.definition import ReportColumn

Codes = tuple[str, ...]
Sums = dict[Codes, dict[str, int | None]]
"""What columns add up to, for each combination of their currencies."""


def added_up(columns: Sequence[ReportColumn], batches: Iterable[Any]) -> Sums:
    """The sums of the columns that have a total, for each combination of their currencies.

    A sum of nothing but empty cells is None.
    """
    wanted = [column.name for column in columns if column.total]
    codes = currency_columns(columns)
    sums: Sums = {}
    for batch in batches if wanted else ():
        for key, found in sums_in(batch, codes, wanted):
            held = sums.setdefault(key, dict.fromkeys(wanted))
            for name, value in found.items():
                if value is not None:
                    held[name] = (held[name] or 0) + value
    return sums


def currency_columns(columns: Sequence[ReportColumn]) -> list[str]:
    """The columns that hold the currencies of those with a total, in order."""
    found = (each.currency_column for each in columns if each.total and each.currency_column)
    return list(dict.fromkeys(found))


def sums_in(
    batch: Any, keys: Sequence[str], wanted: Sequence[str]
) -> Iterable[tuple[Codes, dict[str, int | None]]]:
    """The sums of one batch, for each combination of values of the key columns."""
    import pyarrow as pa

    exact = pa.table(
        {
            **{key: batch.column(key) for key in keys},
            **{name: batch.column(name).cast(pa.decimal128(38, 0)) for name in wanted},
        }
    )
    if not keys:
        import pyarrow.compute as pc

        yield (), {name: _whole(pc.sum(exact.column(name)).as_py()) for name in wanted}
        return
    grouped = exact.group_by(list(keys)).aggregate([(name, "sum") for name in wanted])
    for row in grouped.to_pylist():
        key = tuple(str(row[name] or "") for name in keys)
        yield key, {name: _whole(row[f"{name}_sum"]) for name in wanted}


def total_rows(
    columns: Sequence[ReportColumn],
    sums: Sums,
    said: str,
) -> Sequence[Row]:
    """A row for each currency, of these columns, as it is set below them; `said` calls it so."""
    codes = currency_columns(columns)
    place = _place_of_word(columns, codes)
    rows: list[Row] = []
    for key in sorted(sums):
        currencies = dict(zip(codes, key, strict=True))
        cells: list[Cell] = []
        for number, column in enumerate(columns):
            if column.total:
                cells.append(sums[key][column.name])
            elif column.name in currencies:
                cells.append(currencies[column.name])
            else:
                cells.append(said if number == place else None)
        rows.append(cells)
    return rows


def _place_of_word(columns: Sequence[ReportColumn], codes: Sequence[str]) -> int | None:
    for place, column in enumerate(columns):
        if column.kind is Kind.TEXT and not column.hidden and column.name not in codes:
            return place
    return None


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)
