"""The Huey instance: one message a run, no retries, no results, no periodic tasks of Huey's."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol

import huey.api
from huey.storage import BaseStorage

from engine.errors import Unreachable
from engine.huey_app.consumer import Consumer
from engine.huey_app.doorbell import Doorbell, QueueUnreachable, Ring
from engine.huey_app.log_lines import log_where_huey_does
from engine.outage import Outage

# An idle worker looks at its queues at least this often, in seconds.
_LONGEST_POLL = 0.5


class Hands(Protocol):
    """What a consumer needs from the worker whose runs it carries out."""

    grace_seconds: float

    @property
    def is_hungry(self) -> bool:
        """Whether a thread may look for another run now."""

    @property
    def wants_to_end(self) -> bool:
        """Whether no further run is to be taken."""

    @property
    def is_patient(self) -> bool:
        """Whether what is under way may take as long as it needs."""

    def start(self, *, threads: int) -> None:
        """The consumer is about to start its threads."""

    def carry_out(self, run_id: int) -> None:
        """A message named this run."""

    def drain(self) -> None:
        """No further run is taken."""

    def close(self) -> None:
        """The consumer has ended."""

    def come_back(self) -> None:
        """All is closed; begin anew if that was asked for."""


class EngineHuey(huey.api.Huey):  # type: ignore[misc]
    """Serves named queues, in the order given, with Huey's consumer and Huey's storages."""

    def __init__(
        self, doorbell: Doorbell, queues: Sequence[str], hands: Hands, ledger_outage: Outage
    ) -> None:
        self.doorbell = doorbell
        self.queues = queues
        self.hands = hands
        self.ledger_outage = ledger_outage
        super().__init__("engine", results=False)

    def create_storage(self) -> BaseStorage:
        """The first queue's storage, for what Huey itself asks of one."""
        return self.doorbell.storage(self.queues[0])

    def create_consumer(self, **options: Any) -> Consumer:
        """A consumer of threads; an attempt has a process group of its own anyway."""
        kind = options.get("worker_type", "thread")
        if kind != "thread":
            sys.stderr.write(
                f"engine: -k {kind} is refused: each attempt already runs in its own process, "
                "and forked workers would share one fork server; use -k thread\n"
            )
            raise SystemExit(2)
        log_where_huey_does()
        options |= {
            "periodic": False,
            "max_delay": min(options.get("max_delay", _LONGEST_POLL), _LONGEST_POLL),
            "shutdown_timeout": self.hands.grace_seconds + 5,
        }
        return Consumer(self, **options)

    @property
    def can_wait(self) -> bool:
        """Whether `dequeue` waits for a run, so that no thread need sleep between two calls."""
        return self.doorbell.can_wait

    def dequeue(self) -> Ring | None:
        """The next run, if there is one, or comes while it waits; raises QueueUnreachable."""
        ring = self.doorbell.take(self.queues)
        if ring is None and self.can_wait and self.hands.is_hungry:
            return self.doorbell.await_ring(self.queues)
        return ring

    def execute(self, task: Ring, timestamp: object = None) -> None:
        """Carry the run out; none of Huey's locks, limits or revocations has a say.

        Raises Unreachable when the ledger does not answer; the message is put back then.
        """
        try:
            self.hands.carry_out(task.run_id)
        except Unreachable:
            # If the queue is away too, the sweep rings.
            with suppress(QueueUnreachable):
                self.doorbell.ring(task.queue, task.run_id)
            raise
