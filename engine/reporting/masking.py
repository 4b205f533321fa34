"""Masking: columns that are somebody's own, shown as such and as nothing else."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from engine.exporters.batches import Batches
from engine.exporters.document import Kind
from engine.redaction.hiding import MASK
from engine.reporting.definition import Dataset, ReportColumn, ReportDefinition


def masked_definition(definition: ReportDefinition) -> ReportDefinition:
    """The report as whoever may not see what is personal has it: the same columns, of masks."""
    datasets = [
        replace(each, columns=[_masked(column) for column in each.columns])
        for each in definition.datasets
    ]
    return replace(definition, datasets=datasets)


def masked_rows(rows: Batches, dataset: Dataset) -> Batches:
    """The rows of all columns of a dataset, with masks instead of what is personal."""
    places = [place for place, column in enumerate(dataset.columns) if column.personal]
    return Batches(lambda: _masked_batches(rows, places)) if places else rows


def _masked(column: ReportColumn) -> ReportColumn:
    # A date that nobody is shown is no date; nor is an amount an amount, to be added up.
    return (
        replace(
            column,
            kind=Kind.TEXT,
            currency=None,
            currency_column=None,
            total=False,
            link=None,
        )
        if column.personal
        else column
    )


def _masked_batches(rows: Batches, places: Sequence[int]) -> Iterator[Any]:
    import pyarrow as pa

    for batch in rows.make():
        masks = pa.repeat(MASK, len(batch))
        for place in places:
            batch = batch.set_column(place, pa.field(batch.schema.names[place], pa.string()), masks)
        yield batch
