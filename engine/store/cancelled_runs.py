"""Cancelling runs: at once while they wait, and by a request to their worker while they run."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, literal, select, update

from engine.redaction.hiding import hidden
from engine.states import RUN, RunState
from engine.store.database import Database
from engine.store.instant import database_now
from engine.store.open_effects import tell_unknown
from engine.store.operator_moves import (
    CANCEL_REQUESTED,
    RunBrief,
    RunMove,
    last_moves,
    locked,
    move,
    write_down,
)
from engine.store.run import Claim, RunError
from engine.store.run_acts import note_moves
from engine.store.tables import run_moves, runs

WAITING_STATES = frozenset({RunState.QUEUED, RunState.WAITING, RunState.RETRYING})
_CANCELLABLE = WAITING_STATES | {RunState.RUNNING}


@dataclass(frozen=True, kw_only=True)
class Cancelled:
    """What became of runs that a person wanted to end.

    Those `stopping` are running; `asked_before` of them were to stop already. `kept` ones waited,
    but an effect of theirs is open: they failed and are reviewed. `left` had ended; beside each is
    what a person did with it last.
    """

    cancelled: Sequence[RunBrief] = ()
    kept: Sequence[RunBrief] = ()
    stopping: Sequence[RunBrief] = ()
    asked_before: Sequence[tuple[RunBrief, RunMove | None]] = ()
    left: Sequence[tuple[RunBrief, RunMove | None]] = ()


class CancelStore:
    """What people cancel in one ledger."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def cancel(self, run_ids: Collection[int], *, actor: str, reason: str | None) -> Cancelled:
        """End runs that wait; ask for the end of those that are running.

        No attempt of either follows before somebody has retried it.
        """
        with self.database.begin() as connection:
            found = locked(connection, runs.c.id.in_(run_ids))
            waiting = [run for run in found if run.state in WAITING_STATES]
            running = [run for run in found if run.state is RunState.RUNNING]
            others = [run for run in found if run.state not in _CANCELLABLE]
            asked = [run for run in running if run.cancel_requested_at is not None]
            asking = [run for run in running if run.cancel_requested_at is None]
            moves = last_moves(connection, [run.id for run in [*asked, *others]])
            cancelled, kept = _cancel(connection, waiting, actor=actor, reason=reason)
            _ask(connection, asking, actor=actor, reason=reason)
            _note(connection, [*cancelled, *asking], kept, actor=actor, reason=reason)
        return Cancelled(
            cancelled=cancelled,
            kept=kept,
            stopping=asking,
            asked_before=[(run, moves.get(run.id)) for run in asked],
            left=[(run, moves.get(run.id)) for run in others],
        )

    def cancel_waiting(
        self,
        run_ids: Collection[int],
        *,
        actor: str,
        reason: str | None,
        chosen_by: Mapping[str, Any] | None = None,
    ) -> Cancelled:
        """Cancel those of the runs that wait still.

        The audit says that they were `chosen_by` this filter.
        """
        where = (runs.c.id.in_(run_ids), runs.c.state.in_(WAITING_STATES))
        with self.database.begin() as connection:
            waiting = locked(connection, *where)
            cancelled, kept = _cancel(connection, waiting, actor=actor, reason=reason)
            _note(connection, cancelled, kept, actor=actor, reason=reason, chosen_by=chosen_by)
        return Cancelled(cancelled=cancelled, kept=kept)

    def waiting(self, queue: str) -> Sequence[int]:
        """The ids of the runs that wait in a queue, the oldest run first."""
        where = (runs.c.queue == queue, runs.c.state.in_(WAITING_STATES))
        with self.database.read() as connection:
            found = connection.execute(select(runs.c.id).where(*where).order_by(runs.c.id))
            return found.scalars().all()

    def to_stop(self, claims: Collection[Claim]) -> Sequence[Claim]:
        """Those of the claims whose runs were cancelled since."""
        query = select(runs.c.lease_token).where(
            runs.c.id.in_([claim.run_id for claim in claims]),
            runs.c.cancel_requested_at.is_not(None),
        )
        with self.database.read() as connection:
            tokens = set(connection.execute(query).scalars())
        return [claim for claim in claims if claim.token in tokens]


