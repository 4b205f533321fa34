"""Parquet, read again: the columns that are added up, batch by batch, with the file's checksums."""

from collections.abc import Sequence
from pathlib import Path

from engine.exporters.recount.figures import Figures
from engine.exporters.recount.layout import Layout
from engine.exporters.recount.recount import Unreadable
from engine.exporters.recount.tally import NotAdded, Tally
from engine.money import PrecisionLost

_BATCH = 64 * 1024  # rows


class ParquetRecount:
    """Reads the one table of a Parquet file."""

    def count(self, file: Path, layouts: Sequence[Layout]) -> Sequence[Figures]:
        """The figures of the first layout, which is the one that a Parquet file holds."""
        import pyarrow as pa
        from pyarrow import parquet

        tally = Tally(layouts[0])
        needed = tally.needed or [layouts[0].columns[0].name]
        try:
            with parquet.ParquetFile(file, page_checksum_verification=True) as opened:
                missing = {*needed} - {*opened.schema_arrow.names}
                if missing:
                    raise Unreadable(format="Parquet", problem=f"it has no column {min(missing)!r}")
                for batch in opened.iter_batches(_BATCH, columns=needed, use_threads=False):
                    tally.add(batch)
                said = opened.metadata.num_rows
        except (pa.ArrowException, OSError, NotAdded, PrecisionLost) as error:
            raise Unreadable(format="Parquet", problem=str(error).splitlines()[0]) from error
        if said != tally.figures.rows:
            problem = f"it says {said} rows and holds {tally.figures.rows}"
            raise Unreadable(format="Parquet", problem=problem)
        return [tally.figures]
