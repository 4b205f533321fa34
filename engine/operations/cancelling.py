"""Cancelling: runs that wait end at once, runs that are running are told to stop."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.dispatch import Dispatch
from engine.job import Job
from engine.operations.failed_runs import in_turns
from engine.operations.retrying import brief_json
from engine.operations.run_moves import Shown, move_json, move_text
from engine.store.cancelled_runs import Cancelled, CancelStore
from engine.store.operator_moves import RunBrief, RunMove


@dataclass(frozen=True, kw_only=True)
class Cancelling:
    """What became of the runs; those in `uncuttable` of the stopping ones end when they end."""

    done: Cancelled
    uncuttable: Collection[int]

    def as_json(self) -> dict[str, Any]:
        """As other programs read it."""
        stopping = [*self.done.stopping, *(run for run, _ in self.done.asked_before)]
        return {
            "cancelled": [brief_json(run) for run in self.done.cancelled],
            "stopping": [
                brief_json(run) | {"can_be_cut_off": run.id not in self.uncuttable}
                for run in stopping
            ],
            "kept": [brief_json(run) for run in self.done.kept],
            "left": [
                brief_json(run) | {"last_move": move_json(move) if move else None}
                for run, move in self.done.left
            ],
        }


def cancel_runs(
    cancelling: CancelStore,
    dispatch: Dispatch,
    jobs: Mapping[str, Job],
    run_ids: Collection[int],
    *,
    actor: str,
    reason: str | None,
) -> Cancelling:
    """End runs that wait; those that are running end within two seconds, all but the uncuttable."""
    done = cancelling.cancel(run_ids, actor=actor, reason=reason)
    for schedule in dict.fromkeys(run.schedule for run in [*done.cancelled, *done.kept]):
        if schedule and (waiting := dispatch.runs.next_in_line(schedule)):
            dispatch.ring([waiting])
    running = [*done.stopping, *(run for run, _ in done.asked_before)]
    return Cancelling(done=done, uncuttable={run.id for run in running if not _cuttable(run, jobs)})


def clear_runs(
    cancelling: CancelStore,
    run_ids: Sequence[int],
    *,
    queue: str,
    actor: str,
    reason: str | None,
) -> Cancelled:
    """Cancel those of the queue's runs that wait still."""
    chosen_by = {"queue": queue}
    done = [
        cancelling.cancel_waiting(some, actor=actor, reason=reason, chosen_by=chosen_by)
        for some in in_turns(run_ids)
    ]
    return Cancelled(
        cancelled=[run for some in done for run in some.cancelled],
        kept=[run for some in done for run in some.kept],
    )


def why_kept(run: RunBrief) -> str:
    """What became of a run that waited, and was not to be cancelled just like that."""
    return (
        f"run {run.id} {run.reference} has failed instead, and waits for a review: whether some of "
        f"its effects happened is unknown (`engine runs effects {run.reference}`)"
    )


def why_ended(run: RunBrief, move: RunMove | None, shown: Shown) -> str:
    """Why there is nothing to cancel."""
    moved = f"; {move_text(move, shown)}" if move else ""
    return f"it is {run.state} already{moved}"


def _cuttable(run: RunBrief, jobs: Mapping[str, Job]) -> bool:
    job = jobs.get(run.job)
    return job is None or job.isolated
