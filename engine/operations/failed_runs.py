"""Failed runs as people and programs see them, and putting them aside."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.operations.instants import rfc3339
from engine.store.failed_run_reader import ErrorGroup, FailedRuns
from engine.store.failed_runs import FailedRunStore, Moved
from engine.store.left_runs import LeftRun
from engine.store.operator_moves import RunBrief

_AT_A_TIME = 2_000


def discard_failed(
    failed: FailedRunStore,
    run_ids: Sequence[int],
    *,
    actor: str,
    reason: str | None,
    chosen_by: Mapping[str, Any] | None = None,
    dry_run: bool = False,
) -> Moved:
    """Put failed runs aside for good; their rows, attempts and logs stay."""
    moved: list[RunBrief] = []
    left: list[LeftRun] = []
    for some in in_turns(run_ids):
        which = FailedRuns(ids=some)
        done = failed.discard(
            which, actor=actor, reason=reason, chosen_by=chosen_by, rehearse=dry_run
        )
        moved += done.moved
        left += done.left
    return Moved(moved=moved, left=left)


def in_turns(run_ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """The ids, so many at a time as one transaction may move.

    One for very many would keep the workers of a SQLite ledger from renewing their leases.
    """
    for start in range(0, len(run_ids), _AT_A_TIME):
        yield run_ids[start : start + _AT_A_TIME]


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
