"""The reading of a query: its rows staged as they are, or guarded where something is not as due."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.reconciliation.definition import LARGEST, MAY_BE_EMPTY
from engine.reconciliation.proofs import Proofs
from engine.reconciliation.query_side import QuerySide
from engine.reconciliation.result import Finding
from engine.reconciliation.staged_side import Totals
from engine.reconciliation.staging import Staging
from engine.sources.database import Snapshot
from engine.sources.faults import InvalidQuery, SourceUnreachable
from engine.sources.halves import batches_in_halves
from engine.sources.instants import with_instants

_MOST_CURRENCIES = 64  # that are asked for in one pass


@dataclass(frozen=True)
class QueryReading:
    """A side by query, read in a snapshot; instants that name no zone are in `timezone`."""

    reads: QuerySide
    snapshot: Snapshot
    timezone: str

    def stage(self, staging: Staging, proofs: Proofs | None = None) -> tuple[bool, list[Finding]]:
        """Put all rows into the table of the side's name; returns whether guarded, and why."""
        guarded = not self._load_plain(staging, proofs)
        if guarded:
            if proofs is not None:
                proofs.give_up()
            self.load(staging, guarded=True)
        findings = list(self.reads.findings(self.snapshot)) if guarded else []
        findings += self._unread_instants(staging, known=findings)
        return guarded, findings

    def _load_plain(self, staging: Staging, proofs: Proofs | None) -> bool:
        """Read the side as it is; False if something in it is not as due."""
        import duckdb

        reads = self.reads
        whole = [name for name in reads.wanted if name in reads.side.amounts]
        try:
            if not self.load(staging, guarded=False, proofs=proofs):
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

    def load(
        self,
        staging: Staging,
        *,
        guarded: bool,
        only: str = "true",
        ids: Collection[str] | None = None,
        proofs: Proofs | None = None,
    ) -> bool:
        """Put rows into the table of the side's name, those that `only` (SQL) is true of.

        Of rows with other `ids` some or none may come. False, with nothing put there, if an amount
        comes as a floating number.
        """
        import duckdb
        import pyarrow as pa

        reads = self.reads

        def through(reader: Any) -> Any:
            reader = with_instants(reader, self.timezone)
            return reader if proofs is None else proofs.watch(reader)

        columns = reads.columns(guarded=guarded)
        with (
            self.snapshot.batches(reads.guarded_rows(ids), reads.kinds)
            if guarded
            else batches_in_halves(self.snapshot, columns, reads.query, reads.key, through)
        ) as reader:
            if any(pa.types.is_floating(column.type) for column in reader.schema):
                return False
            try:
                staging.load(reads.side.name, reader, zone=self.timezone, only=only)
            except duckdb.OutOfMemoryException:
                raise
            except duckdb.Error as error:
                if guarded:
                    raise SourceUnreachable(name=reads.side.source, reason=error) from error
                raise
        return True

    def _unread_instants(self, staging: Staging, *, known: Sequence[Finding]) -> list[Finding]:
        reads = self.reads
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

    def totals(self, currencies: Sequence[str], default: str, *, guarded: bool) -> Totals:
        """The control totals, asked of the source; rows without a currency have the `default`."""
        if "currency" not in self.reads.side.keys:
            (_, (rows, *values)) = self._asked(None, guarded=guarded)
            return {default: (rows or 0, _named(self.reads.amounts, values))}
        for guardedly in dict.fromkeys([guarded, True]):
            totals: dict[str, tuple[int, Mapping[str, int]]] = {}
            rows = 0
            for start in range(0, len(currencies), _MOST_CURRENCIES):
                some = currencies[start : start + _MOST_CURRENCIES]
                found, (rows, *_) = self._asked(some, guarded=guardedly)
                totals |= found
            # A currency that is a number, say, is none of the texts that it was staged as.
            if rows == sum(count for count, _ in totals.values()):
                break
        return totals

    def _asked(
        self, currencies: Sequence[str] | None, *, guarded: bool
    ) -> tuple[Totals, Sequence[int | None]]:
        """Totals by currency, then how many rows there are and what else was given first."""
        reads = self.reads
        ((rows, *values),) = self.snapshot.rows(reads.totals(currencies, guarded=guarded))
        width = 1 + len(reads.amounts)
        totals = {}
        for at, currency in enumerate(currencies or ()):
            count, *sums = values[at * width : (at + 1) * width]
            totals[currency] = int(count or 0), _named(reads.amounts, sums)
        return totals, (rows, *values)


def _named(amounts: Sequence[str], sums: Sequence[Any]) -> dict[str, int]:
    # Some databases give sums as decimals, of whole numbers all the same.
    return {name: int(total or 0) for name, total in zip(amounts, sums, strict=True)}


def _kinds_due(name: str, whole: Sequence[str]) -> Sequence[str]:
    """The types as which a column can be staged as it is; a BLOB or a number must become text."""
    if name in whole:
        return ["BIGINT"]
    return ["VARCHAR"] if name == "currency" else ["BIGINT", "VARCHAR"]
