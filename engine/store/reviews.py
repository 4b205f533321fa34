"""Reviews: what a person decides about a failed run that must not be retried just like that."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import literal, update

from engine.states import RunState
from engine.store.database import Database
from engine.store.instant import database_now
from engine.store.operator_moves import RunBrief, RunMove, last_moves, locked, write_down
from engine.store.run_acts import note_moves
from engine.store.tables import runs

Decision = Literal["approved", "rejected"]
# What may become of each: a person may change their mind until the run is retried.
_DECISIONS: dict[str, tuple[Decision, ...]] = {
    "required": ("approved", "rejected"),
    "approved": ("rejected",),
    "rejected": ("approved",),
}
# As the audit has them.
_ACTS: dict[Decision, str] = {"approved": "approve", "rejected": "reject"}


@dataclass(frozen=True, kw_only=True)
class Reviewed:
    """The run as it was before, whether its review was decided now, and what was done last."""

    run: RunBrief
    decided: bool
    last_move: RunMove | None


class ReviewStore:
    """The reviews of one ledger."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def decide(self, run_id: int, decision: Decision, *, actor: str, reason: str) -> Reviewed:
        """Approve of another attempt, or reject it; undecided if the run waits for no such word."""
        with self.database.begin() as connection:
            (run,) = locked(connection, runs.c.id == run_id)
            open_ = run.state is RunState.FAILED and decision in _DECISIONS.get(
                run.review or "", ()
            )
            last = last_moves(connection, [run_id]).get(run_id)
            if open_:
                here = (
                    runs.c.id == run_id,
                    runs.c.state == RunState.FAILED,
                    runs.c.review == run.review,
                )
                decided = literal(decision, runs.c.review.type)
                values = {"review": decided, "touched_at": database_now()}
                connection.execute(update(runs).where(*here).values(values))
                moved = [(run_id, run.review or "")]
                write_down(connection, moved, decision, actor=actor, reason=reason)
                note_moves(
                    connection, _ACTS[decision], [run], actor=actor, reason=reason,
                    after=f"{run.state}, {decision}",
                )  # fmt: skip
        return Reviewed(run=run, decided=open_, last_move=last)
