"""How many runs each queue has, what is ready told apart from what is delayed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from engine.states import UNFINISHED_RUNS, RunState
from engine.store.database import Database
from engine.store.instant import database_now
from engine.store.run_reader import CLAIMABLE
from engine.store.tables import runs


@dataclass(frozen=True, kw_only=True)
class QueueCounts:
    """The runs of one queue; none is counted twice, but for those in review, which have failed.

    `ready` could be claimed now; `delayed` are not due yet, `retrying` wait between two attempts.
    The ready one that waits longest has waited `oldest_wait`.
    """

    ready: int = 0
    delayed: int = 0
    retrying: int = 0
    running: int = 0
    failed: int = 0
    in_review: int = 0
    oldest_wait: timedelta | None = None


@dataclass(frozen=True, kw_only=True)
class Untouched:
    """Failed runs that nobody has done anything with: how many, and the one that failed first."""

    count: int
    reference: str
    failed_at: datetime


class RunCounts:
    """Counts the runs of one ledger. What has ended well is not looked at, however much it is."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def by_queue(self) -> Mapping[str, QueueCounts]:
        """The counts of every queue that has a run which is unfinished or has failed."""
        c = runs.c
        now = database_now(steady=True)
        claimable = c.state.in_(CLAIMABLE)
        ready = and_(claimable, c.ready_at <= now)
        query = (
            select(
                c.queue,
                _count(ready).label("ready"),
                _count(and_(c.state == RunState.QUEUED, c.ready_at > now)).label("delayed"),
                _count(and_(c.state == RunState.RETRYING, c.ready_at > now)).label("retrying"),
                _count(c.state == RunState.RUNNING).label("running"),
                _count(c.state == RunState.FAILED).label("failed"),
                _count(and_(c.state == RunState.FAILED, c.review == "required")).label("in_review"),
                func.min(case((ready, c.ready_at))).label("since"),
            )
            .where(c.state.in_([*UNFINISHED_RUNS, RunState.FAILED]))
            .group_by(c.queue)
            .order_by(c.queue)
        )
        with self.database.read() as connection:
            rows = [dict(row) for row in connection.execute(query).mappings()]
            # After the counts, so that nothing has waited less than no time.
            asked_at = connection.execute(select(database_now())).scalar_one()
        found = {}
        for row in rows:
            queue, since = row.pop("queue"), row.pop("since")
            wait = None if since is None else asked_at - since
            found[queue] = QueueCounts(**row, oldest_wait=wait)
        return found

    def untouched(self, *, since: timedelta) -> Untouched | None:
        """Runs that failed longer ago than that and were left alone; None if there are none."""
        c = runs.c
        left = (
            c.state == RunState.FAILED,
            c.finished_at < database_now(-since, steady=True),
            or_(c.touched_at.is_(None), c.touched_at < c.finished_at),
        )
        # Counted on the way, so that they are looked through once.
        first = (
            select(func.count().over(), c.reference, c.finished_at)
            .where(*left)
            .order_by(c.finished_at, c.id)
            .limit(1)
        )
        with self.database.read() as connection:
            oldest = connection.execute(first).one_or_none()
        if oldest is None:
            return None
        count, reference, failed_at = oldest
        return Untouched(count=count, reference=reference, failed_at=failed_at)

    def now(self) -> datetime:
        """The ledger's clock."""
        with self.database.read() as connection:
            return connection.execute(select(database_now())).scalar_one()


def _count(those: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((those, 1)))
