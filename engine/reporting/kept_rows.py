"""Kept rows: typed batches in a file of the scratch folder, to be read as often as one likes."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any


class KeptRows:
    """An Arrow file of one dataset, compressed; it is whole once `count` is known."""

    def __init__(self, path: Path, schema: Any) -> None:
        self.path = path
        self.count: int | None = None
        self._schema = schema

    def keep(self, batches: Iterable[Any]) -> None:
        """Write all of them."""
        import pyarrow as pa

        rows = 0
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with (
            pa.OSFile(str(self.path), "wb") as file,
            pa.ipc.new_stream(file, self._schema, options=options) as target,
        ):
            for batch in batches:
                target.write_batch(batch)
                rows += batch.num_rows
        self.count = rows

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[Any]:
        """The batches, or some of their columns, from the start."""
        import pyarrow as pa

        places = [self._schema.get_field_index(name) for name in columns or ()]
        # What is not asked for is not even unpacked.
        options = pa.ipc.IpcReadOptions(included_fields=sorted(places) or None)
        with (
            pa.OSFile(str(self.path), "rb") as file,
            pa.ipc.open_stream(file, options=options) as source,
        ):
            for batch in source:
                yield batch if columns is None else batch.select(list(columns))

    def remove(self) -> None:
        """Remove the file, if there is one."""
        self.path.unlink(missing_ok=True)
