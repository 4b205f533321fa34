"""Parquet: one table, typed, for programs that read columns.

An amount is a decimal with the places of its currency; in a column of several currencies with
four, which hold those of every currency. Instants know the document's zone, fractions are decimals
of nine places. What the columns and the file are about is in their metadata.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, ClassVar

from engine.exporters.batches import batches_of, bounded
from engine.exporters.document import Document
from engine.exporters.memory import lean_memory


@dataclass(frozen=True, kw_only=True)
class ParquetExporter:
    """Writes the main table, or the one named `table`, in groups of rows that memory can hold."""

    suffix: ClassVar[str] = ".parquet"
    media_type: ClassVar[str] = "application/vnd.apache.parquet"
    streams: ClassVar[bool] = True

    table: str | None = None
    rows_per_group: int = 65_536
    bytes_per_group: int = 32 * 2**20

    def write(self, document: Document, target: BinaryIO) -> int:
        """Write all rows; return how many there are."""
        import pyarrow as pa
        from pyarrow import parquet

        from engine.exporters.parquet_columns import file_schema, typed_batch

        table = document.named(self.table)
        schema = file_schema(document, table)
        sink, rows = _Sink(target), 0
        with lean_memory():
            writer = parquet.ParquetWriter(
                sink,
                schema,
                compression="zstd",
                write_page_checksum=True,
                memory_pool=pa.system_memory_pool(),
            )
            try:
                for group in self._groups(batches_of(table)):
                    typed = [typed_batch(table.columns, batch, schema) for batch in group]
                    writer.write_table(pa.Table.from_batches(typed, schema), self.rows_per_group)
                    rows += sum(batch.num_rows for batch in group)
            except BaseException:
                # With an end, what is there would look whole.
                sink.fail()
                raise
            finally:
                writer.close()
        return rows

    def _groups(self, batches: Iterable[Any]) -> Iterator[Sequence[Any]]:
        """Batches that make up a group of rows together."""
        gathered: list[Any] = []
        rows = size = 0
        for batch in bounded(batches):
            full = rows + batch.num_rows > self.rows_per_group
            if gathered and (full or size + batch.nbytes > self.bytes_per_group):
                yield gathered
                gathered, rows, size = [], 0, 0
            gathered.append(batch)
            rows, size = rows + batch.num_rows, size + batch.nbytes
        if gathered:
            yield gathered


class _Sink:
    """The target, until something fails: then it takes everything and does nothing.

    A writer that is closed or collected writes the file's end, and its target stays open for
    whoever opened it.
    """

    closed = False

    def __init__(self, target: BinaryIO) -> None:
        self._target: BinaryIO | None = target
        self._written = 0

    def write(self, data: bytes) -> int:
        self._written += len(data)
        if self._target is not None:
            try:
                self._target.write(data)
            except OSError:
                self._target = None
                raise
        return len(data)

    def fail(self) -> None:
        self._target = None

    def tell(self) -> int:
        return self._written

    def flush(self) -> None:
        if self._target is not None:
            self._target.flush()

    def close(self) -> None:
        """The caller closes the target."""
