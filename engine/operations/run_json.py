"""Runs and attempts as JSON; other programs rely on these names."""

from collections.abc import Sequence
from typing import Any

from engine.operations.instants import milliseconds, rfc3339
from engine.store.artifacts import Artifact
from engine.store.run import Attempt, Run, RunError


def run_json(run: Run, artifacts: Sequence[Artifact] = ()) -> dict[str, Any]:
    """One run."""
    return {
        "id": run.id,
        "reference": run.reference,
        "job": run.job,
        "queue": run.queue,
        "state": run.state,
        "reason": run.reason,
        "review": run.review,
        "actor": run.actor,
        "key": run.key,
        "priority": run.priority,
        "attempt": run.attempt,
        "attempts_allowed": run.attempts_allowed,
        "params": dict(run.params),
        "result": run.result,
        "error": _error_json(run.error),
        "first_error": _error_json(run.first_error),
        "progress": {
            "done": run.progress_done,
            "total": run.progress_total,
            "note": run.progress_note,
        }
        if run.progress_done is not None
        else None,
        "artifacts": [each.as_json() for each in artifacts],
        "schedule": run.schedule,
        "scheduled_for": rfc3339(run.scheduled_for),
        "due_at": rfc3339(run.due_at),
        "ready_at": rfc3339(run.ready_at),
        "retry_until": rfc3339(run.retry_until),
        "blocked_at": rfc3339(run.blocked_at),
        "period": {"start": rfc3339(run.period[0]), "end": rfc3339(run.period[1])}
        if run.period
        else None,
        "revision": run.revision,
        "parent_id": run.parent_id,
        "cancel_requested_at": rfc3339(run.cancel_requested_at),
        "cancelled_by": run.cancelled_by,
        "worker": run.worker,
        "created_at": rfc3339(run.created_at),
        "started_at": rfc3339(run.started_at),
        "finished_at": rfc3339(run.finished_at),
        "wait_ms": milliseconds(run.wait),
        "duration_ms": milliseconds(run.duration),
        "peak_memory_bytes": run.peak_memory_bytes,
        "payload_bytes": run.payload_bytes,
    }


def _error_json(error: RunError | None) -> dict[str, Any] | None:
    if error is None:
        return None
    return {"type": error.type, "message": error.message, "fingerprint": error.fingerprint}


def attempt_json(attempt: Attempt) -> dict[str, Any]:
    """One attempt."""
    error = {
        "type": attempt.error_type,
        "message": attempt.error_message,
        "trace": attempt.error_trace,
    }
    return {
        "number": attempt.number,
        "worker": attempt.worker,
        "outcome": attempt.outcome or "running",
        "error": error if attempt.error_type else None,
        "started_at": rfc3339(attempt.started_at),
        "finished_at": rfc3339(attempt.finished_at),
        "peak_memory_bytes": attempt.peak_memory_bytes,
    }
