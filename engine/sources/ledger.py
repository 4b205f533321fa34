"""The run ledger as a source of reports about the engine itself: read-only, and by its views only.

It is read through the store's own connections. On SQLite a process that has the ledger open must
not open it with ADBC's SQLite as well: whichever closes it first drops the locks of the other.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Protocol

from engine.sources.database import Kind, Plan
from engine.sources.dialect import Dialect
from engine.sources.ledger_postgres import PostgresLedger
from engine.sources.ledger_sqlite import SqliteLedger
from engine.sources.parameters import Params
from engine.store.database import Database as RunLedger

NAME = "ledger"


class Kept(Protocol):
    """The ledger in a kind of database, within a transaction that reads one moment."""

    def hold(self) -> None:
        """Fix the moment."""

    def columns(self, query: str, params: Params | None) -> Mapping[str, str]:
        """As a database tells them; InvalidQuery for all but one SELECT about the views."""

    def batches(
        self,
        query: str,
        kinds: Mapping[str, Kind] | None,
        params: Params | None,
        time_limit: timedelta | None,
    ) -> Any:
        """A context of a `pyarrow.RecordBatchReader`."""

    def rows(
        self, query: str, params: Params | None, time_limit: timedelta | None
    ) -> Sequence[tuple[Any, ...]]:
        """The few rows of a query."""

    def plan(self, query: str, params: Params | None) -> Plan:
        """How the query would be carried out."""

    def dialect(self, columns: Mapping[str, str]) -> Dialect:
        """Its SQL."""


_KINDS: Mapping[str, Callable[[Any], Kept]] = {
    "sqlite": SqliteLedger,
    "postgresql": PostgresLedger,
}


@dataclass(frozen=True)
class LedgerDatabase:
    """The run ledger, as a database that queries can be asked of."""

    ledger: RunLedger
    name: ClassVar[str] = NAME

    def require_reachable(self) -> None:
        """Raise LedgerUnreachable unless it answers."""
        with self.ledger.read():
            pass

    def columns(self, query: str, params: Params | None = None) -> Mapping[str, str]:
        """The columns that a query about the views gives; none of its rows is read."""
        with self._kept() as kept:
            return kept.columns(query, params)

    def dialect(self, columns: Mapping[str, str]) -> Dialect:
        """That of the database which it is in."""
        return _KINDS[self.ledger.url.get_backend_name()](None).dialect(columns)

    @contextmanager
    def snapshot(self) -> Iterator["LedgerSnapshot"]:
        """One moment of it; writers wait for nothing."""
        with self._kept() as kept:
            yield LedgerSnapshot(kept)

    @contextmanager
    def _kept(self) -> Iterator[Kept]:
        with self.ledger.read() as connection:
            kept = _KINDS[self.ledger.url.get_backend_name()](connection)
            kept.hold()
            yield kept


class LedgerSnapshot:
    """The ledger as it was at one moment, for one thread."""

    def __init__(self, kept: Kept) -> None:
        self.beside = self
        self._kept = kept

    @contextmanager
    def batches(
        self,
        query: str,
        kinds: Mapping[str, Kind] | None = None,
        *,
        params: Params | None = None,
        time_limit: timedelta | None = None,
    ) -> Iterator[Any]:
        """The rows of a query as a `pyarrow.RecordBatchReader`, some thousands at a time."""
        with self._kept.batches(query, kinds, params, time_limit) as reader:
            yield reader

    def rows(
        self, query: str, *, params: Params | None = None, time_limit: timedelta | None = None
    ) -> Sequence[tuple[Any, ...]]:
        """The few rows of a query."""
        return self._kept.rows(query, params, time_limit)

    def ends(self, rows: str, key: str) -> tuple[int, int] | None:
        """Not known."""
        return None

    def plan(self, query: str, params: Params | None = None) -> Plan:
        """How the query would be carried out."""
        return self._kept.plan(query, params)
