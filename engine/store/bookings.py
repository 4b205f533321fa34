"""Booking a run: once for its key and its firing, skipped if it overlaps an earlier one."""

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, and_, not_, or_, select
from sqlalchemy.sql.elements import ColumnElement

from engine.errors import Refused
from engine.redaction.hiding import hidden
from engine.redaction.masked import hidden_texts
from engine.states import RunState
from engine.store.instant import database_now
from engine.store.key import require_key
from engine.store.reference import new_reference
from engine.store.run import NewRun, Run
from engine.store.run_reader import as_run, is_unfinished
from engine.store.sealed_params import SealedRun, write_sealed
from engine.store.tables import runs
from engine.store.turns import take_turn
from engine.store.upsert import upsert_for

if TYPE_CHECKING:
    from sqlalchemy.sql.dml import ReturningInsert

_NOW = select(database_now())
# A reference is random; that one is taken so often in a row means that something is wrong.
_BOOKINGS = 20


class DuplicateRun(Refused):
    """Another run of the job, of those that there may be one of, has not ended."""

    message = (
        "job {job}: run {id} {reference}, which is {state}, is the same one; nothing was booked, "
        "for the job has on_duplicate='refuse'"
    )


def book(connection: Connection, new: NewRun, *, to_be_rung: bool = False) -> tuple[Run, bool]:
    """Write the run down; False beside the one that was booked before, if any.

    With `to_be_rung` a run that is due is noted as rung for: the caller does so at once.

    That has the same key, or the same firing; or it has the same unique key and has not ended.
    Raises DuplicateRun instead of that if the run says so. A firing is booked as skipped then.
    """
    if new.key is not None:
        sealed = new.to_seal.values if new.to_seal else {}
        require_key(new.key, hidden_texts(sealed, new.params))
    if new.firing is not None:
        # Whether it overlaps depends on what others book of this schedule.
        take_turn(connection, "schedule", new.firing.schedule)
    for _ in range(_BOOKINGS):
        earlier = _booked_before(connection, new)
        if earlier is not None:
            return earlier, False
        same = _duplicate(connection, new)
        if same is not None and new.firing is None:
            if new.on_duplicate == "refuse":
                raise DuplicateRun(
                    job=new.job, id=same.id, reference=same.reference, state=same.state
                )
            return same, False
        booked = _insert(connection, new, same, to_be_rung=to_be_rung)
        if booked is not None:
            return booked, True
    raise RuntimeError(f"a run could be neither booked nor found: {new}")


def _insert(
    connection: Connection, new: NewRun, same: Run | None, *, to_be_rung: bool
) -> Run | None:
    """None if one of its keys, its firing or its random reference was booked meanwhile."""
    reason = hidden(new.skipped) if new.skipped else _overlap(connection, new)
    if reason is None and same is not None:
        reason = f"duplicate: run {same.reference}, which is the same one, had not ended"
    firing = new.firing
    serial = firing is not None and firing.overlap != "allow"
    now = connection.execute(_NOW).scalar_one()
    is_due = reason is None and (new.due_at is None or new.due_at <= now)
    params = dict(new.params)
    row = {
        "reference": new_reference(new.job, now),
        "job": new.job,
        "queue": new.queue,
        "state": RunState.SKIPPED if reason else RunState.QUEUED,
        "reason": reason,
        "actor": new.actor,
        "key": new.key,
        "params": params,
        "payload_bytes": len(json.dumps(params)),
        "attempts_allowed": new.attempts,
        "schedule": firing.schedule if firing else None,
        "scheduled_for": firing.scheduled_for if firing else None,
        "revision": firing.revision if firing else 0,
        "exclusive": firing.schedule if firing and serial else None,
        "period_start": new.period[0] if new.period else None,
        "period_end": new.period[1] if new.period else None,
        "due_at": new.due_at or now,
        "ready_at": new.due_at or now,
        "retry_until": max(new.due_at or now, now) + new.retry_for if new.retry_for else None,
        "priority": new.priority,
        "unique_key": new.unique_key,
        "limit_key": new.limit_key,
        "rung_at": now if to_be_rung and is_due else None,
        "created_at": now,
        "finished_at": now if reason else None,
    }
    written = connection.execute(_inserting(connection.dialect.name), row)
    booked = written.mappings().one_or_none()
    if booked is None:
        return None
    run = as_run(booked)
    if new.to_seal is not None and reason is None:
        bound = SealedRun(reference=run.reference, job=run.job)
        write_sealed(connection, run.id, bound.seal(new.to_seal))
    return run


@cache
def _inserting(dialect: str) -> "ReturningInsert[Any]":
    """Made once: making a statement takes longer than what the database does for it."""
    return upsert_for(dialect, runs).on_conflict_do_nothing().returning(*runs.c)


def _booked_before(connection: Connection, new: NewRun) -> Run | None:
    same: list[ColumnElement[bool]] = []
    if new.key is not None:
        same.append(runs.c.key == new.key)
    if new.firing is not None:
        same.append(
            and_(
                runs.c.schedule == new.firing.schedule,
                runs.c.scheduled_for == new.firing.scheduled_for,
                runs.c.revision == new.firing.revision,
            )
        )
    if not same:
        return None
    found = connection.execute(select(runs).where(or_(*same))).mappings().first()
    return as_run(found) if found else None


def _duplicate(connection: Connection, new: NewRun) -> Run | None:
    """The unfinished run that is the same one."""
    if new.unique_key is None or new.skipped:
        return None
    same = (runs.c.unique_key == new.unique_key, is_unfinished(runs))
    found = connection.execute(select(runs).where(*same)).mappings()
    row = found.one_or_none()
    return as_run(row) if row else None


def _overlap(connection: Connection, new: NewRun) -> str | None:
    """Why the firing must be skipped, if an earlier run of its schedule is unfinished.

    A run whose lease is over is dead until it is rescued; the firing waits for that then.
    """
    if new.firing is None or new.firing.overlap != "skip":
        return None
    dead = and_(
        runs.c.state == RunState.RUNNING,
        runs.c.lease_until.is_not(None),
        runs.c.lease_until < database_now(),
    )
    unfinished = select(runs.c.reference).where(
        runs.c.schedule == new.firing.schedule, is_unfinished(runs), not_(dead)
    )
    earlier = connection.execute(unfinished.order_by(runs.c.id).limit(1)).scalar()
    return f"overlap: run {earlier} of this schedule had not ended" if earlier else None
