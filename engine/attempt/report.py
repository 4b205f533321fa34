"""The report: how an attempt's process tells the fork server of progress, records and outcome."""

import json
import os
import select
import threading
from datetime import datetime
from typing import Any

from engine.attempt import tree
from engine.clock import Clock, SystemClock
from engine.errors import EngineError
from engine.execution.orders import instant_text

OUTCOME_LIMIT = 16_000_000


class OutcomeTooLarge(EngineError):
    """What a job returned is more than the engine carries and stores."""

    message = "the outcome is {size} bytes of JSON; at most {limit}: return an id, store the rows"


class Report:
    """Given to `perform`; every method may be called from any thread.

    A process that the job forked may tell of progress and records too, as far as a message
    fits in one undivided write; the outcome is the attempt's own.
    """

    def __init__(self, events: int, outcome: int, clock: Clock | None = None) -> None:
        self._events = events
        self._outcome: int | None = outcome
        self._clock = clock or SystemClock()
        self._process = os.getpid()
        # Re-entrant: a signal handler that logs may interrupt a thread that is logging.
        self._lock = threading.RLock()

    def progress(self, done: int, total: int | None = None, note: str | None = None) -> None:
        """How far the job has come; only the latest is kept."""
        self._tell({"progress": [done, total, note]})

    def log(self, text: str, at: datetime | None = None) -> None:
        """A log record, as the text that people will read."""
        self._tell({"log": [instant_text(at or self._clock.now()), text]})

    def outcome(self, value: Any) -> None:
        """What the attempt came to, as JSON-ready data: said once, and the last thing needed."""
        if self._process != os.getpid():
            return
        said = {"outcome": value, "peak_memory_bytes": tree.own_peak_memory()}
        data = json.dumps(said).encode() + b"\n"
        if len(data) > OUTCOME_LIMIT:
            raise OutcomeTooLarge(size=len(data), limit=OUTCOME_LIMIT)
        with self._lock:
            if self._outcome is None:
                raise RuntimeError("the outcome of this attempt has been delivered")
            pipe, self._outcome = self._outcome, None
        _write(pipe, data)
        os.close(pipe)

    def _tell(self, event: dict[str, Any]) -> None:
        # The line break comes first too: what an interrupted write left behind is cut off.
        data = b"\n" + json.dumps(event).encode() + b"\n"
        if self._process != os.getpid():
            if len(data) <= select.PIPE_BUF:
                os.write(self._events, data)
            return
        with self._lock:
            _write(self._events, data)


def _write(pipe: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(pipe, rest) :]
