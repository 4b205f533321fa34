"""What a worker tells of the runs it carries out, while it does."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from engine.states import RunState
from engine.store.run import Claim, Run, RunError

logger = logging.getLogger("engine.worker")


@dataclass(frozen=True, kw_only=True)
class RunStarted:
    """An attempt begins."""

    reference: str
    job: str
    queue: str
    attempt: int
    attempts_allowed: int


@dataclass(frozen=True, kw_only=True)
class RunEnded(RunStarted):
    """An attempt has ended; `state` is what became of its run, None if another worker has it now.

    `error` is why it did not succeed.
    """

    state: RunState | None
    duration: timedelta
    peak_memory_bytes: int | None
    error: RunError | None

    @property
    def failed(self) -> bool:
        """Whether the attempt went wrong, whatever follows."""
        if self.state is RunState.RETRYING:
            return self.error is None or self.error.type != "RetryLater"
        return self.state in (None, RunState.FAILED)


Listener = Callable[[RunStarted], object]


def begun(claim: Claim, run: Run) -> RunStarted:
    """The attempt of this claim begins."""
    return RunStarted(
        reference=run.reference,
        job=run.job,
        queue=run.queue,
        attempt=claim.attempt,
        attempts_allowed=run.attempts_allowed,
    )


def ended(
    claim: Claim, run: Run, *, kept: bool, duration: timedelta, peak_memory_bytes: int | None
) -> RunEnded:
    """The attempt of this claim has ended, and `run` is what the ledger says since.

    `kept` is whether its end could be written down.
    """
    return RunEnded(
        **vars(begun(claim, run)),
        state=run.state if kept else None,
        duration=duration,
        peak_memory_bytes=peak_memory_bytes,
        error=run.error if kept else None,
    )


def log(said: RunStarted) -> None:
    """A log line for what was said."""
    facts: dict[str, object] = {
        "reference": said.reference,
        "job": said.job,
        "queue": said.queue,
        "attempt": said.attempt,
    }
    if isinstance(said, RunEnded):
        seconds = round(said.duration.total_seconds(), 3)
        logger.info("run ends", extra=facts | {"state": said.state or "lost", "seconds": seconds})
    else:
        logger.info("run starts", extra=facts)
