"""Attempts in the worker's own thread, for jobs of one short call; no limit binds them."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from engine.clock import Clock
from engine.execution.executor import OnLines, OnProgress
from engine.execution.orders import AttemptEnd, Cause, Line, Order, Progress, Stream
from engine.worker.printed import printing_to

Perform = Callable[[Order, "ThreadReporter"], dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class ThreadReporter:
    """Hands on what a job in this process says."""

    order: Order
    clock: Clock
    on_lines: OnLines
    on_progress: OnProgress

    def progress(self, done: int, total: int | None = None, note: str | None = None) -> None:
        """How far it is."""
        self.on_progress(Progress(id=self.order.id, done=done, total=total, note=note))

    def log(self, text: str) -> None:
        """One log record."""
        self.line(Stream.LOG, text)

    def line(self, stream: Stream, text: str) -> None:
        """One line."""
        # As the fork server does: a lone surrogate or a NUL is valid here, and in no database.
        storable = text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
        self.on_lines([Line(self.clock.now(), stream, storable)])


@dataclass(frozen=True, kw_only=True)
class ThreadedAttempts:
    """Carries out attempts by calling `perform` right here."""

    perform: Perform
    clock: Clock

    def run(self, order: Order, *, on_lines: OnLines, on_progress: OnProgress) -> AttemptEnd:
        """Carry out one attempt, and wait for its end."""
        reporter = ThreadReporter(
            order=order, clock=self.clock, on_lines=on_lines, on_progress=on_progress
        )
        began_at = time.monotonic()
        with printing_to(reporter.line, order.log_limit):
            outcome = self.perform(order, reporter)
        duration = timedelta(seconds=time.monotonic() - began_at)
        return AttemptEnd(id=order.id, cause=Cause.FINISHED, outcome=outcome, duration=duration)
