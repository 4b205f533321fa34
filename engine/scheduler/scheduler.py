"""The scheduler: an in-process clock that wakes at each firing and has it booked."""

import logging
import os
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from engine.errors import EngineError, Unreachable
from engine.execution.identity import Identity
from engine.execution.memory import proportional_memory
from engine.execution.rounds import Rounds
from engine.execution.sweep import Sweep
from engine.scheduler.booking import Booking
from engine.schedules.schedule import Schedule
from engine.schedules.triggers import Trigger
from engine.store.faults import LedgerUnreachable
from engine.store.restarts import RestartStore
from engine.store.workers import WorkerStore

logger = logging.getLogger("engine.scheduler")

_SWEEP_SECONDS = 1.0
_PRESENCE_SECONDS = 5.0
_RESTART_SECONDS = 2.0
# A wake that was lost (a suspended laptop, a clock set back) is made up for this soon.
_BOOK_ALL_SECONDS = 15.0


class WakeTrigger(BaseTrigger):  # type: ignore[misc]
    """Our trigger, as APScheduler asks for it."""

    def __init__(self, trigger: Trigger) -> None:
        self._trigger = trigger

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """The next wake. Counting from now skips nothing: booking counts from its own mark."""
        return self._trigger.next_after(now.astimezone(UTC))

    def __str__(self) -> str:
        return str(self._trigger)


@dataclass(kw_only=True)
class Scheduler:
    """One scheduler process. `on_restart` is called when somebody wants it to come back anew."""

    id: str
    schedules: Mapping[str, Schedule]
    booking: Booking
    sweep: Sweep
    presence: WorkerStore
    restarts: RestartStore
    identity: Identity = field(default_factory=Identity)
    on_restart: Callable[[], object] = lambda: None
    is_to_restart: bool = field(default=False, init=False)
    _clock: Any = field(init=False)
    _rounds: list[Rounds] = field(default_factory=list, init=False)
    _booking: threading.Lock = field(default_factory=threading.Lock, init=False)

    def start(self) -> None:
        """Catch up with what was missed, then wake at every firing."""
        self._announce()
        self.booking.begin(self.schedules.values())
        self.book_all()
        defaults = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1000}
        self._clock = BackgroundScheduler(timezone=UTC, job_defaults=defaults)
        for schedule in self.schedules.values():
            if schedule.enabled:
                self._clock.add_job(
                    self._book,
                    WakeTrigger(schedule.trigger),
                    args=[schedule],
                    id=schedule.name,
                    name=schedule.name,
                )
        self._clock.start()
        self._rounds = [
            Rounds("sweep", self.sweep.once, seconds=_SWEEP_SECONDS),
            Rounds("presence", self._still_here, seconds=_PRESENCE_SECONDS),
            Rounds("restart", self._look_for_restart, seconds=_RESTART_SECONDS),
            Rounds("book-all", self.book_all, seconds=_BOOK_ALL_SECONDS),
        ]
        for rounds in self._rounds:
            rounds.start()

    def book_all(self) -> None:
        """Book every schedule's firings up to now."""
        for schedule in self.booking.with_work(self.schedules.values()):
            self._book(schedule)

    def stop(self) -> None:
        """No further wake; what is being booked is booked to its end."""
        self._clock.shutdown(wait=True)
        for rounds in self._rounds:
            rounds.stop()
        self.sweep.stop()
        try:
            self.presence.leave(self.id, comes_back=self.is_to_restart)
        except Unreachable:
            logger.warning("the scheduler's row was left to expire")

    def _book(self, schedule: Schedule) -> None:
        # One thread at a time: the others' firings are taken along, or booked by the next round.
        with self._booking:
            try:
                written = self.booking.book(schedule)
            except LedgerUnreachable:
                # The ledger has said so, and the next round books.
                return
            except EngineError as error:
                facts = {"schedule": schedule.name, "error": str(error)}
                logger.warning("a schedule was not booked; it is tried again", extra=facts)
                return
        if written:
            logger.info("firings booked", extra={"schedule": schedule.name, "rows": written})

    def _announce(self) -> None:
        self.presence.announce(
            worker=self.id,
            host=socket.gethostname(),
            pid=os.getpid(),
            kind="scheduler",
            queues=[],
            threads=1,
            **vars(self.identity),
        )

    def _still_here(self) -> None:
        if not self.presence.seen(self.id, memory_bytes=proportional_memory(os.getpid())):
            self._announce()

    def _look_for_restart(self) -> None:
        if not self.is_to_restart and self.restarts.is_asked(self.id):
            self.is_to_restart = True
            self.on_restart()
