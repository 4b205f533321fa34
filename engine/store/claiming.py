"""Claiming: whose turn it is in a queue, and the guarded update that hands out the lease.

A ring is for one run and calls whoever comes first in its queue: the highest priority, then who was
ready first. The two exchange their rings then, so that no run is left without one.
"""

import secrets
from collections.abc import Callable, Collection, Iterator
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select, and_, bindparam, func, insert, or_, select, true, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql import FromClause
from sqlalchemy.sql.elements import BindParameter, ColumnElement

from engine.limits import LimitGroup
from engine.states import RUN, RunState
from engine.store.database import Database
from engine.store.instant import database_now
from engine.store.limits import Room, block, room_for
from engine.store.paused_queues import is_paused
from engine.store.run import CRASHED_OUTCOMES, CRASHES_ALLOWED, Claim, ClaimedRun, Run
from engine.store.run_reader import CLAIMABLE, as_run, has_one_before_it, is_claimable, is_ready
from engine.store.tables import attempts, runs
from engine.store.turns import take_turn

if TYPE_CHECKING:
    from sqlalchemy.sql.dml import ReturningUpdate

GroupOf = Callable[[Run], LimitGroup | None]

# After so many runs that others were faster to take, it is left to the sweep to ring again.
_TRIES = 20


class _NotNow(Exception):
    """Undoes a claim."""


def take(
    database: Database, run_id: int, worker: str, *, lease: timedelta, group_of: GroupOf
) -> ClaimedRun | None:
    """Take the run that a ring for this one calls; None if there is none.

    `group_of` says with whom a run shares limits, by its job. A power cut may undo it.
    """
    claimed = _take_at_once(database, run_id, worker, lease, group_of)
    if claimed is not None:
        return claimed
    for run, in_place_of in _called(database, run_id):
        group = group_of(run)
        claimed = claim(database, run, worker, lease=lease, group=group, in_place_of=in_place_of)
        if claimed is not None:
            return claimed
    return None


def _take_at_once(
    database: Database, run_id: int, worker: str, lease: timedelta, group_of: GroupOf
) -> ClaimedRun | None:
    """As nearly always: it is the turn of the run that was rung for, and no limit binds it."""
    try:
        with database.begin(lasting=False) as connection:
            claimed = _claim(connection, run_id, worker, lease, None, if_first=True)
            if claimed is not None and group_of(claimed.run) is not None:
                # Before anybody takes it, those of its group are counted.
                raise _NotNow
            return claimed
    except (_NotNow, IntegrityError):
        return None


def claim(
    database: Database,
    run: Run,
    worker: str,
    *,
    lease: timedelta,
    group: LimitGroup | None = None,
    in_place_of: Run | None = None,
) -> ClaimedRun | None:
    """Take a due run; None if it is not due, already taken, ended, or must wait its turn.

    If its `group` has no room it is blocked; if a blocked one comes before it there, that is taken
    and this one blocked. The run `in_place_of` which it is taken gets the ring that was for it.

    Of the runs that one more crash would quarantine, a worker carries out one at a time: what
    kills it takes the others along, and they are not to blame.
    """
    first: int | None = run.id
    try:
        with database.begin() as connection:
            room = Room(first=run.id) if group is None else room_for(connection, run, group)
            first = room.first
            _lock(connection, run.id, first, in_place_of.id if in_place_of else None)
            if group is not None and first != run.id:
                block(connection, run.id, group, room)
            if first is None:
                return None
            claimed = _claim(connection, first, worker, lease, group)
            if claimed is not None and in_place_of is not None:
                _exchange_rings(connection, run.id, in_place_of.id)
            return claimed
    except _NotNow:
        # So that the sweep rings soon: another worker may have it.
        with database.begin() as connection:
            connection.execute(update(runs).where(runs.c.id == first).values(rung_at=None))
        return None
    except IntegrityError:
        # Another run of the same schedule is running: `uq_runs_exclusive_running`.
        return None


def _claim(
    connection: Connection,
    run_id: int,
    worker: str,
    lease: timedelta,
    group: LimitGroup | None,
    *,
    if_first: bool = False,
) -> ClaimedRun | None:
    token = secrets.token_hex(16)
    limit_key = group.key if group else None
    its = {"its_id": run_id, "its_token": token, "its_worker": worker, "its_limit_key": limit_key}
    row = connection.execute(_claiming(lease, if_first=if_first), its).mappings().one_or_none()
    if row is None:
        return None
    number = row["attempt"]
    if number >= CRASHES_ALLOWED and _is_beside_another(connection, run_id, worker):
        raise _NotNow
    begun = {"run_id": run_id, "number": number, "worker": worker, "limit_key": limit_key}
    connection.execute(_BEGUN, begun)
    claim = Claim(run_id=run_id, attempt=number, token=token)
    return ClaimedRun(claim=claim, run=as_run(row))


@cache
def _claiming(lease: timedelta, *, if_first: bool) -> "ReturningUpdate[Any]":
    """Takes a run; with `if_first` only one that no limit blocks, if nobody comes before it.

    Made once: making a statement takes longer than what the database does for it.
    """
    for source in CLAIMABLE:
        RUN.require(source, RunState.RUNNING)
    mine = update(runs).where(
        runs.c.id == bindparam("its_id"),
        is_claimable(runs),
        or_(runs.c.ready_at <= database_now(), runs.c.blocked_at.is_not(None)),
        or_(runs.c.retry_until.is_(None), runs.c.retry_until >= database_now()),
        ~has_one_before_it(),
        ~is_paused(runs.c.queue),
    )
    if if_first:
        mine = mine.where(runs.c.blocked_at.is_(None), _first_before(runs).is_(None))
    values = {
        "state": RunState.RUNNING,
        "attempt": runs.c.attempt + 1,
        "lease_token": bindparam("its_token", type_=runs.c.lease_token.type),
        "lease_until": database_now(lease),
        "worker": bindparam("its_worker", type_=runs.c.worker.type),
        "limit_key": bindparam("its_limit_key", type_=runs.c.limit_key.type),
        "blocked_at": None,
        "started_at": func.coalesce(runs.c.started_at, database_now()),
        "progress_done": None,
        "progress_total": None,
        "progress_note": None,
    }
    return mine.values(values).returning(*runs.c)


