"""Dispatch: book a run in the ledger, then ring its queue. Only the booking counts."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from engine.errors import Unreachable
from engine.huey_app.doorbell import Doorbell, QueueUnreachable
from engine.limits import LimitGroup
from engine.states import RunState
from engine.store.run import NewRun, Run
from engine.store.runs import RunStore

# A queue keeps its messages, so a run is rung for again only when it was silent this long
# and its message is gone.
_SILENCE = timedelta(seconds=30)
_ANY_QUEUE = "default"


@dataclass(frozen=True, kw_only=True)
class Booked:
    """A run in the ledger: `is_new` unless it was booked before; `is_duplicate` if another one was
    asked for, and there may be one at a time. `unrung` is why its queue could not be told, though
    it should have been.
    """

    run: Run
    is_new: bool
    is_duplicate: bool = False
    unrung: Unreachable | None = None


@dataclass(frozen=True, kw_only=True)
class Dispatch:
    """Books runs and rings for them."""

    runs: RunStore
    doorbell: Doorbell

    def book(self, new: NewRun) -> Booked:
        """Book the run, and ring if it is due.

        A run that was booked before and still waits is rung for again if its message is gone.
        Raises Unreachable when the ledger does not answer, and DuplicateRun. A queue that does not
        answer is not an error: the sweep rings later.
        """
        # One transaction, not two: if this process ends before it rings, the sweep does, later.
        run, is_new = self.runs.book(new, to_be_rung=True)
        other_key = new.key is None or run.key != new.key
        is_duplicate = not is_new and new.unique_key is not None and other_key
        due = _due([run])
        unrung: Unreachable | None = None
        try:
            if is_new:
                self._ring_at_once(due)
            else:
                self._ring(self._without_message(due))
        except Unreachable as error:
            unrung = error
        return Booked(run=run, is_new=is_new, is_duplicate=is_duplicate, unrung=unrung)

    def ring_booked(self, booked: Iterable[Run]) -> None:
        """Ring for those that are due already; the sweep rings for the others in their time."""
        self.ring(_due(booked))

    def ring_next(self, ended: Run, group: LimitGroup | None = None) -> None:
        """A run of the same schedule, or with the same limits, may have waited for this one."""
        if group is not None:
            self.ring(self.runs.release(group))
        if ended.schedule is None:
            return
        waiting = self.runs.next_in_line(ended.schedule)
        if waiting is not None:
            self.ring([waiting])

    def ring(self, runs: Iterable[Run]) -> None:
        """Ring for each run; the sweep makes up for those that the queue did not take."""
        # The doorbell has said so.
        with suppress(QueueUnreachable):
            self._ring(runs)

    def _ring_at_once(self, booked: Iterable[Run]) -> None:
        """Ring for those that the ledger has as rung for already."""
        for run in booked:
            try:
                self.doorbell.ring(run.queue, run.id)
            except QueueUnreachable:
                with suppress(Unreachable):
                    self.runs.not_rung(run.id)
                raise

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

        A queue that cannot be used keeps no other one waiting. Raises Unreachable at the end when
        there was one, or when the ledger does not answer.
        """
        due = self.runs.due(silent_for=self._silence())
        unreachable: list[QueueUnreachable] = []
        for queue in dict.fromkeys(run.queue for run in due):
            try:
                self._ring_in(queue, [run for run in due if run.queue == queue])
            except QueueUnreachable as error:
                unreachable.append(error)
        if unreachable:
            raise unreachable[0]

    def _silence(self) -> timedelta:
        """How long a run must have been silent; after an outage no message is relied upon."""
        # Asked even if nothing is due, for an outage that nobody noticed cannot end.
        with suppress(QueueUnreachable):
            self.doorbell.size(_ANY_QUEUE)
        return timedelta() if self.doorbell.outage.has_ended() else _SILENCE

    def _ring_in(self, queue: str, due: Sequence[Run]) -> None:
        missing = self._without_message(due)
        present = {run.id for run in due} - {run.id for run in missing}
        if present:
            # Looked at and found: silent for another while.
            self.runs.rung(present)
        self._ring(missing)

    def _without_message(self, due: Sequence[Run]) -> list[Run]:
        waiting = {queue: self.doorbell.waiting(queue) for queue in {run.queue for run in due}}
        return [run for run in due if run.id not in waiting[run.queue]]


def _due(booked: Iterable[Run]) -> list[Run]:
    return [run for run in booked if run.state is RunState.QUEUED and run.due_at <= run.created_at]
