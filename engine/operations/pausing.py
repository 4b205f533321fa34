"""Pausing queues: their runs stay, and no worker takes one until somebody resumes them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.dispatch import Dispatch
from engine.documents.closest import suggestion
from engine.errors import Invalid, Unreachable
from engine.job import Job
from engine.operations.instants import rfc3339
from engine.operations.ringing import ring_ready
from engine.store.paused_queues import PausedQueue, PausedQueueStore
from engine.store.workers import WorkerStore


class UnknownQueue(Invalid):
    """No job, no run and no worker knows a queue of this name."""

    message = "no job, run or worker has the queue {name!r}; {hint}"


@dataclass(frozen=True, kw_only=True)
class Resumed:
    """The queues as they were paused, None for one that was not; why they were not rung for."""

    queues: Mapping[str, PausedQueue | None]
    unrung: Unreachable | None


def require_known(
    names: Sequence[str],
    pauses: PausedQueueStore,
    presence: WorkerStore,
    jobs: Mapping[str, Job],
) -> None:
    """Raise UnknownQueue for the first name that nothing has anything to do with."""
    known = served_or_named(presence, jobs) | {paused.queue for paused in pauses.all()}
    if known.issuperset(names):
        return
    known |= set(pauses.queues_of_runs())
    for name in names:
        if name not in known:
            raise UnknownQueue(name=name, hint=suggestion(name, known))


def served_or_named(presence: WorkerStore, jobs: Mapping[str, Job]) -> set[str]:
    """The queues that a worker serves now, or that a job names as its own."""
    served = {queue for process in presence.present() for queue in process.queues}
    return served | {job.queue for job in jobs.values()}


def pause_queues(
    pauses: PausedQueueStore, names: Collection[str], *, actor: str, reason: str | None
) -> Sequence[tuple[PausedQueue, bool]]:
    """Pause each queue; False beside those that were paused before, by whom is in them."""
    return [pauses.pause(name, actor=actor, reason=reason) for name in names]


def resume_queues(
    pauses: PausedQueueStore, dispatch: Dispatch, names: Collection[str], *, actor: str
) -> Resumed:
    """Let the runs of each queue go on, and ring for those that are ready."""
    queues = {name: pauses.resume(name, actor=actor) for name in names}
    unrung = ring_ready(dispatch) if any(queues.values()) else None
    return Resumed(queues=queues, unrung=unrung)


def paused_json(paused: PausedQueue) -> dict[str, Any]:
    """As other programs read it."""
    return {
        "queue": paused.queue,
        "paused_at": rfc3339(paused.paused_at),
        "actor": paused.actor,
        "reason": paused.reason,
    }