_BEGUN = insert(attempts).values(started_at=database_now())


def _lock(connection: Connection, *run_ids: int | None) -> None:
    """Lock the runs that are about to change, in the order of their ids, if they are several."""
    several = set(run_ids) - {None}
    if len(several) > 1:
        in_order = select(runs.c.id).where(runs.c.id.in_(several)).order_by(runs.c.id)
        connection.execute(in_order.with_for_update(key_share=True))


def _exchange_rings(connection: Connection, taken: int, left: int) -> None:
    """The ring that was for the taken run is for the other one from now on."""
    its = runs.alias("taken")
    its_ring = select(its.c.rung_at).where(its.c.id == taken).scalar_subquery()
    waits = (runs.c.id == left, is_claimable(runs))
    connection.execute(update(runs).where(*waits).values(rung_at=its_ring))


def _called(database: Database, run_id: int) -> Iterator[tuple[Run, Run | None]]:
    """Whom a ring for this run calls, one after the other; and in whose place."""
    seen: set[int] = set()
    while len(seen) < _TRIES:
        with database.read() as connection:
            called = _look(connection, run_id, seen)
        if called is None:
            return
        seen.add(called[0].id)
        yield called


def _look(
    connection: Connection, run_id: int, seen: Collection[int]
) -> tuple[Run, Run | None] | None:
    row = connection.execute(_RUNG, {"run_id": run_id}).mappings().one_or_none()
    if row is None:
        return None
    rung = as_run({column.name: row[column.name] for column in runs.c})
    first = row["first"]
    if row["is_ready"] and run_id not in seen:
        if first is None or first in seen:
            return rung, None
        return _run(connection, first), rung
    # Somebody else has it, and another run has lost its ring to that.
    which = {"queue": rung.queue, "seen": list(seen)}
    first = connection.execute(_FIRST_OF_OTHERS, which).scalar()
    return None if first is None else (_run(connection, first), None)


def _run(connection: Connection, run_id: int) -> Run:
    return as_run(connection.execute(select(runs).where(runs.c.id == run_id)).mappings().one())


def _rung() -> Select[Any]:
    """The run with the id `run_id`, and who comes before it in its queue, if anybody does."""
    rung = runs.alias("rung")
    first = _first_before(rung).label("first")
    return select(*rung.c, is_ready(rung).label("is_ready"), first).where(
        rung.c.id == bindparam("run_id")
    )


def _first_before(rung: FromClause) -> ColumnElement[int | None]:
    """Who comes before the run in its queue, if anybody does, as SQL."""
    other = runs.alias("other")
    queue, priority = rung.c.queue, rung.c.priority
    higher = _first_in_order(queue, above=priority).correlate(rung)
    # Its ring lies behind this one: it was passed over, blocked, or between two attempts.
    equal = (
        select(other.c.id)
        .where(is_ready(other), other.c.queue == queue, ~has_one_before_it(other))
        .where(other.c.priority == priority, other.c.ready_at < rung.c.ready_at)
        .where(other.c.rung_at > rung.c.rung_at)
        .order_by(other.c.ready_at, other.c.id)
        .limit(1)
        .correlate(rung)
    )
    return func.coalesce(higher.scalar_subquery(), equal.scalar_subquery())


def _first_of_others() -> Select[Any]:
    """The first ready run of `queue`, without those in `seen`."""
    others: BindParameter[Any] = bindparam("seen", expanding=True)
    return _first_in_order(
        bindparam("queue"), lambda of: and_(of.c.id.not_in(others), ~is_paused(of.c.queue))
    )


def _first_in_order(
    queue: ColumnElement[str],
    where: Callable[[FromClause], ColumnElement[bool]] = lambda _: true(),
    *,
    above: ColumnElement[int] | None = None,
) -> Select[Any]:
    # In two steps, for the index is not in both orders: first the priority, then the run.
    top, first = runs.alias("top"), runs.alias("first")
    of_top, of_first = (
        and_(is_ready(of), of.c.queue == queue, ~has_one_before_it(of), where(of))
        for of in (top, first)
    )
    priority = select(top.c.priority).where(of_top).order_by(top.c.priority.desc()).limit(1)
    if above is not None:
        # Not said of the run itself: SQLite would sort all that are above.
        priority = priority.where(top.c.priority > above).correlate(above.table)
    of_first = and_(of_first, first.c.priority == priority.scalar_subquery())
    return select(first.c.id).where(of_first).order_by(first.c.ready_at, first.c.id).limit(1)


_RUNG = _rung()
_FIRST_OF_OTHERS = _first_of_others()


def _is_beside_another(connection: Connection, run_id: int, worker: str) -> bool:
    """Whether this run and another one of the worker's have crashed as often as they may."""
    take_turn(connection, "suspects", worker)
    crashes = (
        select(func.count())
        .where(attempts.c.run_id == runs.c.id, attempts.c.outcome.in_(CRASHED_OUTCOMES))
        .scalar_subquery()
    )
    running = (runs.c.state == RunState.RUNNING, runs.c.worker == worker)
    suspects = select(runs.c.id).where(*running, crashes >= CRASHES_ALLOWED - 1)
    found = set(connection.execute(suspects).scalars())
    return run_id in found and len(found) > 1
