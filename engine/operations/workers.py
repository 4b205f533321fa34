"""Workers and schedulers: who is there, what each carries out, and since when."""

from typing import Any

from engine.clock import rfc3339
from engine.operations.instants import milliseconds
from engine.store.workers import CurrentRun, Presence, Process


def presence_json(presence: Presence) -> dict[str, Any]:
    """As other programs read it."""
    return {
        **process_json(presence.process),
        "heartbeat_age_ms": milliseconds(presence.heartbeat_age),
        "runs": [_current_json(run) for run in presence.runs],
    }


def process_json(process: Process) -> dict[str, Any]:
    """A worker or a scheduler."""
    return {
        "id": process.id,
        "kind": process.kind,
        "host": process.host,
        "pid": process.pid,
        "version": process.version,
        "manager": process.manager,
        "queues": list(process.queues),
        "threads": process.threads,
        "memory_bytes": process.memory_bytes,
        "started_at": rfc3339(process.started_at),
        "seen_at": rfc3339(process.seen_at),
        "restart_requested_at": rfc3339(process.restart_requested_at),
        "replaces": process.replaces,
        "foreign_messages": process.foreign_messages,
    }


def _current_json(run: CurrentRun) -> dict[str, Any]:
    return {
        "reference": run.reference,
        "job": run.job,
        "queue": run.queue,
        "attempt": run.attempt,
        "since": rfc3339(run.since),
    }
