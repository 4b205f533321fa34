"""Retrying failed runs: sent back to their queues by a person, who is told of those that stay."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from engine.dispatch import Dispatch
from engine.errors import Unreachable
from engine.job import Job
from engine.operations.actor import Actor
from engine.operations.ringing import ring_ready
from engine.operations.run_moves import Shown, move_json, move_text
from engine.store.failed_run_reader import FailedRuns
from engine.store.failed_runs import FailedRunStore, Moved
from engine.store.left_runs import REFUSED, LeftRun
from engine.store.operator_moves import RunBrief

# What the code of a job that nobody defines any more says is unknown.
_ONE_ATTEMPT = 1


@dataclass(frozen=True, kw_only=True)
class Retried:
    """The runs that were sent back, the ones that were not, and why their queue was not told."""

    retried: Sequence[RunBrief]
    left: Sequence[LeftRun]
    unrung: Unreachable | None = None

    @property
    def refused(self) -> Sequence[LeftRun]:
        """Those of the ones left that take another person, or another decision, first."""
        return [each for each in self.left if each.obstacle in REFUSED]

    def as_json(self) -> dict[str, Any]:
        """As other programs read it."""
        return {
            "retried": [brief_json(run) for run in self.retried],
            "left": [left_json(each) for each in self.left],
        }


def retry_failed(
    failed: FailedRunStore,
    dispatch: Dispatch,
    jobs: Mapping[str, Job],
    which: FailedRuns,
    *,
    actor: Actor,
    reason: str | None,
    spacing: timedelta = timedelta(),
    limit: int | None = None,
    dry_run: bool = False,
    four_eyes: bool = False,
) -> Retried:
    """Give failed runs as many attempts more as their jobs have, in one transaction.

    Each becomes ready `spacing` after the one before it. With `dry_run` nothing is changed, and
    the answer is what would be.
    """

    def attempts(job: str) -> int:
        return jobs[job].attempts if job in jobs else _ONE_ATTEMPT

    done: Moved = failed.retry(
        which, actor=str(actor), reason=reason, attempts=attempts, spacing=spacing, limit=limit,
        rehearse=dry_run, authenticated=actor.authenticated, four_eyes=four_eyes,
    )  # fmt: skip
    unrung = ring_ready(dispatch) if done.moved and not dry_run else None
    return Retried(retried=done.moved, left=done.left, unrung=unrung)


def why_left(left: LeftRun, shown: Shown) -> str:
    """What keeps the run from being moved, and what to do about it."""
    run = left.run
    if left.obstacle in REFUSED:
        return _why_refused(left)
    if left.obstacle == "key_taken":
        other = f"run {left.other}" if left.other else "another run"
        return f"{other} has the same unique key and has not ended"
    moved = f"; {move_text(left.last_move, shown)}" if left.last_move else ""
    return f"it is {run.state}, not failed{moved}"


def _why_refused(left: LeftRun) -> str:
    run, approve = left.run, f'`engine runs review {left.run.reference} --approve --reason "..."`'
    look = f"look at it (`engine runs show {run.reference}`), then {approve}"
    if left.obstacle == "needs_review":
        review = "waits for a review" if run.review == "required" else "was rejected by a review"
        return f"it {review}: {look}{_who(left)}"
    if left.obstacle == "in_doubt":
        return (
            "whether some of its effects happened is unknown (`engine runs effects "
            f"{run.reference}`): somebody must say so in a review first"
        )
    if left.obstacle == "changed":
        what = " and ".join(left.changed)
        return f"its {what} changed since {run.approved_by} approved of it: {look}{_who(left)}"
    if left.obstacle == "same_person":
        return (
            f"{run.approved_by} approved of it, and with ENGINE_FOUR_EYES another user retries "
            "what one has approved"
        )
    if left.obstacle == "approved_by_nobody_known":
        return (
            f"{run.approved_by} approved of it without a user's token, which is not enough with "
            f"ENGINE_FOUR_EYES: {look}{_who(left)}"
        )
    return (
        "with ENGINE_FOUR_EYES it takes a user to retry what another one approved: put your token "
        "in ENGINE_TOKEN"
    )


def _who(left: LeftRun) -> str:
    if left.approvers is None:
        return " (anybody can: this ledger has no users)"
    return f" (who can: {', '.join(left.approvers) or 'nobody yet; `engine users add`'})"


def brief_json(run: RunBrief) -> dict[str, Any]:
    """A run as it was before it was moved."""
    return {
        "id": run.id,
        "reference": run.reference,
        "job": run.job,
        "queue": run.queue,
        "state": run.state,
        "review": run.review,
        "attempt": run.attempt,
    }


def left_json(left: LeftRun) -> dict[str, Any]:
    """A run that was left, and what keeps it."""
    return {
        **brief_json(left.run),
        "why": left.obstacle,
        "last_move": move_json(left.last_move) if left.last_move else None,
        "other": left.other,
        "changed": list(left.changed),
        "approvers": None if left.approvers is None else list(left.approvers),
    }
