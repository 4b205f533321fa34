"""Endings: who may say how an attempt ended, and what its run becomes then."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, and_, case, literal, null, or_, update
from sqlalchemy.sql.elements import ColumnElement

from engine.states import RUN, RunState
from engine.store.cancelled_runs import note_the_end
from engine.store.instant import Instant, database_now
from engine.store.open_effects import recount_if_any, tell_unknown
from engine.store.run import Claim, RunError
from engine.store.run_errors import error_values
from engine.store.tables import attempts, runs
from engine.store.words import Words

# No attempt follows by itself.
_FINAL = frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED})
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
    One that a person wants to end is cancelled. Effects that another attempt does again are no
    reason while one follows.
    """
    for target in (RunState.FAILED, RunState.CANCELLED):
        RUN.require(RunState.RUNNING, target)
    wanted = runs.c.cancel_requested_at.is_not(None)
    open_ = runs.c.effects_open != 0
    ends_open = open_ if values["state"] in _FINAL else and_(wanted, open_)
    in_doubt = or_(runs.c.effects_in_doubt != 0, ends_open, runs.c.unguarded)
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
    recount_if_any(connection, [run_id])
    moved = connection.execute(update(runs).where(here).values(values).returning(*_TOLD)).first()
    if moved is None:
        return None
    state = RunState(moved.state)
    if state is RunState.FAILED and moved.effects_open:
        error = tell_unknown(connection, run_id, moved.reference, error)
    elif moved.unguarded:
        error = _interrupted(error)
        told = update(runs).where(runs.c.id == run_id).values(error_values(error))
        connection.execute(told)
    elif state is RunState.CANCELLED:
        note_the_end(connection, run_id)
    return EndedRun(state, error)


_TOLD = (runs.c.state, runs.c.reference, runs.c.effects_open, runs.c.unguarded)


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
