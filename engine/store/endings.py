"""Endings: who may say how an attempt ended, and what its run becomes then."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, and_, case, literal, null, update
from sqlalchemy.sql.elements import ColumnElement

from engine.states import RUN, RunState
from engine.store.cancelled_runs import note_the_end
from engine.store.instant import Instant, database_now
from engine.store.run import Claim, RunError
from engine.store.tables import attempts, runs
from engine.store.words import Words


def held(claim: Claim) -> ColumnElement[bool]:
    """The run is this claim's, and its lease has not run out; for writes of the attempt itself."""
    return and_(is_of(claim), runs.c.lease_until > database_now())


def is_of(claim: Claim) -> ColumnElement[bool]:
    """The run is this claim's: a late worker may still say how its attempt ended."""
    return and_(
        runs.c.id == claim.run_id,
        runs.c.state == RunState.RUNNING,
        runs.c.lease_token == claim.token,
    )


def or_cancelled(values: dict[str, Any]) -> dict[str, Any]:
    """`values` of a move that ends no run well: one that a person wants to end is cancelled."""
    RUN.require(RunState.RUNNING, RunState.CANCELLED)
    wanted = runs.c.cancel_requested_at.is_not(None)
    ends = case((wanted, database_now()), else_=values.get("finished_at", literal(None, Instant())))
    review = case((wanted, null()), else_=literal(values.get("review"), Words))
    state = case(
        (wanted, literal(RunState.CANCELLED, Words)), else_=literal(values["state"], Words)
    )
    return {**values, "state": state, "finished_at": ends, "review": review}


def move_or_cancel(
    connection: Connection, run_id: int, here: ColumnElement[bool], values: dict[str, Any]
) -> bool:
    """Move a run to what `or_cancelled` gave; False if it was not there to move."""
    moved = connection.execute(update(runs).where(here).values(values).returning(runs.c.state))
    state = moved.scalar_one_or_none()
    if state == RunState.CANCELLED:
        note_the_end(connection, run_id)
    return state is not None


def after_crash(
    error: RunError, wait: timedelta | None, quarantined: RunError | None, needs_review: bool
) -> dict[str, Any]:
    """What becomes of a run whose attempt nobody ended: see `RunStore.crash`."""
    if quarantined is not None:
        return {
            "state": RunState.FAILED,
            "review": "required",
            "finished_at": database_now(),
            "rung_at": None,
            **error_values(quarantined),
        }
    ended: dict[str, Any]
    if wait is None:
        review = "required" if needs_review else None
        ended = {"state": RunState.FAILED, "finished_at": database_now(), "review": review}
    else:
        ended = {"state": RunState.RETRYING, "ready_at": database_now(wait)}
    return {**ended, "rung_at": None, **error_values(error)}


def error_values(error: RunError | None, *, counts: bool = True) -> dict[str, Any]:
    """The last error; the first one that `counts` as a failure stays beside it for good."""
    values = {
        "error_type": error.type if error else None,
        "error_message": error.message if error else None,
        "error_fingerprint": error.fingerprint if error else None,
    }
    if error is None or not counts:
        return values
    none_yet = runs.c.first_error_type.is_(None)
    first = {
        f"first_{name}": case((none_yet, literal(value, Words)), else_=runs.c[f"first_{name}"])
        for name, value in values.items()
    }
    return values | first


def end_attempt(
    connection: Connection,
    run_id: int,
    number: int,
    outcome: str,
    error: RunError | None,
    peak_memory_bytes: int | None,
) -> None:
    """Write down how an attempt ended."""
    connection.execute(
        update(attempts)
        .where(attempts.c.run_id == run_id, attempts.c.number == number)
        .values(
            outcome=outcome,
            error_type=error.type if error else None,
            error_message=error.message if error else None,
            error_trace=error.trace if error else None,
            finished_at=database_now(),
            peak_memory_bytes=peak_memory_bytes,
        )
    )
