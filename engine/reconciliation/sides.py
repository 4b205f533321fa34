"""The sides of a reconciliation, read: one snapshot a database, every row staged.

The control totals are asked of the sources themselves, inside the same snapshots.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from engine.reconciliation.definition import (
    LARGEST,
    MAY_BE_EMPTY,
    Definition,
    FileRows,
    QueryRows,
    Side,
)
from engine.reconciliation.file_side import FileSide
from engine.reconciliation.instants import with_instants
from engine.reconciliation.query_side import QuerySide, require_columns
from engine.reconciliation.result import Finding, SideRead
from engine.reconciliation.staging import Staging
from engine.sources.catalog import Sources
from engine.sources.database import Database, Snapshot
from engine.sources.dialect import Dialect
from engine.sources.faults import InvalidQuery, SourceUnreachable, UnreadableFile
from engine.sources.folder import Folder, sha256_of
from engine.sources.halves import batches_in_halves

Totals = Mapping[str, tuple[int, Mapping[str, int]]]
"""By currency: how many rows there are, and the sum of each of their amounts."""

# Rows that lack one of these can be used for nothing; the other columns are missed by one check.
_NEEDED = ("wallet", "currency", "amount", "opening", "balance")
_MOST_CURRENCIES = 64  # that are asked for in one pass


@dataclass
class StagedSide:
    """A side that was staged, and how it was read."""

    side: Side
    reads: "QuerySide | FileSide"
    read: SideRead
    findings: Sequence[Finding]
    guarded: bool


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


def wanted(definition: Definition, side: Side) -> Sequence[str]:
    """The canonical columns that the checks need of a side, in a fixed order."""
    needed = {"wallet", "currency", "amount", "opening", "balance"}
    needed |= {"balance_after"} if definition.says_balances else set()
    needed |= {"order"} if definition.follows and definition.ordered else set()
    needed |= {"entry", "posted_at"}  # to say where, and when
    needed |= {"owner"} if definition.owners else set()
    needed |= {"floor"} if definition.floor else set()
    if definition.stored == "last_balance_after":
        needed -= {"balance"}
    return [name for name in (*side.keys, *side.amounts) if name in needed]


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

    def stage(self, side: Side, staging: Staging) -> StagedSide:
        """Read one side into the table of its name."""
        stage = self._stage_file if _is_file(side) else self._stage_query
        staged = stage(side, staging)
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

        definition = self._definition
        if not _is_file(side):
            snapshot = self._opened[side.source.lower()]
            rows = self._query_side(side, columns)
            self._load(rows, snapshot, staging, guarded=True, only=only, ids=ids)
            return
        folder = self._sources.get(side.source)
        assert isinstance(folder, Folder)  # noqa: S101 - the definition was checked
        reads = FileSide(side, columns, folder, definition.timezone, definition.currency)
        reader = pa.RecordBatchReader.from_batches(reads.schema, reads.batches())
        staging.load(side.name, reader, zone=definition.timezone, only=only)

    def totals(self, staged: StagedSide, currencies: Sequence[str]) -> Totals:
        """The control totals of a side, asked of its source."""
        if isinstance(staged.reads, FileSide):
            return self._file_totals(staged, staged.reads)
        return self._query_totals(staged, staged.reads, currencies)

    def _file_totals(self, staged: StagedSide, reads: FileSide) -> Totals:
        path = reads.file.path
        if sha256_of(path) != staged.read.fingerprint:
            reason = "it changed while it was read; run again"
            raise UnreadableFile(file=path.name, source=staged.side.source, reason=reason)
        return reads.totals()

    def _query_totals(
        self, staged: StagedSide, reads: QuerySide, currencies: Sequence[str]
    ) -> Totals:
        if "currency" not in reads.side.keys:
            (_, (rows, *values)) = self._asked(reads, None, guarded=staged.guarded)
            return {self._definition.currency: (rows or 0, _named(reads.amounts, values))}
        for guarded in dict.fromkeys([staged.guarded, True]):
            totals: dict[str, tuple[int, Mapping[str, int]]] = {}
            rows = 0
            for start in range(0, len(currencies), _MOST_CURRENCIES):
                some = currencies[start : start + _MOST_CURRENCIES]
                found, (rows, *_) = self._asked(reads, some, guarded=guarded)
                totals |= found
            # A currency that is a number, say, is none of the texts that it was staged as.
            if rows == sum(count for count, _ in totals.values()):
                break
        return totals

    def _asked(
        self, reads: QuerySide, currencies: Sequence[str] | None, *, guarded: bool
    ) -> tuple[Totals, Sequence[int | None]]:
        """Totals by currency, then how many rows there are and what else was given first."""
        snapshot = self._opened[reads.side.source.lower()]
        ((rows, *values),) = snapshot.rows(reads.totals(currencies, guarded=guarded))
        width = 1 + len(reads.amounts)
        totals = {}
        for at, currency in enumerate(currencies or ()):
            count, *sums = values[at * width : (at + 1) * width]
            totals[currency] = int(count or 0), _named(reads.amounts, sums)
        return totals, (rows, *values)

    def _stage_file(self, side: Side, staging: Staging) -> StagedSide:
        import duckdb
        import pyarrow as pa

        folder = self._sources.get(side.source)
        assert isinstance(folder, Folder)  # noqa: S101 - the definition was checked
        columns = wanted(self._definition, side)
        definition = self._definition
        reads = FileSide(side, columns, folder, definition.timezone, definition.currency)
        fingerprint = sha256_of(reads.file.path)
        reader = pa.RecordBatchReader.from_batches(reads.schema, reads.batches())
        try:
            staging.load(side.name, reader, zone=definition.timezone)
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

    def _stage_query(self, side: Side, staging: Staging) -> StagedSide:
        reads = self._query_side(side, wanted(self._definition, side))
        snapshot = self._opened[side.source.lower()]
        guarded = not self._load_plain(reads, snapshot, staging)
        if guarded:
            self._load(reads, snapshot, staging, guarded=True)
        findings = list(reads.findings(snapshot)) if guarded else []
        findings += self._unread_instants(reads, staging, known=findings)
        return StagedSide(
            side=side,
            reads=reads,
            read=self._read(side, staging, staging.fingerprint(side.name)),
            findings=findings,
            guarded=guarded,
        )

    def _query_side(self, side: Side, columns: Sequence[str]) -> QuerySide:
        assert isinstance(side.rows, QueryRows)  # noqa: S101 - the callers have looked
        return QuerySide(side, columns, self._dialects[side.source.lower(), side.rows.query])

    def _load_plain(self, reads: QuerySide, snapshot: Snapshot, staging: Staging) -> bool:
        """Read the side as it is; False if something in it is not as due."""
        import duckdb

        whole = [name for name in reads.wanted if name in reads.side.amounts]
        try:
            if not self._load(reads, snapshot, staging, guarded=False):
                return False
        except duckdb.OutOfMemoryException:
            raise
        except (duckdb.Error, InvalidQuery):
            # A value of another type than those before it, or one that there is no room for; the
            # guarded reading says which.
            return False
        table = reads.side.name
        may_lack = {"posted_at", "order"} | MAY_BE_EMPTY
        present = [name for name in reads.wanted if name not in may_lack]
        return all(
            staging.kind(table, name) in _kinds_due(name, whole)
            for name in reads.wanted
            if name != "posted_at"
        ) and not (staging.has_null(table, present) or staging.beyond(table, whole, LARGEST))

    def _load(
        self,
        reads: QuerySide,
        snapshot: Snapshot,
        staging: Staging,
        *,
        guarded: bool,
        only: str = "true",
        ids: Collection[str] | None = None,
    ) -> bool:
        import duckdb
        import pyarrow as pa

        with (
            snapshot.batches(reads.guarded_rows(ids), reads.kinds)
            if guarded
            else _batches(snapshot, reads.columns(guarded=False), reads)
        ) as reader:
            if any(pa.types.is_floating(column.type) for column in reader.schema):
                return False
            if not guarded:
                reader = with_instants(reader, self._definition.timezone)
            try:
                zone = self._definition.timezone
                staging.load(reads.side.name, reader, zone=zone, only=only)
            except duckdb.OutOfMemoryException:
                raise
            except duckdb.Error as error:
                if guarded:
                    raise SourceUnreachable(name=reads.side.source, reason=error) from error
                raise
        return True

    def _unread_instants(
        self, reads: QuerySide, staging: Staging, *, known: Sequence[Finding]
    ) -> list[Finding]:
        if "posted_at" not in reads.wanted:
            return []
        key = "entry" if "entry" in reads.wanted else "wallet"
        rows = staging.rows(
            f"SELECT {key} FROM {reads.side.name} WHERE posted_at IS NULL "  # noqa: S608
            f"ORDER BY {key} LIMIT 100"
        )
        column = reads.side.keys["posted_at"][0]
        told = {finding.where for finding in known}
        places = [f"row {row}, column {column}" for (row,) in rows]
        message = "it is no date or instant; the row is left out of what needs it"
        return [
            Finding(code="SOURCE_TYPE", side=reads.side.name, where=where, message=message)
            for where in places
            if where not in told
        ]

    def _read(self, side: Side, staging: Staging, fingerprint: str) -> SideRead:
        how = side.rows
        where = f"{side.source}/{how.file}" if isinstance(how, FileRows) else side.source
        return SideRead(
            name=side.name,
            source=where,
            rows=staging.count(side.name),
            fingerprint=fingerprint,
        )


def _named(amounts: Sequence[str], sums: Sequence[Any]) -> dict[str, int]:
    # Some databases give sums as decimals, of whole numbers all the same.
    return {name: int(total or 0) for name, total in zip(amounts, sums, strict=True)}


def _batches(snapshot: Snapshot, columns: str, reads: QuerySide) -> AbstractContextManager[Any]:
    if reads.key is None:
        return snapshot.batches(f"SELECT {columns} {reads.rows}")
    return batches_in_halves(snapshot, columns, reads.query, reads.key)


def _kinds_due(name: str, whole: Sequence[str]) -> Sequence[str]:
    """The types as which a column can be staged as it is; a BLOB or a number must become text."""
    if name in whole:
        return ["BIGINT"]
    return ["VARCHAR"] if name == "currency" else ["BIGINT", "VARCHAR"]


def _is_file(side: Side) -> bool:
    return isinstance(side.rows, FileRows)
