"""Endings: who may say how an attempt ended, and what its run becomes then."""

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, and_, case, literal, null, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from engine.states import RUN, RunState
from engine.store.cancelled_runs import note_the_end
from engine.store.instant import Instant, database_now
from engine.store.run import Claim, RunError
from engine.store.tables import attempts, effects, runs
from engine.store.words import Words

_SHOWN = 3
_UNGUARDED = "nothing says how far this financial run came, so a person looks at it first"


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


def settled(values: dict[str, Any]) -> dict[str, Any]:
    """`values` of a move out of `running`, unless something else must become of the run.

    Whatever else was to be: one of which nobody can say what it has done fails and is reviewed.
    One that a person wants to end is cancelled.
    """
    for target in (RunState.FAILED, RunState.CANCELLED):
        RUN.require(RunState.RUNNING, target)
    in_doubt = or_(runs.c.effects_in_doubt > 0, runs.c.unguarded)
    wanted = runs.c.cancel_requested_at.is_not(None)
    ends = literal(None, Instant())
    return {
        **values,
        "state": case(
            (in_doubt, literal(RunState.FAILED, Words)),
            (wanted, literal(RunState.CANCELLED, Words)),
            else_=literal(values["state"], Words),
        ),
        "finished_at": case(
            (or_(in_doubt, wanted), database_now()), else_=values.get("finished_at", ends)
        ),
        "review": case(
            (in_doubt, literal("required", Words)),
            (wanted, null()),
            else_=literal(values.get("review"), Words),
        ),
    }


@dataclass(frozen=True)
class EndedRun:
    """What became of a run when its attempt ended, and what is told of it."""

    state: RunState
    error: RunError | None


def end_run(
    connection: Connection,
    run_id: int,
    here: ColumnElement[bool],
    values: dict[str, Any],
    error: RunError | None,
) -> EndedRun | None:
    """Move a run to what `settled` gave; None if it was not there to move."""
    moved = connection.execute(update(runs).where(here).values(values).returning(*_TOLD)).first()
    if moved is None:
        return None
    if moved.effects_in_doubt:
        error = _unknown(connection, run_id, moved.reference, error)
    elif moved.unguarded:
        error = _interrupted(error)
    else:
        if moved.state == RunState.CANCELLED:
            note_the_end(connection, run_id)
        return EndedRun(RunState(moved.state), error)
    told = update(runs).where(runs.c.id == run_id).values(error_values(error))
    connection.execute(told)
    return EndedRun(RunState(moved.state), error)


_TOLD = (runs.c.state, runs.c.reference, runs.c.effects_in_doubt, runs.c.unguarded)


def _unknown(
    connection: Connection, run_id: int, reference: str, error: RunError | None
) -> RunError:
    """That nobody knows whether some effects happened, beside what the attempt ended with."""
    started = (
        select(effects.c.key)
        .where(effects.c.run_id == run_id, effects.c.state == "started", ~effects.c.repeatable)
        .order_by(effects.c.started_at, effects.c.key)
    )
    keys = connection.execute(started).scalars().all()
    shown = ", ".join(map(repr, keys[:_SHOWN]))
    more = f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
    why = f"it ended with {error.type}: {error.message}" if error else "the job returned"
    text = (
        f"whether {shown}{more} happened is unknown; look at the other end, then say so with "
        f"`engine runs review {reference}`; {why}"
    )
    alike = f"EffectUnknown {error.fingerprint if error else ''}"
    fingerprint = hashlib.sha256(alike.encode()).hexdigest()[:16]
    return RunError(type="EffectUnknown", message=text, fingerprint=fingerprint)


def _interrupted(error: RunError | None) -> RunError:
    """That nobody knows what a financial run has done that does not say it by its effects."""
    if error is None:
        error = RunError(type="Cancelled", message="it was stopped", fingerprint="cancelled")
    return replace(error, message=f"{error.message}; {_UNGUARDED}")


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
