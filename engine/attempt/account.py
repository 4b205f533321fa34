"""The account an attempt gives of itself through its pipes, as the fork server hears it."""

import json
import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from engine.attempt.output import Output
from engine.attempt.report import OUTCOME_LIMIT
from engine.clock import Clock
from engine.execution.orders import Order, Progress, Stream

READ = 65_536  # what a pipe holds: one attempt's turn before the next has its own
LAST_READS = 64
EVENT_LIMIT = 1_000_000


class Account:
    """Output, progress and outcome of one attempt. Nothing it says is trusted to be well formed.

    `pipes` maps the read end of each pipe to its name: stdout, stderr, events, outcome.
    """

    def __init__(self, order: Order, pipes: Mapping[int, str], clock: Clock) -> None:
        self.pipes = pipes
        self.open = set(pipes)
        self.output = Output(order.log_limit, clock)
        self.delivered = False
        self.outcome: Any = None
        self.peak_memory_bytes = 0
        self._id = order.id
        self._progress: Progress | None = None
        self._events = b""
        self._outcome = b""

    def read(self, pipe: int) -> bool:
        """Take one turn of bytes, waiting for none; False when there was nothing to take.

        A pipe that nobody can write to any more leaves `open`.
        """
        try:
            data = os.read(pipe, READ)
        except BlockingIOError:
            return False
        if not data:
            self.open.discard(pipe)
        kind = self.pipes[pipe]
        if kind == "events":
            self._hear(data)
        elif kind == "outcome":
            self._hear_outcome(data)
        else:
            self.output.feed(Stream(kind), data)
        return bool(data)

    def take_progress(self) -> Progress | None:
        """How far the attempt has come, if it said so since the last call."""
        progress, self._progress = self._progress, None
        return progress

    def read_outcome(self) -> None:
        """Take the outcome if it is there, before something is decided for lack of it."""
        for pipe, kind in self.pipes.items():
            while kind == "outcome" and self.read(pipe):
                pass

    def read_the_rest(self) -> None:
        """Take what the pipes still hold. Not for ever: a stranger may hold the other end."""
        for pipe in self.pipes:
            for _ in range(LAST_READS):
                if not self.read(pipe):
                    break
        self.read_outcome()
        self.output.close()

    def _hear(self, data: bytes) -> None:
        *lines, self._events = (self._events + data).split(b"\n")
        if len(self._events) > EVENT_LIMIT:
            self._events = b""
        for line in filter(None, lines):
            try:
                ((word, values),) = json.loads(line).items()
                if word == "progress":
                    done, total, note = values
                    self._progress = self._checked_progress(done, total, note)
                elif word == "log":
                    at, text = values
                    self.output.record(datetime.fromisoformat(at), text)
            except (ValueError, TypeError, AttributeError):
                continue  # half of an interrupted write; the next line is whole again

    def _checked_progress(self, done: Any, total: Any, note: Any) -> Progress:
        if note is not None:
            note = str(note).encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
        total = None if total is None else int(total)
        return Progress(id=self._id, done=int(done), total=total, note=note)

    def _hear_outcome(self, data: bytes) -> None:
        if self.delivered or len(self._outcome) > OUTCOME_LIMIT:
            return
        self._outcome += data
        if not data.endswith(b"\n"):
            return
        try:
            said = json.loads(self._outcome)
            self.outcome, peak = said["outcome"], int(said["peak_memory_bytes"])
        except (ValueError, TypeError, KeyError):
            return
        self.peak_memory_bytes = max(self.peak_memory_bytes, peak)
        self.delivered = True
        self._outcome = b""
