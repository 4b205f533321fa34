"""What `engine queue work` prints: a line when a run starts and when it ends, and why it stops."""

import json
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from engine.cli.output import local
from engine.cli.plain import on_one_line
from engine.clock import rfc3339
from engine.execution.telling import RunEnded, RunStarted
from engine.worker.stopping import StopCause, Stopping

MIB = 1024 * 1024

_REASONS: Mapping[StopCause, str] = {
    StopCause.SIGNAL: "a signal",
    StopCause.MAX_JOBS: "--max-jobs is reached",
    StopCause.MAX_TIME: "--max-time is over",
    StopCause.MEMORY: "it uses {used} MB, more than the {allowed} MB of --memory",
    StopCause.ONCE: "--once",
    StopCause.EMPTY: "no run is ready",
    StopCause.RESTART: "a restart was asked for",
}


@dataclass(kw_only=True)
class WorkerLines:
    """Prints on stdout, for threads that share it; as JSON, one object a line.

    `paused` are those of its queues that a person has paused.
    """

    as_json: bool
    paused: Callable[[], Sequence[str]] = tuple
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def run(self, said: RunStarted) -> None:
        """A run starts or ends."""
        self._print(_run_json(said) if self.as_json else _run_text(said))

    def stopped(self, stopping: Stopping) -> None:
        """The worker ends."""
        cause = stopping.cause or StopCause.SIGNAL
        text = _REASONS[cause].format(
            used=-(-stopping.memory // MIB), allowed=(stopping.limits.max_memory or 0) // MIB
        )
        if cause is StopCause.EMPTY and (paused := self.paused()):
            text += f" ({', '.join(paused)} paused: `engine queue resume`)"
        if self.as_json:
            reason = {"reason": cause, "text": text, "runs": stopping.carried_out}
            self._print({"event": "stopped", **reason})
        else:
            count = stopping.carried_out
            runs = "1 run" if count == 1 else f"{count} runs"
            self._print(f"stopped: {text}; {runs} carried out")

    def _print(self, line: str | dict[str, Any]) -> None:
        now = datetime.now(UTC)
        if isinstance(line, dict):
            text = json.dumps({"at": rfc3339(now), **line}, ensure_ascii=False)
        else:
            text = f"{local(now)}  {line}"
        with self._lock:
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()


def _run_text(said: RunStarted) -> str:
    parts = [said.reference, said.job, said.queue]
    if not isinstance(said, RunEnded):
        parts.append("starts")
    else:
        parts += [said.state or "lost", f"{said.duration.total_seconds():.3f} s"]
        if said.peak_memory_bytes is not None:
            parts.append(f"{said.peak_memory_bytes / MIB:.1f} MB")
    if said.attempt > 1 or (isinstance(said, RunEnded) and said.failed):
        parts.append(f"attempt {said.attempt} of {said.attempts_allowed}")
    if isinstance(said, RunEnded) and said.error is not None:
        parts.append(on_one_line(f"{said.error.type}: {said.error.message}"))
    return "  ".join(parts)


def _run_json(said: RunStarted) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "event": "run_started",
        "reference": said.reference,
        "job": said.job,
        "queue": said.queue,
        "attempt": said.attempt,
        "attempts_allowed": said.attempts_allowed,
    }
    if not isinstance(said, RunEnded):
        return facts
    error = said.error and {
        "type": said.error.type,
        "message": said.error.message,
        "fingerprint": said.error.fingerprint,
    }
    return facts | {
        "event": "run_ended",
        "state": said.state or "lost",
        "duration_ms": round(said.duration.total_seconds() * 1000),
        "peak_memory_bytes": said.peak_memory_bytes,
        "error": error,
    }
