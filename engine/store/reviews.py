"""Reviews: what a person decides about a failed run that must not be retried just like that."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, literal, update

from engine.states import RunState
from engine.store.act import ActName
from engine.store.approvals import Retrier, approval, objection
from engine.store.database import Database
from engine.store.instant import database_now
from engine.store.operator_moves import RunBrief, RunMove, last_moves, locked, write_down
from engine.store.run_acts import note_moves
from engine.store.settling import Settlement, settle
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
    """The run as it was before, whether its review was decided now, and what was done last."""

    run: RunBrief
    decided: bool
    last_move: RunMove | None


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

        What is known of its effects is written down with it; raises NotOpen, and Unsettled for an
        approval that leaves one of them unknown. The approval is of the run as it is then.
        """
        with self.database.begin() as connection:
            (run,) = locked(connection, runs.c.id == run_id)
            open_ = run.state is RunState.FAILED and (
                decision in _DECISIONS.get(run.review or "", ())
                or (
                    decision == run.review == "approved"
                    and _is_void(connection, run, known=authenticated)
                )
            )
            last = last_moves(connection, [run_id]).get(run_id)
            if open_:
                here = (
                    runs.c.id == run_id,
                    runs.c.state == RunState.FAILED,
                    runs.c.review == run.review,
                )
                approves = decision == "approved"
                settle(connection, run, settlement, actor=actor, reason=reason, wholly=approves)
                by = {"authenticated": authenticated, "four_eyes": four_eyes}
                values = {
                    "review": literal(decision, runs.c.review.type),
                    "touched_at": database_now(),
                    "approval_hash": approval(connection, run_id, **by) if approves else None,
                    "approved_by": actor if approves else None,
                }
                connection.execute(update(runs).where(*here).values(values))
                moved = [(run_id, run.review or "")]
                write_down(connection, moved, decision, actor=actor, reason=reason)
                note_moves(
                    connection, _ACTS[decision], [run], actor=actor, reason=reason,
                    after=f"{run.state}, {decision}",
                )  # fmt: skip
        return Reviewed(run=run, decided=open_, last_move=last)


def _is_void(connection: Connection, run: RunBrief, *, known: bool) -> bool:
    """Whether what was approved of has changed since; or a user approves of what a login did."""
    somebody = Retrier(name="", authenticated=True, four_eyes=known)
    return objection(connection, run, somebody) is not None
