"""Cancelling runs: at once while they wait, and by a request to their worker while they run."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, literal, select, update

from engine.redaction.hiding import hidden
from engine.states import RUN, RunState
from engine.store.database import Database
from engine.store.instant import database_now
from engine.store.operator_moves import (
    CANCEL_REQUESTED,
    RunBrief,
    RunMove,
    last_moves,
    locked,
    move,
    write_down,
)
from engine.store.run import Claim
from engine.store.run_acts import note_moves
from engine.store.tables import run_moves, runs

WAITING_STATES = frozenset({RunState.QUEUED, RunState.WAITING, RunState.RETRYING})
_CANCELLABLE = WAITING_STATES | {RunState.RUNNING}


@dataclass(frozen=True, kw_only=True)
class Cancelled:
    """What became of runs that a person wanted to end.

    Those `stopping` are running; `asked_before` of them were to stop already. `left` had ended;
    beside each is what a person did with it last.
    """

    cancelled: Sequence[RunBrief] = ()
    stopping: Sequence[RunBrief] = ()
    asked_before: Sequence[tuple[RunBrief, RunMove | None]] = ()
    left: Sequence[tuple[RunBrief, RunMove | None]] = ()


class CancelStore:
    """What people cancel in one ledger."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def cancel(self, run_ids: Collection[int], *, actor: str, reason: str | None) -> Cancelled:
        """End runs that wait; ask for the end of those that are running."""
        with self.database.begin() as connection:
            found = locked(connection, runs.c.id.in_(run_ids))
            waiting = [run for run in found if run.state in WAITING_STATES]
            running = [run for run in found if run.state is RunState.RUNNING]
            others = [run for run in found if run.state not in _CANCELLABLE]
            asked = [run for run in running if run.cancel_requested_at is not None]
            asking = [run for run in running if run.cancel_requested_at is None]
            moves = last_moves(connection, [run.id for run in [*asked, *others]])
            _cancel(connection, waiting, actor=actor, reason=reason)
            _ask(connection, asking, actor=actor, reason=reason)
            note_moves(
                connection, "cancel", [*waiting, *asking], actor=actor, reason=reason,
                after="cancelled",
            )  # fmt: skip
        return Cancelled(
            cancelled=waiting,
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
    ) -> Sequence[RunBrief]:
        """Cancel those of the runs that wait still; they are returned.

        The audit says that they were `chosen_by` this filter.
        """
        where = (runs.c.id.in_(run_ids), runs.c.state.in_(WAITING_STATES))
        with self.database.begin() as connection:
            waiting = locked(connection, *where)
            _cancel(connection, waiting, actor=actor, reason=reason)
            note_moves(
                connection, "cancel", waiting, actor=actor, reason=reason, after="cancelled",
                chosen_by=chosen_by,
            )  # fmt: skip
        return waiting

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
) -> None:
    values: dict[str, Any] = {
        "finished_at": database_now(),
        "cancelled_by": actor,
        "cancel_requested_at": database_now(),
        "reason": _told(actor, reason),
        "blocked_at": None,
    }
    move(connection, waiting, RunState.CANCELLED, actor=actor, reason=reason, values=values)


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
