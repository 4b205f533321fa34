"""CSV, read again: rows are counted and amounts added up by Arrow, a block at a time."""

from collections.abc import Sequence
from csv import Error, reader
from pathlib import Path

from engine.exporters.document import Column, Kind
from engine.exporters.recount.figures import Figures
from engine.exporters.recount.layout import Layout, says_title
from engine.exporters.recount.recount import Unreadable
from engine.exporters.recount.tally import NotAdded, Tally
from engine.money import PrecisionLost

_BLOCK = 256 * 1024
_LARGEST_BLOCK = 1024 * _BLOCK  # no row is longer


class CsvRecount:
    """Reads the one table of a CSV file, whatever its dialect of the engine's."""

    def count(self, file: Path, layouts: Sequence[Layout]) -> Sequence[Figures]:
        """The figures of the first layout, which is the one that a CSV holds."""
        import pyarrow as pa

        block = _BLOCK
        while True:
            try:
                return [_count(file, layouts[0], block)]
            except (NotAdded, PrecisionLost, Error, UnicodeError) as error:
                raise Unreadable(format="CSV", problem=error) from error
            except pa.ArrowException as error:
                # A row may be longer than a block.
                if "straddling" not in str(error) or block >= _LARGEST_BLOCK:
                    problem = str(error).splitlines()[0]
                    raise Unreadable(format="CSV", problem=problem) from error
                block *= 16


def _count(file: Path, layout: Layout, block: int) -> Figures:
    import pyarrow as pa
    from pyarrow import csv

    tally = Tally(layout)
    # By their places: what stands in the header are names or titles, as the dialect has it.
    names = [f"c{place}" for place in range(len(layout.columns))]
    called = {column.name: name for column, name in zip(layout.columns, names, strict=True)}
    needed = tally.needed or [layout.columns[0].name]
    with (
        file.open("rb") as source,
        csv.open_csv(
            source,
            read_options=csv.ReadOptions(
                use_threads=False, block_size=block, column_names=names, skip_rows_after_names=1
            ),
            parse_options=csv.ParseOptions(
                delimiter=_separator(file, layout),
                newlines_in_values=True,
                ignore_empty_lines=False,
            ),
            convert_options=csv.ConvertOptions(
                include_columns=[called[name] for name in needed],
                column_types={called[column.name]: _type(column) for column in layout.columns},
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        ) as reader,
    ):
        for batch in reader:
            tally.add(pa.RecordBatch.from_arrays(batch.columns, names=needed))
    return tally.figures


def _separator(file: Path, layout: Layout) -> str:
    """What stands between two cells, told by the header: it has the columns' names or titles."""
    for separator in (",", ";"):
        with file.open(encoding="utf-8-sig", newline="") as lines:
            header = next(reader(lines, delimiter=separator), [])
        if len(header) == len(layout.columns) and all(
            said == column.name or says_title(said, column.title)
            for said, column in zip(header, layout.columns, strict=True)
        ):
            return separator
    raise Unreadable(format="CSV", problem="its header does not name the report's columns")


def _type(column: Column) -> object:
    import pyarrow as pa

    if column.kind is Kind.MONEY:
        return pa.decimal128(38, 4)  # no currency has more digits
    return pa.int64() if column.kind is Kind.INTEGER else pa.string()
