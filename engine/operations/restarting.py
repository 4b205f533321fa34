"""Restarting: every worker and scheduler finishes what it can and comes back on new code."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from engine.operations.instants import rfc3339
from engine.store.restarts import RestartStore
from engine.store.workers import Process

_LOOK_SECONDS = 0.25


@dataclass(frozen=True, kw_only=True)
class Restart:
    """A process that was asked to restart, and what came back in its place; None: nothing yet."""

    old: Process
    new: Process | None = None

    def as_json(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return {
            "id": self.old.id,
            "kind": self.old.kind,
            "host": self.old.host,
            "pid": self.old.pid,
            "version": self.old.version,
            "requested_at": rfc3339(self.old.restart_requested_at),
            "new_id": self.new.id if self.new else None,
            "new_pid": self.new.pid if self.new else None,
            "new_version": self.new.version if self.new else None,
            "returned_at": rfc3339(self.new.started_at) if self.new else None,
        }


def restart_all(restarts: RestartStore, *, actor: str) -> Sequence[Restart]:
    """Ask every process that is there to restart."""
    return [Restart(old=process) for process in restarts.ask(actor=actor)]


def await_return(
    restarts: RestartStore,
    asked: Sequence[Restart],
    *,
    within: timedelta,
    tell: Callable[[Restart], object],
    sleep: Callable[[float], object] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> Sequence[Restart]:
    """Wait until each has come back, or for so long; those that have not are without a `new`.

    `tell` is told of each one as it comes.
    """
    waited_for = {restart.old.id: restart for restart in asked}
    deadline = monotonic() + within.total_seconds()
    while True:
        missing = [name for name, restart in waited_for.items() if restart.new is None]
        for new in restarts.successors(missing):
            back = Restart(old=waited_for[str(new.replaces)].old, new=new)
            waited_for[back.old.id] = back
            tell(back)
        if all(restart.new for restart in waited_for.values()) or monotonic() >= deadline:
            return list(waited_for.values())
        sleep(_LOOK_SECONDS)
