"""Restarts at rest: which processes were asked to come back on new code."""

from collections.abc import Collection, Sequence

from sqlalchemy import ScalarSelect, func, select, update

from engine.store.act import Act, note
from engine.store.database import Database
from engine.store.instant import database_now
from engine.store.tables import workers
from engine.store.workers import Process, WorkerStore, is_waited_for


class RestartStore:
    """Asks the workers and schedulers of one ledger to restart."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ask(self, *, actor: str) -> Sequence[Process]:
        """Ask all that are present; one that was asked before stays asked.

        Returned are they, and those that were asked before and have not come back yet.
        """
        here = workers.c.seen_until >= database_now()
        asked_at = func.coalesce(workers.c.restart_requested_at, database_now())
        with self._database.begin() as connection:
            asking = update(workers).where(here).values(restart_requested_at=asked_at)
            asked = connection.execute(asking.returning(workers.c.id)).scalars().all()
            if asked:
                facts = {"processes": sorted(asked)}
                note(connection, Act(actor=actor, act="restart", count=len(asked), facts=facts))
        wanted = (is_waited_for(), workers.c.id.not_in(_replaced()))
        query = select(workers).where(*wanted).order_by(workers.c.started_at, workers.c.id)
        with self._database.read() as connection:
            return [Process(**row) for row in connection.execute(query).mappings()]

    def is_asked(self, process_id: str) -> bool:
        """Whether this process was asked to restart."""
        query = select(workers.c.restart_requested_at).where(workers.c.id == process_id)
        with self._database.read() as connection:
            return connection.execute(query).scalar() is not None

    def successors(self, ids: Collection[str]) -> Sequence[Process]:
        """The present processes that replace one of these."""
        return [each for each in WorkerStore(self._database).present() if each.replaces in ids]


def _replaced() -> ScalarSelect[str | None]:
    """The processes that others are there for; none of them NULL, which is equal to nothing."""
    back = select(workers.c.replaces).where(workers.c.replaces.is_not(None))
    return back.scalar_subquery()
