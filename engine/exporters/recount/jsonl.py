"""JSON Lines, read again: an object a row, amounts beside their currencies."""

from collections.abc import Sequence
from pathlib import Path

from engine.exporters.document import Kind
from engine.exporters.recount.figures import Figures
from engine.exporters.recount.layout import Layout
from engine.exporters.recount.recount import Unreadable
from engine.exporters.recount.tally import Tally

_BLOCK = 512 * 1024
_LARGEST_BLOCK = 512 * _BLOCK  # no row is longer


class JsonLinesRecount:
    """Reads the one table of a file of JSON Lines."""

    def count(self, file: Path, layouts: Sequence[Layout]) -> Sequence[Figures]:
        """The figures of the first layout, which is the one that such a file holds."""
        import pyarrow as pa

        block = _BLOCK
        while True:
            try:
                return [_count(file, layouts[0], block)]
            except pa.ArrowException as error:
                # A row may be longer than a block.
                if "straddling" not in str(error) or block >= _LARGEST_BLOCK:
                    problem = str(error).splitlines()[0]
                    raise Unreadable(format="JSON Lines", problem=problem) from error
                block *= 16


def _count(file: Path, layout: Layout, block: int) -> Figures:
    import pyarrow as pa
    from pyarrow import json

    tally = Tally(layout)
    amount = pa.struct([("minor", pa.int64()), ("currency", pa.string())])
    kinds = {
        column.name: amount if column.kind is Kind.MONEY else pa.int64() for column in tally.columns
    }
    if not file.stat().st_size:
        return tally.figures
    with (
        file.open("rb") as source,
        json.open_json(
            source,
            read_options=json.ReadOptions(use_threads=False, block_size=block),
            parse_options=json.ParseOptions(
                explicit_schema=pa.schema(kinds), unexpected_field_behavior="ignore"
            ),
        ) as reader,
    ):
        for batch in reader:
            tally.add_rows(batch.num_rows)
            for column in tally.columns:
                values = batch.column(column.name)
                if column.kind is not Kind.MONEY:
                    tally.add_values(column, values)
                    continue
                minor, currencies = values.flatten()
                tally.add_values(column, minor, currencies)
    return tally.figures
