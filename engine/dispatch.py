"""Dispatch: book a run in the ledger, then ring its queue. Only the booking counts."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from engine.errors import Unreachable
from engine.huey_app.doorbell import Doorbell, QueueUnreachable
from engine.states import RunState
from engine.store.run import NewRun, Run
from engine.store.runs import RunStore

logger = logging.getLogger("engine.dispatch")

# A queue keeps its messages, so a run is rung for again only when it was silent this long
# and its message is gone.
_SILENCE = timedelta(seconds=30)


@dataclass(frozen=True, kw_only=True)
class Booked:
    """A run in the ledger: `is_new` unless it was booked before; `unrung` is why its queue could
    not be told, though it should have been.
    """

    run: Run
    is_new: bool
    unrung: Unreachable | None = None


@dataclass(frozen=True, kw_only=True)
class Dispatch:
    """Books runs and rings for them."""

    runs: RunStore
    doorbell: Doorbell

    def book(self, new: NewRun) -> Booked:
        """Book the run, and ring if it is due.

        Raises Unreachable when the ledger does not answer. A queue that does not answer is not
        an error: the sweep rings later.
        """
        run, is_new = self.runs.book(new)
        if not is_new:
            return Booked(run=run, is_new=False)
        try:
            self._ring(_due([run]))
        except Unreachable as error:
            return Booked(run=run, is_new=True, unrung=error)
        return Booked(run=run, is_new=True)

    def ring_booked(self, booked: Iterable[Run]) -> None:
        """Ring for those that are due already; the sweep rings for the others in their time."""
        self.ring(_due(booked))

    def ring(self, runs: Iterable[Run]) -> None:
        """Ring for each run; the sweep makes up for those that the queue did not take."""
        try:
            self._ring(runs)
        except QueueUnreachable as error:
            logger.warning("the queue was not told", extra={"error": str(error)})

    def _ring(self, runs: Iterable[Run]) -> None:
        rung: list[int] = []
        try:
            for run in runs:
                self.doorbell.ring(run.queue, run.id)
                rung.append(run.id)
        finally:
            if rung:
                self.runs.rung(rung)

    def ring_due(self) -> None:
        """Ring for runs whose time has come, and again for those whose message was lost.

        Raises Unreachable when the queue or the ledger does not answer.
        """
        due = self.runs.due(silent_for=_SILENCE)
        waiting: Mapping[str, frozenset[int]] = {
            queue: self.doorbell.waiting(queue) for queue in {run.queue for run in due}
        }
        missing = [run for run in due if run.id not in waiting[run.queue]]
        present = [run.id for run in due if run.id in waiting[run.queue]]
        if present:
            # Looked at and found: silent for another while.
            self.runs.rung(present)
        self._ring(missing)


def _due(booked: Iterable[Run]) -> list[Run]:
    return [run for run in booked if run.state is RunState.QUEUED and run.due_at <= run.created_at]
