"""A reading: everything that is shown, as the ledger has it at about one moment."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from engine.clock import elapsed
from engine.events import UNTOUCHED_FOR
from engine.store.attempt_sums import RunningSums, Sums
from engine.store.breaks import BreakStore
from engine.store.database import REVISION, Database
from engine.store.events import EventStore
from engine.store.paused_queues import PausedQueueStore
from engine.store.run_counts import QueueCounts, RunCounts
from engine.store.workers import Process, WorkerStore


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The ledger's numbers; `seconds` is how long reading them took."""

    ledger: str
    queues: Mapping[str, QueueCounts]
    paused: Collection[str]
    untouched: int
    processes: Sequence[Process]
    sums: Sums
    events: Mapping[str, int]
    open_breaks: Mapping[str, int]
    seconds: float
    revision: str = REVISION


@dataclass(kw_only=True)
class LedgerReader:
    """Reads one ledger, once `database` has it; from one thread at a time."""

    database: Callable[[], Database | None]
    _sums: RunningSums | None = field(default=None, init=False)

    def read(self) -> Reading | None:
        """The numbers now; None if there is no ledger yet. Raises LedgerUnreachable."""
        began = elapsed()
        database = self.database()
        if database is None:
            return None
        if self._sums is None:
            self._sums = RunningSums(database)
        untouched = RunCounts(database).untouched(since=UNTOUCHED_FOR)
        return Reading(
            ledger=database.url.get_backend_name(),
            queues=RunCounts(database).by_queue(),
            paused={each.queue for each in PausedQueueStore(database).all()},
            untouched=untouched.count if untouched else 0,
            processes=WorkerStore(database).present(),
            sums=self._sums.read(),
            events=EventStore(database).counts(),
            open_breaks=BreakStore(database).open_by_reconciliation(),
            seconds=elapsed() - began,
        )
