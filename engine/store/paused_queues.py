"""Paused queues: their runs stay where they are, and nobody may claim one."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, select, update

from engine.redaction.hiding import hidden
from engine.states import RunState
from engine.store.act import Act, note
from engine.store.database import Database
from engine.store.instant import database_now
from engine.store.tables import paused_queues, runs
from engine.store.upsert import upsert


@dataclass(frozen=True, kw_only=True)
class PausedQueue:
    """A queue that a person has paused."""

    queue: str
    paused_at: datetime
    actor: str
    reason: str | None


class PausedQueueStore:
    """The paused queues of one ledger."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def pause(self, queue: str, *, actor: str, reason: str | None) -> tuple[PausedQueue, bool]:
        """Keep the queue's runs from being claimed; False beside it if it was paused before."""
        told = reason and hidden(reason)
        row = {"queue": queue, "paused_at": database_now(), "actor": actor, "reason": told}
        here = select(paused_queues).where(paused_queues.c.queue == queue)
        with self.database.begin() as connection:
            # Until one of the two finds it: somebody may resume or pause it between them.
            while True:
                before = connection.execute(here).mappings().one_or_none()
                if before is not None:
                    return PausedQueue(**before), False
                new = upsert(connection, paused_queues).values(row).on_conflict_do_nothing()
                made = connection.execute(new.returning(*paused_queues.c)).mappings()
                if (paused := made.one_or_none()) is not None:
                    subject = f"queue {queue}"
                    act = Act(actor=actor, act="pause", subject=subject, reason=reason)
                    note(connection, act)
                    return PausedQueue(**paused), True

    def resume(self, queue: str, *, actor: str) -> PausedQueue | None:
        """Let the queue's runs be claimed again, as it was until now; None if it was not paused.

        None of them counts as rung for: the messages of those that were refused are gone.
        """
        gone = delete(paused_queues).where(paused_queues.c.queue == queue)
        rung = (
            runs.c.queue == queue,
            runs.c.state.in_([RunState.QUEUED, RunState.RETRYING]),
            runs.c.rung_at.is_not(None),
        )
        in_order = select(runs.c.id).where(*rung).order_by(runs.c.id).with_for_update()
        with self.database.begin() as connection:
            found = connection.execute(gone.returning(*paused_queues.c)).mappings().one_or_none()
            if found is None:
                return None
            connection.execute(update(runs).where(runs.c.id.in_(in_order)).values(rung_at=None))
            before = {"paused_by": found["actor"], "paused_at": found["paused_at"].isoformat()}
            facts = {"before": before}
            note(connection, Act(actor=actor, act="resume", subject=f"queue {queue}", facts=facts))
        return PausedQueue(**found)

    def all(self) -> Sequence[PausedQueue]:
        """Every paused queue, by its name."""
        with self.database.read() as connection:
            rows = connection.execute(select(paused_queues).order_by(paused_queues.c.queue))
            return [PausedQueue(**row) for row in rows.mappings()]

    def queues_of_runs(self) -> Collection[str]:
        """Every queue that a run was ever booked in."""
        with self.database.read() as connection:
            return set(connection.execute(select(runs.c.queue).distinct()).scalars())


def is_paused(queue: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether the queue is paused, as SQL."""
    return exists().where(paused_queues.c.queue == queue)
