"""Workers and schedulers at rest: who is there, since when, and for which queues."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, delete, not_, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from engine.states import RunState
from engine.store.database import Database
from engine.store.instant import database_now
from engine.store.tables import attempts, runs, workers
from engine.store.upsert import upsert

_A_MOMENT = timedelta(seconds=1)
# As long a process that was asked to restart may be away before it is forgotten.
AWAY_AT_MOST = timedelta(minutes=2)


@dataclass(frozen=True, kw_only=True)
class Process:
    """A worker or a scheduler that said it is there; gone once `seen_until` has passed."""

    id: str
    host: str
    pid: int
    kind: str
    queues: Sequence[str]
    threads: int
    started_at: datetime
    seen_until: datetime
    foreign_messages: int
    version: str | None = None
    manager: str | None = None
    seen_at: datetime | None = None
    memory_bytes: int | None = None
    replaces: str | None = None
    restart_requested_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class CurrentRun:
    """A run that a worker carries out, and since when it has been at this attempt."""

    reference: str
    job: str
    queue: str
    attempt: int
    since: datetime


@dataclass(frozen=True, kw_only=True)
class Presence:
    """A process that is there, how long ago it was last seen, and what it carries out."""

    process: Process
    heartbeat_age: timedelta | None
    runs: Sequence[CurrentRun]


class WorkerStore:
    """The processes of one ledger, as they announce themselves."""

    def __init__(self, database: Database, *, presence: timedelta = timedelta(seconds=15)) -> None:
        self.database = database
        self.presence = presence

    def announce(
        self,
        *,
        worker: str,
        host: str,
        pid: int,
        kind: str,
        queues: Sequence[str],
        threads: int,
        version: str | None = None,
        manager: str | None = None,
        replaces: str | None = None,
    ) -> None:
        """A process starts; it `replaces` the one that it was before a restart."""
        row = {
            "id": worker,
            "host": host,
            "pid": pid,
            "kind": kind,
            "queues": list(queues),
            "threads": threads,
            "started_at": database_now(),
            "seen_until": database_now(self.presence),
            "seen_at": database_now(),
            "version": version,
            "manager": manager,
            "replaces": replaces,
        }
        # In one order, and without those that another process is removing.
        gone = (
            select(workers.c.id)
            .where(workers.c.seen_until < database_now(), workers.c.id != worker)
            .where(or_(not_(is_waited_for()), workers.c.id == replaces))
            .order_by(workers.c.id)
            .with_for_update(skip_locked=True)
        )
        with self.database.begin() as connection:
            connection.execute(delete(workers).where(workers.c.id.in_(gone)))
            # It may be there already, if the answer to an earlier announcement was lost.
            new = upsert(connection, workers).values(row)
            connection.execute(new.on_conflict_do_update(index_elements=["id"], set_=row))

    def seen(
        self, worker: str, *, foreign_messages: int = 0, memory_bytes: int | None = None
    ) -> bool:
        """It is still there; False if it was taken for gone, and must announce itself again."""
        values = {
            "seen_until": database_now(self.presence),
            "seen_at": database_now(),
            "memory_bytes": memory_bytes,
            "foreign_messages": foreign_messages,
        }
        here = update(workers).where(workers.c.id == worker)
        with self.database.begin() as connection:
            return connection.execute(here.values(values)).rowcount == 1

    def leave(self, worker: str, *, comes_back: bool = False) -> None:
        """It ends; if it `comes_back`, whoever waits for that still knows of it until then."""
        here = workers.c.id == worker
        away = update(workers).where(here).values(seen_until=database_now(-_A_MOMENT))
        with self.database.begin() as connection:
            connection.execute(away if comes_back else delete(workers).where(here))

    def roll_call(self) -> Sequence[Presence]:
        """Those that were seen of late, the oldest first, each with its runs."""
        under_way = (
            select(
                runs.c.worker,
                runs.c.reference,
                runs.c.job,
                runs.c.queue,
                runs.c.attempt,
                attempts.c.started_at.label("since"),
            )
            .join(
                attempts,
                and_(attempts.c.run_id == runs.c.id, attempts.c.number == runs.c.attempt),
            )
            .where(runs.c.state == RunState.RUNNING)
            .order_by(attempts.c.started_at, runs.c.id)
        )
        carried_out: dict[str, list[CurrentRun]] = {}
        with self.database.read() as connection:
            processes = _present(connection)
            for row in connection.execute(under_way).mappings():
                values = dict(row)
                carried_out.setdefault(values.pop("worker"), []).append(CurrentRun(**values))
            # After the rest, so that nobody was seen in the future.
            now = connection.execute(select(database_now())).scalar_one()
        return [
            Presence(
                process=process,
                heartbeat_age=None if process.seen_at is None else now - process.seen_at,
                runs=carried_out.get(process.id, []),
            )
            for process in processes
        ]

    def present(self) -> Sequence[Process]:
        """Those that were seen of late, the oldest first."""
        with self.database.read() as connection:
            return _present(connection)


def is_waited_for() -> ColumnElement[bool]:
    """Whether a process was asked to restart, and is there or was so of late, as SQL."""
    of_late = workers.c.seen_until > database_now(-AWAY_AT_MOST)
    return and_(workers.c.restart_requested_at.is_not(None), of_late)


def _present(connection: Connection) -> list[Process]:
    query = (
        select(workers)
        .where(workers.c.seen_until >= database_now())
        .order_by(workers.c.started_at, workers.c.id)
    )
    return [Process(**row) for row in connection.execute(query).mappings()]
