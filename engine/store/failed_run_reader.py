"""Failed runs as they are read: found by what they have in common, counted by their error."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Text, exists, func, literal, or_, select
from sqlalchemy.sql.elements import ColumnElement

from engine.states import RunState
from engine.store.any_case import holds_in_any_case
from engine.store.database import Database
from engine.store.run import Run
from engine.store.run_reader import as_run
from engine.store.tables import runs


@dataclass(frozen=True, kw_only=True)
class FailedRuns:
    """Which failed runs are meant: those of which all is true that is given here.

    `error` is a type, or a part of a message in any case; `until` is not included.
    """

    ids: Collection[int] | None = None
    queue: str | None = None
    job: str | None = None
    error: str | None = None
    fingerprint: str | None = None
    reference: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """As SQL, but for the state: a run that is named may have come to another one."""
        equal = {
            runs.c.queue: self.queue,
            runs.c.job: self.job,
            runs.c.error_fingerprint: self.fingerprint,
            runs.c.reference: self.reference and self.reference.strip().upper(),
        }
        where = [column == value for column, value in equal.items() if value is not None]
        if self.ids is not None:
            where.append(runs.c.id.in_(self.ids))
        if self.error is not None:
            part = holds_in_any_case(runs.c.error_message, literal(self.error, Text))
            where.append(or_(runs.c.error_type == self.error, part))
        if self.since is not None:
            where.append(runs.c.finished_at >= self.since)
        if self.until is not None:
            where.append(runs.c.finished_at < self.until)
        return where


@dataclass(frozen=True, kw_only=True)
class ErrorGroup:
    """Failed runs whose errors are alike; `example` is the newest of them."""

    fingerprint: str | None
    count: int
    first_seen_at: datetime
    last_seen_at: datetime
    example: Run


class FailedRunReader:
    """Reads the failed runs of one ledger."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def list(self, which: FailedRuns, *, limit: int | None = None) -> Sequence[Run]:
        """Those that failed last come first."""
        query = (
            select(runs)
            .where(runs.c.state == RunState.FAILED, *which.conditions())
            .order_by(runs.c.finished_at.desc(), runs.c.id.desc())
            .limit(limit)
        )
        with self.database.read() as connection:
            return [as_run(row) for row in connection.execute(query).mappings()]

    def count(self, which: FailedRuns) -> int:
        """How many there are."""
        where = (runs.c.state == RunState.FAILED, *which.conditions())
        with self.database.read() as connection:
            return int(connection.execute(select(func.count()).where(*where)).scalar_one())

    def ids(self, which: FailedRuns) -> Sequence[int]:
        """Their ids, the oldest run first."""
        where = (runs.c.state == RunState.FAILED, *which.conditions())
        with self.database.read() as connection:
            found = connection.execute(select(runs.c.id).where(*where).order_by(runs.c.id))
            return found.scalars().all()

    def knows_job(self, name: str) -> bool:
        """Whether any run, in whatever state, is or was of a job of this name."""
        query = select(exists().where(runs.c.job == name))
        with self.database.read() as connection:
            return bool(connection.execute(query).scalar_one())

    def by_error(self, which: FailedRuns, *, limit: int | None = None) -> Sequence[ErrorGroup]:
        """Groups of runs whose errors are alike, the largest one first."""
        count, last = func.count().label("count"), func.max(runs.c.finished_at).label("last")
        query = (
            select(
                runs.c.error_fingerprint.label("fingerprint"),
                count,
                func.min(runs.c.finished_at).label("first"),
                last,
                func.max(runs.c.id).label("example"),
            )
            .where(runs.c.state == RunState.FAILED, *which.conditions())
            .group_by(runs.c.error_fingerprint)
            .order_by(count.desc(), last.desc())
            .limit(limit)
        )
        with self.database.read() as connection:
            found = connection.execute(query).all()
            examples = select(runs).where(runs.c.id.in_([row.example for row in found]))
            by_id = {row["id"]: as_run(row) for row in connection.execute(examples).mappings()}
        return [
            ErrorGroup(
                fingerprint=row.fingerprint,
                count=row[1],
                first_seen_at=row.first,
                last_seen_at=row.last,
                example=by_id[row.example],
            )
            for row in found
        ]
