"""When a worker ends by itself, and why: limits on runs, time and memory, an empty queue."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from engine.execution.telling import RunEnded


class StopCause(StrEnum):
    """Why a worker took no further run."""

    SIGNAL = "signal"
    MAX_JOBS = "max_jobs"
    MAX_TIME = "max_time"
    MEMORY = "memory"
    ONCE = "once"
    EMPTY = "empty"
    RESTART = "restart"


# What is under way takes as long as it needs; with the others it has the grace time.
_PATIENT = frozenset({StopCause.MAX_JOBS, StopCause.MAX_TIME, StopCause.ONCE, StopCause.EMPTY})


@dataclass(frozen=True, kw_only=True)
class WorkerLimits:
    """What a worker ends by itself for; None is nothing. `max_memory` is in bytes.

    With `once` it carries out one run; with `when_empty` it ends as soon as none is ready.
    """

    max_jobs: int | None = None
    max_time: timedelta | None = None
    max_memory: int | None = None
    once: bool = False
    when_empty: bool = False


@dataclass(kw_only=True)
class Stopping:
    """Decides when a worker takes no further run. Its threads share it.

    `memory` is what it used when it was looked at last, in bytes.
    """

    limits: WorkerLimits = field(default_factory=WorkerLimits)
    monotonic: Callable[[], float] = time.monotonic
    cause: StopCause | None = field(default=None, init=False)
    carried_out: int = field(default=0, init=False)
    last: RunEnded | None = field(default=None, init=False)
    memory: int = field(default=0, init=False)
    _under_way: int = field(default=0, init=False)
    _since: float = field(default=0.0, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        self._since = self.monotonic()

    @property
    def has_limits(self) -> bool:
        """Whether there is anything to look at now and then."""
        return self.limits != WorkerLimits()

    @property
    def is_patient(self) -> bool:
        """Whether what is under way may take as long as it needs."""
        return self.cause in _PATIENT

    @property
    def had_no_room(self) -> bool:
        """Whether it ended for its memory before it could carry out anything."""
        return self.cause is StopCause.MEMORY and not self.carried_out

    @property
    def has_room(self) -> bool:
        """Whether a thread may look for another run now."""
        if self.cause is not None:
            return False
        most = self._most
        return most is None or self.carried_out + self._under_way < most

    def begin(self) -> bool:
        """A thread found a run; False if it must leave it to somebody else."""
        with self._lock:
            if not self.has_room:
                return False
            self._under_way += 1
            return True

    def end(self, told: RunEnded | None) -> None:
        """The thread is through with it; None if it was not to be had."""
        with self._lock:
            self._under_way -= 1
            if told is None:
                return
            self.carried_out += 1
            self.last = told
            is_last = self._most is not None and self.carried_out >= self._most
        if is_last:
            self.stop(StopCause.ONCE if self.limits.once else StopCause.MAX_JOBS)

    def weigh(self, memory: Callable[[], int]) -> None:
        """Stop if it uses too much; `memory` is in bytes."""
        if self.limits.max_memory is not None:
            self.memory = memory()
            if self.memory > self.limits.max_memory:
                self.stop(StopCause.MEMORY)

    def look(self, *, memory: Callable[[], int], has_ready: Callable[[], bool]) -> None:
        """Stop if a limit is reached. `has_ready` is whether a run could be claimed now."""
        limits = self.limits
        passed = timedelta(seconds=self.monotonic() - self._since)
        if limits.max_time is not None and passed >= limits.max_time:
            self.stop(StopCause.MAX_TIME)
        self.weigh(memory)
        if (limits.when_empty or limits.once) and self._is_idle and not has_ready():
            # One that a thread has found meanwhile is still in the ledger, and left to others.
            self.stop(StopCause.EMPTY)

    def stop(self, cause: StopCause) -> None:
        """Take no further run; the first cause counts."""
        with self._lock:
            if self.cause is None:
                self.cause = cause

    @property
    def _most(self) -> int | None:
        return 1 if self.limits.once else self.limits.max_jobs

    @property
    def _is_idle(self) -> bool:
        return self._under_way == 0
