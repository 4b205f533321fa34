"""Dispatch: book a run in the ledger, then ring its queue. Only the booking counts."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from engine.errors import Unreachable
from engine.huey_app.doorbell import Doorbell
from engine.states import RunState
from engine.store.run import NewRun, Run
from engine.store.runs import RunStore

logger = logging.getLogger("engine.dispatch")

# A queue keeps its messages, so a run is rung for again only when it was silent this long
# and its message is gone.
_SILENCE = timedelta(seconds=30)


@dataclass(frozen=True, kw_only=True)
class Dispatch:
    """Books runs and rings for them."""

    runs: RunStore
    doorbell: Doorbell

    def book(self, new: NewRun) -> tuple[Run, bool]:
        """Book the run and ring if it is due; False beside it if it was booked before.

        Raises Unreachable when the ledger does not answer. A queue that does not answer is not
        an error: the sweep rings later.
        """
        run, is_new = self.runs.book(new)
        if is_new:
            self.ring_booked([run])
        return run, is_new

    def ring_booked(self, booked: Iterable[Run]) -> None:
        """Ring for those that are due already; the sweep rings for the others in their time."""
        queued = (run for run in booked if run.state is RunState.QUEUED)
        self.ring([run for run in queued if run.due_at <= run.created_at])

    def ring(self, runs: Iterable[Run]) -> int:
        """Ring for each run; how many rings the queue took."""
        rung = []
        for run in runs:
            try:
                self.doorbell.ring(run.queue, run.id)
            except Unreachable as error:
                logger.warning("the queue was not told", extra={"error": str(error)})
                break
            rung.append(run.id)
        if rung:
            self.runs.rung(rung)
        return len(rung)

    def ring_due(self) -> int:
        """Ring for runs whose time has come, and again for those whose message was lost."""
        due = self.runs.due(silent_for=_SILENCE)
        if not due:
            return 0
        waiting: Mapping[str, frozenset[int]] = {
            queue: self.doorbell.waiting(queue) for queue in {run.queue for run in due}
        }
        missing = [run for run in due if run.id not in waiting[run.queue]]
        present = [run.id for run in due if run.id in waiting[run.queue]]
        if present:
            # Looked at and found: silent for another while.
            self.runs.rung(present)
        return self.ring(missing)
