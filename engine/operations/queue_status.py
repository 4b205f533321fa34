"""The state of the queues: what waits, runs and failed in each, and who serves them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.clock import rfc3339
from engine.errors import Unreachable
from engine.events import UNTOUCHED_FOR
from engine.huey_app.doorbell import Doorbell
from engine.operations.instants import milliseconds
from engine.operations.workers import process_json
from engine.store.paused_queues import PausedQueue, PausedQueueStore
from engine.store.run_counts import QueueCounts, RunCounts, Untouched
from engine.store.workers import Process, WorkerStore


@dataclass(frozen=True, kw_only=True)
class QueueState:
    """One queue: runs as the ledger has them, and messages as the queue's server has them.

    `messages` is None if the server is away.
    """

    name: str
    counts: QueueCounts
    messages: int | None
    workers: int
    paused: PausedQueue | None

    def as_json(self) -> dict[str, Any]:
        """As other programs read it."""
        return {
            "name": self.name,
            **counts_json(self.counts),
            "messages": self.messages,
            "workers": self.workers,
            "paused": _paused_json(self.paused) if self.paused else None,
        }


@dataclass(frozen=True, kw_only=True)
class QueueStatus:
    """Every queue that has a run, a job or a worker, and every process that is there.

    `untouched` are failed runs left alone for a day; `unreachable` is what the queue's server has.
    """

    queues: Sequence[QueueState]
    processes: Sequence[Process]
    untouched: Untouched | None
    unreachable: Unreachable | None

    def as_json(self) -> dict[str, Any]:
        """As other programs read it."""
        left = self.untouched
        return {
            "queues": [queue.as_json() for queue in self.queues],
            "processes": [process_json(process) for process in self.processes],
            "failed_untouched": {
                "count": left.count,
                "oldest": left.reference,
                "failed_at": rfc3339(left.failed_at),
            }
            if left
            else None,
            "queue_error": str(self.unreachable) if self.unreachable else None,
        }


def queue_status(
    counts: RunCounts,
    presence: WorkerStore,
    pauses: PausedQueueStore,
    doorbell: Doorbell,
    known: Sequence[str],
) -> QueueStatus:
    """How it stands; `known` are queues to show even if they are empty.

    A queue's server that is away hides nothing but its messages.
    """
    found = counts.by_queue()
    processes = presence.present()
    paused = {each.queue: each for each in pauses.all()}
    served = [queue for process in processes for queue in process.queues]
    names = sorted({*known, *found, *served, *paused})
    messages: dict[str, int] = {}
    unreachable = None
    try:
        for name in names:
            messages[name] = doorbell.size(name)
    except Unreachable as error:
        unreachable = error
    states = [
        QueueState(
            name=name,
            counts=found.get(name, QueueCounts()),
            messages=messages.get(name),
            workers=served.count(name),
            paused=paused.get(name),
        )
        for name in names
    ]
    return QueueStatus(
        queues=states,
        processes=processes,
        untouched=counts.untouched(since=UNTOUCHED_FOR),
        unreachable=unreachable,
    )


def counts_json(counts: QueueCounts) -> dict[str, Any]:
    """A queue's runs, as other programs read them."""
    return {
        "ready": counts.ready,
        "delayed": counts.delayed,
        "running": counts.running,
        "retrying": counts.retrying,
        "failed": counts.failed,
        "in_review": counts.in_review,
        "oldest_wait_ms": milliseconds(counts.oldest_wait),
    }


def _paused_json(paused: PausedQueue) -> dict[str, Any]:
    return {
        "paused_at": rfc3339(paused.paused_at),
        "actor": paused.actor,
        "reason": paused.reason,
    }
