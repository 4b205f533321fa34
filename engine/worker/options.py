"""What a worker was told when it was started."""

from collections.abc import Callable
from dataclasses import dataclass, field

from engine.execution import telling
from engine.execution.telling import Listener
from engine.job import JobDefaults
from engine.worker.stopping import Stopping, WorkerLimits


def _silent(stopping: Stopping) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, kw_only=True)
class WorkerOptions:
    """`defaults` are for jobs that do not say themselves; `listener` hears of each run, `on_end`
    of the worker's end, with everything closed. `under_up` is whether `engine up` keeps it running.
    """

    grace_seconds: float = 10.0
    defaults: JobDefaults = field(default_factory=JobDefaults)
    limits: WorkerLimits = field(default_factory=WorkerLimits)
    listener: Listener = telling.log
    on_end: Callable[[Stopping], object] = _silent
    under_up: bool = False
