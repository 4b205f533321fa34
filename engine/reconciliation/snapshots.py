"""The sources of a reconciliation, held still: one snapshot a database, every row staged.

The control totals are asked of the sources themselves, inside the same snapshots.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from engine.reconciliation.definition import Definition, FileRows, QueryRows, Side
from engine.reconciliation.file_side import FileSide
from engine.reconciliation.proofs import Proofs
from engine.reconciliation.query_reading import QueryReading
from engine.reconciliation.query_side import QuerySide, require_columns
from engine.reconciliation.result import SideRead
from engine.reconciliation.staged_side import StagedSide, Totals, wanted
from engine.reconciliation.staging import Staging
from engine.sources.catalog import Sources
from engine.sources.database import Database, Snapshot
from engine.sources.dialect import Dialect
from engine.sources.faults import UnreadableFile
from engine.sources.folder import Folder, sha256_of

# Rows that lack one of these can be used for nothing; the other columns are missed by one check.
_NEEDED = ("wallet", "currency", "amount", "opening", "balance")


@contextmanager
def open_snapshots(definition: Definition, sources: Sources) -> Iterator["Snapshots"]:
    """Every database of the definition, each in one read transaction for all of its sides."""
    databases: dict[str, Database] = {}
    dialects: dict[tuple[str, str], Dialect] = {}
    for side in definition.sides:
        if isinstance(side.rows, QueryRows):
            database = sources.get(side.source)
            assert not isinstance(database, Folder)  # noqa: S101 - the definition was checked
            # Before any snapshot: two libraries must not have one file open at once.
            columns = database.columns(side.rows.query)
            require_columns(side, columns)
            databases[database.name] = database
            dialects[database.name, side.rows.query] = database.dialect(columns)
    with ExitStack() as stack:
        opened = {
            # In one order, because threads take turns.
            name: stack.enter_context(database.snapshot())
            for name, database in sorted(databases.items())
        }
        yield Snapshots(definition, sources, opened, dialects)


class Snapshots:
    """The sources of one reconciliation, held still."""

    def __init__(
        self,
        definition: Definition,
        sources: Sources,
        opened: Mapping[str, Snapshot],
        dialects: Mapping[tuple[str, str], Dialect],
    ) -> None:
        self._definition = definition
        self._sources = sources
        self._opened = opened
        self._dialects = dialects

    def stage(self, side: Side, staging: Staging, proofs: Proofs | None = None) -> StagedSide:
        """Read one side into the table of its name, and prove of it what can be on the way."""
        if _is_file(side):
            staged = self._stage_file(side, staging)
        else:
            staged = self._stage_query(side, staging, proofs)
        needed = [name for name in _NEEDED if name in staged.reads.wanted]
        if staged.findings and needed:
            missing = " OR ".join(f"{name} IS NULL" for name in needed)
            staging.run(f"DELETE FROM {side.name} WHERE {missing}")  # noqa: S608
        return staged

    def stage_some(
        self,
        side: Side,
        columns: Sequence[str],
        staging: Staging,
        *,
        only: str,
        ids: Collection[str] | None = None,
    ) -> None:
        """Read columns of a side again, as text, for the rows that `only` (SQL) is true of.

        They go into the table of the side's name, as the side was found to be: what is wrong with
        it was said when it was staged. Of a database, rows with other `ids` are not asked for.
        """
        import pyarrow as pa

        if not _is_file(side):
            reading = self._reading(self._query_side(side, columns))
            reading.load(staging, guarded=True, only=only, ids=ids)
            return
        reads = self._file_side(side, columns)
        reader = pa.RecordBatchReader.from_batches(reads.schema, reads.batches())
        staging.load(side.name, reader, zone=self._definition.timezone, only=only)

    def totals(self, staged: StagedSide, currencies: Sequence[str]) -> Totals:
        """The control totals of a side, asked of its source."""
        if isinstance(staged.reads, FileSide):
            return self._file_totals(staged, staged.reads)
        default = self._definition.currency
        return self._reading(staged.reads).totals(currencies, default, guarded=staged.guarded)

    def _file_totals(self, staged: StagedSide, reads: FileSide) -> Totals:
        path = reads.file.path
        if sha256_of(path) != staged.read.fingerprint:
            reason = "it changed while it was read; run again"
            raise UnreadableFile(file=path.name, source=staged.side.source, reason=reason)
        return reads.totals()

    def _stage_file(self, side: Side, staging: Staging) -> StagedSide:
        import duckdb
        import pyarrow as pa

        reads = self._file_side(side, wanted(self._definition, side))
        fingerprint = sha256_of(reads.file.path)
        reader = pa.RecordBatchReader.from_batches(reads.schema, reads.batches())
        try:
            staging.load(side.name, reader, zone=self._definition.timezone)
        except duckdb.Error:
            if reads.failure is not None:
                raise reads.failure from None
            raise
        return StagedSide(
            side=side,
            reads=reads,
            read=self._read(side, staging, fingerprint),
            findings=list(reads.findings()),
            guarded=True,
        )

    def _stage_query(self, side: Side, staging: Staging, proofs: Proofs | None) -> StagedSide:
        reads = self._query_side(side, wanted(self._definition, side))
        guarded, findings = self._reading(reads).stage(staging, proofs)
        return StagedSide(
            side=side,
            reads=reads,
            read=self._read(side, staging, staging.fingerprint(side.name)),
            findings=findings,
            guarded=guarded,
        )

    def _file_side(self, side: Side, columns: Sequence[str]) -> FileSide:
        folder, definition = self._sources.get(side.source), self._definition
        assert isinstance(folder, Folder)  # noqa: S101 - the definition was checked
        return FileSide(side, columns, folder, definition.timezone, definition.currency)

    def _query_side(self, side: Side, columns: Sequence[str]) -> QuerySide:
        assert isinstance(side.rows, QueryRows)  # noqa: S101 - the callers have looked
        return QuerySide(side, columns, self._dialects[side.source.lower(), side.rows.query])

    def _reading(self, reads: QuerySide) -> QueryReading:
        snapshot = self._opened[reads.side.source.lower()]
        return QueryReading(reads, snapshot, self._definition.timezone)

    def _read(self, side: Side, staging: Staging, fingerprint: str) -> SideRead:
        how = side.rows
        where = f"{side.source}/{how.file}" if isinstance(how, FileRows) else side.source
        return SideRead(
            name=side.name,
            source=where,
            rows=staging.count(side.name),
            fingerprint=fingerprint,
        )


def _is_file(side: Side) -> bool:
    return isinstance(side.rows, FileRows)
