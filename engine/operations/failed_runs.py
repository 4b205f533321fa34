"""Failed runs as people and programs see them, and putting them aside."""

from typing import Any

from engine.operations.instants import rfc3339
from engine.store.failed_runs import ErrorGroup, FailedRuns, FailedRunStore, Moved
from engine.store.operator_moves import RunBrief

# So many runs are put aside, or cancelled, in one transaction.
BATCH = 2_000


def discard_failed(
    failed: FailedRunStore,
    which: FailedRuns,
    *,
    actor: str,
    reason: str | None,
    dry_run: bool = False,
) -> Moved:
    """Put failed runs aside for good; their rows, attempts and logs stay."""
    if dry_run or which.ids is not None:
        return failed.discard(which, actor=actor, reason=reason, rehearse=dry_run)
    moved: list[RunBrief] = []
    # One transaction for all would keep the workers of a SQLite ledger from renewing their leases.
    while more := failed.discard(which, actor=actor, reason=reason, limit=BATCH).moved:
        moved += more
    return Moved(moved=moved)


def group_json(group: ErrorGroup) -> dict[str, Any]:
    """Failed runs whose errors are alike."""
    error = group.example.error
    return {
        "fingerprint": group.fingerprint,
        "type": error.type if error else None,
        "count": group.count,
        "first_seen_at": rfc3339(group.first_seen_at),
        "last_seen_at": rfc3339(group.last_seen_at),
        "example": {
            "id": group.example.id,
            "reference": group.example.reference,
            "job": group.example.job,
            "message": error.message if error else None,
        },
    }
