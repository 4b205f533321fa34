"""The state of the queues: what waits, runs and failed in each, and who serves them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.huey_app.doorbell import Doorbell
from engine.operations.instants import rfc3339
from engine.states import RunState
from engine.store.run_reader import RunReader
from engine.store.workers import Process, WorkerStore


@dataclass(frozen=True, kw_only=True)
class QueueState:
    """One queue: runs by state as the ledger has them, and messages as the queue has them."""

    name: str
    queued: int
    running: int
    retrying: int
    failed: int
    messages: int
    workers: int

    def as_json(self) -> dict[str, Any]:
        """As other programs read it."""
        return dict(vars(self))


@dataclass(frozen=True, kw_only=True)
class QueueStatus:
    """Every queue that has a run, a job or a worker, and every process that is there."""

    queues: Sequence[QueueState]
    processes: Sequence[Process]

    def as_json(self) -> dict[str, Any]:
        """As other programs read it."""
        return {
            "queues": [queue.as_json() for queue in self.queues],
            "processes": [process_json(process) for process in self.processes],
        }


def queue_status(
    runs: RunReader, presence: WorkerStore, doorbell: Doorbell, known: Sequence[str]
) -> QueueStatus:
    """How it stands; `known` are queues to show even if they are empty."""
    counts = runs.counts()
    processes = presence.present()
    served = [queue for process in processes for queue in process.queues]
    names = sorted({*known, *counts, *served})
    states = [
        QueueState(
            name=name,
            queued=counts.get(name, {}).get(RunState.QUEUED, 0),
            running=counts.get(name, {}).get(RunState.RUNNING, 0),
            retrying=counts.get(name, {}).get(RunState.RETRYING, 0),
            failed=counts.get(name, {}).get(RunState.FAILED, 0),
            messages=doorbell.size(name),
            workers=served.count(name),
        )
        for name in names
    ]
    return QueueStatus(queues=states, processes=processes)


def process_json(process: Process) -> dict[str, Any]:
    """A worker or a scheduler."""
    return {
        "id": process.id,
        "kind": process.kind,
        "host": process.host,
        "pid": process.pid,
        "queues": list(process.queues),
        "threads": process.threads,
        "started_at": rfc3339(process.started_at),
        "foreign_messages": process.foreign_messages,
    }
