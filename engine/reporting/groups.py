"""Groups of a dataset's rows: counted and added up batch by batch, so that few are ever held."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import EngineError
from engine.reporting.definition import Measure

MOST = 10_000
"""Groups of one summary; more are no summary, and no reader's."""

Key = tuple[Any, ...]


class TooManyGroups(EngineError):
    """A summary would be as long as the rows that it sums up."""

    message = (
        "the summary {summary!r} has more than {most:,} groups by {by}; group by something that "
        "more rows have in common"
    )


@dataclass(frozen=True, kw_only=True)
class Groups:
    """The numbers of each group: one for each measure, None where no row had any."""

    by: Sequence[str]
    measures: Sequence[Measure]
    values: Mapping[Key, Sequence[int | None]]


def grouped(
    batches: Iterable[Any], by: Sequence[str], measures: Sequence[Measure], *, name: str
) -> Groups:
    """The groups of all batches, in the order in which they were first seen; exact integers."""
    values: dict[Key, list[int | None]] = {}
    for batch in batches:
        for key, found in _in_batch(batch, by, measures):
            held = values.get(key)
            values[key] = (
                found
                if held is None
                else [
                    _joined(measure, one, other)
                    for measure, one, other in zip(measures, held, found, strict=True)
                ]
            )
        if len(values) > MOST:
            raise TooManyGroups(summary=name, most=MOST, by=", ".join(by))
    return Groups(by=by, measures=measures, values=values)


def _in_batch(
    batch: Any, by: Sequence[str], measures: Sequence[Measure]
) -> Iterable[tuple[Key, list[int | None]]]:
    import pyarrow as pa

    wide = pa.decimal128(38, 0)  # 64-bit sums would wrap around without a word
    columns = {f"by{place}": batch.column(name) for place, name in enumerate(by)}
    asked: list[tuple[Any, str]] = []
    for place, measure in enumerate(measures):
        if measure.column is None:
            asked.append(([], "count_all"))
        else:
            columns[f"of{place}"] = batch.column(measure.column).cast(wide)
            asked.append((f"of{place}", measure.how))
    keys = [f"by{place}" for place in range(len(by))]
    found = pa.table(columns).group_by(keys, use_threads=False).aggregate(asked)
    for row in found.to_pylist():
        numbers = [
            row["count_all"] if measure.column is None else row[f"of{place}_{measure.how}"]
            for place, measure in enumerate(measures)
        ]
        yield (
            tuple(row[key] for key in keys),
            [None if number is None else int(number) for number in numbers],
        )


def _joined(measure: Measure, one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return one if other is None else other
    if measure.how in ("sum", "count"):
        return one + other
    return min(one, other) if measure.how == "min" else max(one, other)
