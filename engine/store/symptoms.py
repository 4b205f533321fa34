"""What the ledger shows of an engine that does not feel well; a bounded number of rows is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import and_, func, or_, select

from engine.states import RunState
from engine.store.database import Database
from engine.store.instant import database_now
from engine.store.run import UNCOUNTED_OUTCOMES
from engine.store.schedule_marks import ScheduleMark, all_marks
from engine.store.tables import attempts, runs

# A handed back attempt is no measure of how long a job takes.
_MEASURED = ("succeeded", "failed")
_RECENT_ATTEMPTS = 2_000
_RECENT_RUNS = 1_000


@dataclass(frozen=True, kw_only=True)
class Ended:
    """An attempt that ended, and what it took."""

    job: str
    queue: str
    duration: timedelta
    peak_memory_bytes: int | None


@dataclass(frozen=True, kw_only=True)
class Failing:
    """A run that fails, or waits for its next attempt; so many `attempts` ended like its last."""

    reference: str
    job: str
    state: RunState
    attempts: int
    error_type: str
    error_message: str
    fingerprint: str


class Symptoms:
    """Reads one ledger; `RunCounts` has the numbers of its queues."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def running(self) -> Mapping[str, int]:
        """How many runs each worker carries out, by its id."""
        query = (
            select(runs.c.worker, func.count())
            .where(runs.c.state == RunState.RUNNING)
            .group_by(runs.c.worker)
        )
        with self.database.read() as connection:
            return {row.worker: row[1] for row in connection.execute(query)}

    def failing(self, *, within: timedelta) -> Sequence[Failing]:
        """Runs that failed within this time, and those that are retried; the newest first."""
        alike = (
            select(func.count())
            .where(
                attempts.c.run_id == runs.c.id,
                attempts.c.error_type == runs.c.error_type,
                attempts.c.outcome.not_in(UNCOUNTED_OUTCOMES),
            )
            .scalar_subquery()
        )
        recently = runs.c.finished_at >= database_now(-within, steady=True)
        failed = and_(runs.c.state == RunState.FAILED, recently)
        # One that its job only put off has not failed.
        retried = and_(runs.c.state == RunState.RETRYING, alike > 0)
        query = (
            select(
                runs.c.reference,
                runs.c.job,
                runs.c.state,
                alike.label("attempts"),
                runs.c.error_type,
                runs.c.error_message,
                runs.c.error_fingerprint.label("fingerprint"),
            )
            .where(
                or_(failed, retried),
                runs.c.error_fingerprint.is_not(None),
            )
            .order_by(runs.c.id.desc())
            .limit(_RECENT_RUNS)
        )
        with self.database.read() as connection:
            found = [dict(row) for row in connection.execute(query).mappings()]
        return [Failing(**row | {"state": RunState(row["state"])}) for row in found]

    def lost(self, *, since: timedelta) -> int:
        """How many running runs nobody holds for that long, and nobody has taken up."""
        query = select(func.count()).where(
            runs.c.state == RunState.RUNNING,
            runs.c.lease_until < database_now(-since, steady=True),
        )
        with self.database.read() as connection:
            return connection.execute(query).scalar_one()

    def ended(self) -> Sequence[Ended]:
        """The attempts of the newest runs, as far as they ended by themselves or at a limit."""
        query = (
            select(
                runs.c.job,
                runs.c.queue,
                attempts.c.started_at,
                attempts.c.finished_at,
                attempts.c.peak_memory_bytes,
            )
            .join(runs, runs.c.id == attempts.c.run_id)
            .where(attempts.c.outcome.in_(_MEASURED), attempts.c.finished_at.is_not(None))
            .order_by(attempts.c.run_id.desc(), attempts.c.number.desc())
            .limit(_RECENT_ATTEMPTS)
        )
        with self.database.read() as connection:
            return [
                Ended(job=job, queue=queue, duration=finished - started, peak_memory_bytes=peak)
                for job, queue, started, finished, peak in connection.execute(query)
            ]

    def payloads(self) -> Mapping[str, int]:
        """The most bytes of params that a job has of late, by job."""
        newest = (
            select(runs.c.job, runs.c.payload_bytes)
            .order_by(runs.c.id.desc())
            .limit(_RECENT_RUNS)
            .subquery()
        )
        query = select(newest.c.job, func.max(newest.c.payload_bytes)).group_by(newest.c.job)
        with self.database.read() as connection:
            return {row.job: row[1] for row in connection.execute(query)}

    def marks(self) -> Mapping[str, ScheduleMark]:
        """How far each schedule is booked."""
        with self.database.read() as connection:
            return all_marks(connection)
