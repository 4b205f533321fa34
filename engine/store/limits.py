"""Lines: runs that share a limit. Whether one may start is decided by what the ledger holds.

A slot is an attempt under way: a running run whose lease lasts. It is free when the run ends, or
the lease of a worker that died. Every attempt that began counts as a start, however it ended. Who
may not start is blocked: nobody claims it or rings for it until it is released, the first due one
first. Starting and releasing is one transaction at a time for each group.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, case, func, literal, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from engine.limits import LimitGroup, Limits, Rate
from engine.states import RunState
from engine.store.database import Database
from engine.store.instant import database_now
from engine.store.paused_queues import is_paused
from engine.store.run import Run
from engine.store.run_reader import (
    as_run,
    has_one_before_it,
    is_blocked,
    is_claimable,
    is_ready,
)
from engine.store.tables import attempts, runs
from engine.store.turns import take_turn
from engine.store.words import Words

# So many runs are released at a time, and so many groups in one sweep; the others come next.
_RELEASED = 100


@dataclass(frozen=True, kw_only=True)
class Room:
    """Which run may start now that one was called, None if none; and from when on, for a rate."""

    first: int | None
    opens_at: datetime | None = None


_ORDER = (runs.c.priority.desc(), runs.c.due_at, runs.c.id)


def room_for(connection: Connection, run: Run, group: LimitGroup) -> Room:
    """The room in the run's group, which nobody else fills before the transaction ends.

    A blocked run of the same queue whose turn comes earlier is the first one.
    """
    take_turn(connection, "limit", group.key)
    starts, opens_at = _starts_left(connection, group)
    if starts <= 0:
        return Room(first=None, opens_at=opens_at)
    return Room(first=_blocked_before(connection, run, group) or run.id)


def block(connection: Connection, run_id: int, group: LimitGroup, room: Room) -> None:
    """Hold back a run that was ready, until it is released."""
    values: dict[str, Any] = {"blocked_at": database_now(), "limit_key": group.key}
    if room.opens_at is not None:
        values["ready_at"] = room.opens_at
    ready = and_(runs.c.id == run_id, is_claimable(runs), runs.c.ready_at <= database_now())
    connection.execute(update(runs).where(ready).values(values))


def release(database: Database, group: LimitGroup) -> Sequence[Run]:
    """Let as many blocked runs of a group try as may start; the caller rings for them.

    In each queue so many, less those that try already: a queue that nobody serves keeps the runs
    of no other one waiting.
    """
    with database.begin() as connection:
        take_turn(connection, "limit", group.key)
        starts, _ = _starts_left(connection, group)
        if starts <= 0:
            return []
        blocked = (is_blocked(runs), runs.c.limit_key == group.key)
        queues = select(runs.c.queue).where(*blocked, ~is_paused(runs.c.queue)).distinct()
        chosen: list[int] = []
        for queue in connection.execute(queues).scalars().all():
            trying = _trying(literal(group.key, Words), literal(queue, Words))
            more = starts - connection.execute(select(trying)).scalar_one()
            first = select(runs.c.id).where(*blocked, runs.c.queue == queue).order_by(*_ORDER)
            chosen += connection.execute(first.limit(max(more, 0))).scalars()
        return _unblock(connection, chosen)


def release_all(database: Database, limits: Mapping[str, Limits]) -> None:
    """Release what may start in every group, by the limits of each job; a job without any has none.

    What was rung for before is due again.
    """
    with database.read() as connection:
        held = select(runs.c.job).where(is_blocked(runs)).distinct()
        groups = [
            LimitGroup(key=key, limits=limits.get(job, Limits()))
            for job in connection.execute(held).scalars().all()
            for key in connection.execute(_groups_with_room(job, limits.get(job))).scalars()
        ]
    for group in groups[:_RELEASED]:
        release(database, group)


def _blocked_before(connection: Connection, run: Run, group: LimitGroup) -> int | None:
    earlier = or_(
        runs.c.priority > run.priority,
        and_(runs.c.priority == run.priority, runs.c.due_at < run.due_at),
        and_(runs.c.priority == run.priority, runs.c.due_at == run.due_at, runs.c.id < run.id),
    )
    in_time = or_(runs.c.retry_until.is_(None), runs.c.retry_until >= database_now(steady=True))
    first = (
        select(runs.c.id)
        .where(is_blocked(runs), runs.c.limit_key == group.key, runs.c.queue == run.queue)
        .where(earlier, in_time, ~has_one_before_it())
        .order_by(*_ORDER)
        .limit(1)
    )
    return connection.execute(first).scalar()


def _starts_left(connection: Connection, group: LimitGroup) -> tuple[int, datetime | None]:
    """How many runs may start now; beside none, when the next one may if that is known."""
    limits, key = group.limits, literal(group.key, Words)
    left, opens_at = _RELEASED, None
    if limits.concurrency is not None:
        under_way = connection.execute(select(_under_way(key))).scalar_one()
        left = min(left, limits.concurrency - under_way)
    if limits.rate is not None:
        started = connection.execute(select(_started(key, limits.rate))).scalar_one()
        starts_left = limits.rate.starts - started
        if starts_left <= 0:
            # Of the starts that fill the window now the earliest one must leave it.
            filling = _starts(key, limits.rate).order_by(attempts.c.started_at.desc())
            earliest = filling.offset(limits.rate.starts - 1).limit(1)
            filled_at = connection.execute(earliest).scalar_one_or_none()
            if filled_at is None:
                # It has left since they were counted.
                starts_left = 1
            else:
                opens_at = filled_at + limits.rate.per
        left = min(left, starts_left)
    return left, opens_at


def _under_way(key: ColumnElement[str]) -> ColumnElement[int]:
    """How many attempts of a group go on."""
    other = runs.alias("under_way")
    return _count(
        select(other.c.id).where(
            other.c.limit_key == key,
            other.c.state == RunState.RUNNING,
            other.c.lease_until > database_now(steady=True),
        )
    )


def _started(key: ColumnElement[str], rate: Rate) -> ColumnElement[int]:
    """How many attempts of a group began within the window that ends now."""
    return _count(_starts(key, rate))


def _starts(key: ColumnElement[str], rate: Rate) -> Select[datetime]:
    return select(attempts.c.started_at).where(
        attempts.c.limit_key == key,
        attempts.c.started_at > database_now(-rate.per, steady=True),
        # Later ones are from before the ledger's clock was set back.
        attempts.c.started_at < database_now(rate.per, steady=True),
    )


def _trying(key: ColumnElement[str], queue: ColumnElement[str]) -> ColumnElement[int]:
    """How many runs of a group and queue may be claimed, and are not held back otherwise."""
    # Not in the WHERE: SQLite would go through all that is ready, of whatever group.
    ready = case((is_ready(runs), literal(1)))
    claimable = (is_claimable(runs), runs.c.limit_key == key, runs.c.queue == queue)
    count = select(func.count(ready)).where(*claimable, ~has_one_before_it())
    return count.scalar_subquery()


def _groups_with_room(job: str, limits: Limits | None) -> Select[str]:
    """The groups of a job in which more blocked runs may try than do, as far as can be seen."""
    limits = limits or Limits()
    held = runs.alias("held")
    waiting = (
        select(held.c.limit_key, held.c.queue)
        .where(is_blocked(held), held.c.job == job, ~is_paused(held.c.queue))
        .distinct()
        .subquery()
    )
    key = waiting.c.limit_key
    trying = _trying(key, waiting.c.queue)
    room = [trying < _RELEASED]
    if limits.concurrency is not None:
        room.append(_under_way(key) + trying < limits.concurrency)
    if limits.rate is not None:
        room.append(_started(key, limits.rate) + trying < limits.rate.starts)
    return select(key).where(*room).distinct().limit(_RELEASED)


def _count(rows: Select[Any]) -> ColumnElement[int]:
    return rows.with_only_columns(func.count()).scalar_subquery()


def _unblock(connection: Connection, run_ids: Sequence[int]) -> Sequence[Run]:
    # It was ready when it was blocked; so it comes before whoever was due later.
    values = {"blocked_at": None, "rung_at": None, "ready_at": runs.c.due_at}
    chosen = and_(runs.c.id.in_(run_ids), is_blocked(runs))
    locked = select(runs.c.id).where(chosen).order_by(runs.c.id).with_for_update(key_share=True)
    freed = update(runs).where(runs.c.id.in_(locked), is_blocked(runs)).values(values)
    rows = connection.execute(freed.returning(*runs.c)).mappings().all()
    return sorted(map(as_run, rows), key=lambda run: (-run.priority, run.due_at, run.id))