def note_the_end(connection: Connection, run_id: int) -> None:
    """A running run has come to be cancelled: write down who asked for it, and why."""
    asked = connection.execute(
        select(run_moves.c.actor, run_moves.c.reason)
        .where(run_moves.c.run_id == run_id, run_moves.c.target == CANCEL_REQUESTED)
        .order_by(run_moves.c.id.desc())
        .limit(1)
    ).one_or_none()
    if asked is None:
        return
    actor, reason = asked
    told = update(runs).where(runs.c.id == run_id).values(reason=_told(actor, reason))
    connection.execute(told)
    ended = [(run_id, RunState.RUNNING)]
    write_down(connection, ended, RunState.CANCELLED, actor=actor, reason=reason)


def _cancel(
    connection: Connection, waiting: Sequence[RunBrief], *, actor: str, reason: str | None
) -> tuple[Sequence[RunBrief], Sequence[RunBrief]]:
    """Those that are cancelled now; those that fail, for nobody knows what they have done."""
    gone = [run for run in waiting if not run.effects_open]
    kept = [run for run in waiting if run.effects_open]
    values: dict[str, Any] = {
        "finished_at": database_now(),
        "cancelled_by": actor,
        "cancel_requested_at": database_now(),
        "reason": _told(actor, reason),
        "blocked_at": None,
    }
    move(connection, gone, RunState.CANCELLED, actor=actor, reason=reason, values=values)
    if kept:
        _keep(connection, kept, values, actor=actor, reason=reason)
    return gone, kept


def _keep(
    connection: Connection,
    kept: Sequence[RunBrief],
    values: Mapping[str, Any],
    *,
    actor: str,
    reason: str | None,
) -> None:
    for source in {run.state for run in kept}:
        RUN.require(source, RunState.FAILED)
    failed = {"state": RunState.FAILED, "review": "required", "touched_at": database_now()}
    here = runs.c.id.in_([run.id for run in kept])
    connection.execute(update(runs).where(here).values({**values, **failed, "reason": None}))
    why = RunError(type="Cancelled", message=_told(actor, reason), fingerprint="cancelled")
    for run in kept:
        tell_unknown(connection, run.id, run.reference, why)
    asked = [(run.id, run.state) for run in kept]
    write_down(connection, asked, CANCEL_REQUESTED, actor=actor, reason=reason)


def _note(
    connection: Connection,
    ended: Sequence[RunBrief],
    kept: Sequence[RunBrief],
    *,
    actor: str,
    reason: str | None,
    chosen_by: Mapping[str, Any] | None = None,
) -> None:
    for moved, after in ((ended, "cancelled"), (kept, "failed, required")):
        note_moves(
            connection, "cancel", moved, actor=actor, reason=reason, after=after,
            chosen_by=chosen_by,
        )  # fmt: skip


def _ask(
    connection: Connection, running: Sequence[RunBrief], *, actor: str, reason: str | None
) -> None:
    if not running:
        return
    RUN.require(RunState.RUNNING, RunState.CANCELLED)
    ids = [run.id for run in running]
    connection.execute(
        update(runs)
        .where(runs.c.id.in_(ids), runs.c.state == RunState.RUNNING)
        .values(
            cancel_requested_at=database_now(),
            cancelled_by=literal(actor, runs.c.cancelled_by.type),
            touched_at=database_now(),
        )
    )
    asked = [(run_id, RunState.RUNNING) for run_id in ids]
    write_down(connection, asked, CANCEL_REQUESTED, actor=actor, reason=reason)


def _told(actor: str, reason: str | None) -> str:
    return f"cancelled by {actor}" + (f": {hidden(reason)}" if reason else "")
