"""Reviews: what a person decides about a failed run that must not be retried just like that."""

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, literal, update

from engine.states import RunState
from engine.store.act import ActName
from engine.store.approvals import FOUR_EYES, Retrier, approval, asked_with_four_eyes, objection
from engine.store.database import Database
from engine.store.instant import database_now
from engine.store.operator_moves import (
    SETTLED,
    RunBrief,
    RunMove,
    last_moves,
    locked,
    write_down,
)
from engine.store.run_acts import note_moves
from engine.store.settling import Settlement, Settler, settle
from engine.store.tables import runs

Decision = Literal["approved", "rejected"]
# What may become of each: a person may change their mind until the run is retried.
_DECISIONS: dict[str, tuple[Decision, ...]] = {
    "required": ("approved", "rejected"),
    "approved": ("rejected",),  # and approved again, if the run has changed since
    "rejected": ("approved",),
}
# As the audit has them.
_ACTS: dict[Decision, ActName] = {"approved": "approve", "rejected": "reject"}


@dataclass(frozen=True, kw_only=True)
class Reviewed:
    """The run as it was before, whether its review was decided now, and what was done last.

    `settled`: something is known of its effects that was not, or was known otherwise.
    """

    run: RunBrief
    decided: bool
    last_move: RunMove | None
    settled: bool = False


_NOTHING = Settlement()


class ReviewStore:
    """The reviews of one ledger."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def decide(
        self,
        run_id: int,
        decision: Decision,
        *,
        actor: str,
        reason: str,
        authenticated: bool = False,
        four_eyes: bool = False,
        settlement: Settlement = _NOTHING,
    ) -> Reviewed:
        """Approve of another attempt, or reject it; undecided if the run waits for no such word.

        What is known of its effects is written down with it; raises what `settle` does, Unsettled
        for an approval that leaves one of them unknown. The approval is of the run as it is then.
        """
        by = Settler(name=actor, reason=reason, authenticated=authenticated, four_eyes=four_eyes)
        approves = decision == "approved"
        with self.database.begin() as connection:
            (run,) = locked(connection, runs.c.id == run_id)
            last = last_moves(connection, [run_id]).get(run_id)
            if run.state is not RunState.FAILED or run.review is None:
                return Reviewed(run=run, decided=False, last_move=last)
            settled = False
            open_ = decision in _DECISIONS[run.review] or (
                approves and _is_void(connection, run, known=authenticated)
            )
            if open_ or settlement.keys:
                settled = settle(connection, run, settlement, by, wholly=approves)
            if not open_ and not settled:
                return Reviewed(run=run, decided=False, last_move=last)
            # Once asked for, they stay so: no other process undoes it by a detour.
            four_eyes = four_eyes or asked_with_four_eyes(run)
            known = {"authenticated": authenticated, "four_eyes": four_eyes}
            void = FOUR_EYES if four_eyes else None
            values = {
                "review": literal(decision, runs.c.review.type),
                "touched_at": database_now(),
                "approval_hash": approval(connection, run_id, **known) if approves else void,
                "approved_by": actor if approves else None,
            }
            connection.execute(update(runs).where(runs.c.id == run_id).values(values))
            moved = [(run_id, run.review)]
            write_down(connection, moved, decision, actor=actor, reason=reason)
            note_moves(
                connection, _ACTS[decision], [run], actor=actor, reason=reason,
                after=f"{run.state}, {decision}",
            )  # fmt: skip
        return Reviewed(run=run, decided=True, last_move=last, settled=settled)

    def settle(
        self,
        run_id: int,
        settlement: Settlement,
        *,
        actor: str,
        reason: str,
        authenticated: bool = False,
        four_eyes: bool = False,
    ) -> Reviewed:
        """Say what is known of the run's effects, or say it otherwise, and decide nothing.

        The effects of a run that has not failed too, if a person settled them and no attempt has
        come to them since. Who approved of a failed run before did not know: it is reviewed again.
        Raises what `settling.settle` does.
        """
        by = Settler(name=actor, reason=reason, authenticated=authenticated, four_eyes=four_eyes)
        with self.database.begin() as connection:
            (run,) = locked(connection, runs.c.id == run_id)
            last = last_moves(connection, [run_id]).get(run_id)
            settled = settle(connection, run, settlement, by)
            if settled:
                four_eyes = four_eyes or asked_with_four_eyes(run)
                void = FOUR_EYES if four_eyes else None
                values: dict[str, Any] = {"touched_at": database_now(), "approval_hash": void}
                if run.state is RunState.FAILED and run.review != "rejected":
                    values |= {"review": "required", "approved_by": None}
                connection.execute(update(runs).where(runs.c.id == run_id).values(values))
                moved = [(run_id, run.review or run.state)]
                write_down(connection, moved, SETTLED, actor=actor, reason=reason)
        return Reviewed(run=run, decided=False, last_move=last, settled=settled)


def _is_void(connection: Connection, run: RunBrief, *, known: bool) -> bool:
    """Whether what was approved of has changed since; or a user approves of what a login did."""
    somebody = Retrier(name="", authenticated=True, four_eyes=known)
    return run.review == "approved" and objection(connection, run, somebody) is not None
