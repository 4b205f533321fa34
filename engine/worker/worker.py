"""The worker: the hands of a Huey consumer. It holds leases, beats, sweeps and drains."""

import logging
import os
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from engine.errors import Unreachable
from engine.execution.claims import HeldClaims, attempt_id
from engine.execution.executor import Executor
from engine.execution.identity import Identity, begin_anew
from engine.execution.memory import proportional_memory
from engine.execution.orders import StopReason
from engine.execution.rounds import Rounds
from engine.execution.sweep import Sweep
from engine.huey_app.doorbell import Doorbell
from engine.store.cancelled_runs import CancelStore
from engine.store.faults import LedgerUnreachable
from engine.store.restarts import RestartStore
from engine.store.workers import WorkerStore
from engine.worker.fork_server import ForkServer
from engine.worker.stopping import StopCause, Stopping

logger = logging.getLogger("engine.worker")

BEAT_SECONDS = 2.0
FENCE_SECONDS = 0.5
SWEEP_SECONDS = 1.0
CANCEL_SECONDS = 0.5
SPOOL_SECONDS = 5.0
HAND_BACK_SECONDS = 0.2
LOOK_SECONDS = 0.2


def new_worker_id() -> str:
    """A name that no other process has: host, process and a random part."""
    return f"{socket.gethostname()}:{os.getpid()}:{os.urandom(3).hex()}"


@dataclass(kw_only=True)
class Worker:
    """One worker process. Its fork server starts with it, before any thread does."""

    id: str
    queues: Sequence[str]
    executor: Executor
    claims: HeldClaims
    sweep: Sweep
    presence: WorkerStore
    doorbell: Doorbell
    fork_server: ForkServer
    purge_spool: Callable[[], object]
    release: Callable[[], None]
    grace_seconds: float
    restarts: RestartStore
    identity: Identity = field(default_factory=Identity)
    stopping: Stopping = field(default_factory=Stopping)
    on_end: Callable[[Stopping], object] = lambda _: None
    _draining: threading.Event = field(default_factory=threading.Event, init=False)
    _closed: threading.Event = field(default_factory=threading.Event, init=False)
    _rounds: list[Rounds] = field(default_factory=list, init=False)
    _threads: int = field(default=0, init=False)

    def start(self, *, threads: int) -> None:
        """Announce the worker; start its heartbeat and its part in the sweep."""
        self._threads = threads
        try:
            self._announce()
        except LedgerUnreachable:
            # The ledger has said so, and the heartbeat announces.
            logger.debug("the worker is not announced yet")
        self._rounds = [
            Rounds("heartbeat", self._beat, seconds=BEAT_SECONDS),
            Rounds("fence", self.claims.fence, seconds=FENCE_SECONDS),
            Rounds("cancel", self._stop_cancelled, seconds=CANCEL_SECONDS),
            Rounds("sweep", self.sweep.once, seconds=SWEEP_SECONDS),
            Rounds("spool", self.purge_spool, seconds=SPOOL_SECONDS),
        ]
        # Before a thread takes a run: one that never has room would only hand it back.
        self.stopping.weigh(self._memory)
        if self.stopping.has_limits:
            self._rounds.append(Rounds("limits", self._look, seconds=LOOK_SECONDS))
        for rounds in self._rounds:
            rounds.start()

    @property
    def is_hungry(self) -> bool:
        """Whether a thread may look for another run now."""
        return self.stopping.has_room

    @property
    def wants_to_end(self) -> bool:
        """Whether it takes no further run."""
        return self.stopping.cause is not None

    @property
    def is_patient(self) -> bool:
        """Whether what is under way may take as long as it needs."""
        return self.stopping.is_patient and not self._draining.is_set()

    def carry_out(self, run_id: int) -> None:
        """See a run through, unless the worker is about to end."""
        if not self.stopping.begin():
            self._ring_again(run_id)
            return
        told = None
        try:
            told = self.executor.carry_out(run_id)
        finally:
            self.stopping.end(told)

    def drain(self) -> None:
        """Take no further run; what has not ended within the grace time is handed back."""
        if self._draining.is_set():
            return
        self._draining.set()
        self.stopping.stop(StopCause.SIGNAL)
        if self.claims.all():
            logger.info("draining", extra={"grace_seconds": self.grace_seconds})
        threading.Thread(target=self._hand_back, name="hand-back", daemon=True).start()

    def close(self) -> None:
        """End everything that belongs to the worker."""
        self._closed.set()
        self.executor.closed.set()
        for rounds in self._rounds:
            rounds.stop()
        self.sweep.stop()
        self.fork_server.close()
        try:
            self.purge_spool()
            back = self.stopping.cause is StopCause.RESTART
            self.presence.leave(self.id, comes_back=back)
        except Unreachable:
            logger.warning("the worker's row was left to expire")
        self.release()
        try:
            self.on_end(self.stopping)
        except OSError:
            # Whoever read what it prints has left, which is no reason not to come back.
            logger.warning("why the worker stopped could not be told")

    def come_back(self) -> None:
        """Begin anew on the code that is there now, if that was asked for; called at the end."""
        if self.stopping.cause is StopCause.RESTART:
            logger.info("restarting", extra={"worker": self.id})
            begin_anew(self.id)

    def _announce(self) -> None:
        self.presence.announce(
            worker=self.id,
            host=socket.gethostname(),
            pid=os.getpid(),
            kind="worker",
            queues=self.queues,
            threads=self._threads,
            **vars(self.identity),
        )

    def _beat(self) -> None:
        self.claims.beat()
        if not self.presence.seen(
            self.id, foreign_messages=self.doorbell.foreign_messages, memory_bytes=self._memory()
        ):
            self._announce()
        if self.restarts.is_asked(self.id):
            self.stopping.stop(StopCause.RESTART)

    def _look(self) -> None:
        self.stopping.look(
            memory=self._memory,
            has_ready=lambda: self.executor.runs.has_ready(self.queues),
        )

    def _memory(self) -> int:
        """The bytes that it and its fork server have; attempts have limits of their own."""
        own = [pid for pid in (os.getpid(), self.fork_server.pid) if pid is not None]
        return sum(map(proportional_memory, own))

    def _stop_cancelled(self) -> None:
        """End the attempts of runs that a person cancelled; a thread's own cannot be cut off."""
        claims = self.claims.all()
        if not claims:
            return
        for claim in CancelStore(self.executor.runs.database).to_stop(claims):
            self.fork_server.stop(attempt_id(claim), StopReason.CANCELLED)

    def _hand_back(self) -> None:
        """After the grace time, again and again: a run may have been claimed just before it."""
        wait = self.grace_seconds
        while not self._closed.wait(wait):
            for claim in self.claims.all():
                self.fork_server.stop(attempt_id(claim), StopReason.HANDED_BACK)
            wait = HAND_BACK_SECONDS

    def _ring_again(self, run_id: int) -> None:
        runs = self.executor.runs
        self.executor.dispatch.ring([runs.get(run_id)])
