"""A reading: everything that is shown, as the ledger has it at about one moment."""

import time
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

_LOOK_SECONDS = 0.05


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
    """Reads one ledger, once `database` has it; from one thread at a time.

    The first reading waits `patience` seconds for that: whoever scrapes a process that has just
    started is not told that the ledger is away.
    """

    database: Callable[[], Database | None]
    patience: float = 3.0
    _has_waited: bool = field(default=False, init=False)
    _sums: RunningSums | None = field(default=None, init=False)

    def read(self) -> Reading | None:
        """The numbers now; None if there is no ledger yet. Raises LedgerUnreachable."""
        began = elapsed()
        database = self._found()
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

    def _found(self) -> Database | None:
        deadline = elapsed() + (0.0 if self._has_waited else self.patience)
        self._has_waited = True
        while (database := self.database()) is None and elapsed() < deadline:
            time.sleep(_LOOK_SECONDS)
        return database
