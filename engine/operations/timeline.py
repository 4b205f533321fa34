"""The timeline of a run: booked, attempts and what people did, with the waits between them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from engine.operations.instants import milliseconds, rfc3339
from engine.operations.run_moves import deed
from engine.states import RunState
from engine.store.operator_moves import RunMove
from engine.store.run import Attempt, Run

Kind = Literal["booked", "attempt", "move"]
_OUTCOMES = {"handed_back": "handed back at a stop", "lost": "lost with its worker"}


@dataclass(frozen=True, kw_only=True)
class Moment:
    """Something that happened to a run; `waited` is since the moment before it was over."""

    at: datetime
    kind: Kind
    what: str
    took: timedelta | None = None
    waited: timedelta | None = None

    def as_json(self) -> dict[str, Any]:
        """As other programs read it."""
        return {
            "at": rfc3339(self.at),
            "kind": self.kind,
            "what": self.what,
            "took_ms": milliseconds(self.took),
            "waited_ms": milliseconds(self.waited),
        }


def timeline(
    run: Run,
    attempts: Sequence[Attempt],
    moves: Sequence[RunMove],
    shown: Callable[[datetime], str | None] = rfc3339,
) -> Sequence[Moment]:
    """What happened, in the order in which it did; `shown` is how texts write instants."""
    moments = [_booked(run, shown), *map(_attempt, attempts), *map(_move, moves)]
    moments.sort(key=lambda moment: moment.at)
    return list(_with_waits(moments, run))


def _with_waits(moments: Sequence[Moment], run: Run) -> Iterator[Moment]:
    # What is booked for later has not waited until then.
    over = max(moments[0].at, run.due_at)
    yield moments[0]
    for moment in moments[1:]:
        waited = moment.at - over
        yield replace(moment, waited=waited) if waited > timedelta(0) else moment
        over = max(over, moment.at + (moment.took or timedelta(0)))


def _booked(run: Run, shown: Callable[[datetime], str | None]) -> Moment:
    whose = f"by {run.actor}" if run.actor else ""
    if run.schedule and run.scheduled_for:
        whose = f"by the schedule {run.schedule} for {shown(run.scheduled_for)}"
    state = f", not to be run: {run.reason}" if run.state is RunState.SKIPPED else ""
    later = run.due_at - run.created_at > timedelta(seconds=1)
    due = f", due at {shown(run.due_at)}" if later and not state else ""
    return Moment(at=run.created_at, kind="booked", what=f"booked {whose}{due}{state}".strip())


def _attempt(attempt: Attempt) -> Moment:
    outcome = _OUTCOMES.get(attempt.outcome or "running", attempt.outcome or "running")
    why = f": {attempt.error_type}: {attempt.error_message}" if attempt.error_type else ""
    return Moment(
        at=attempt.started_at,
        kind="attempt",
        what=f"attempt {attempt.number} on {attempt.worker}: {outcome}{why}",
        took=attempt.finished_at - attempt.started_at if attempt.finished_at else None,
    )


def _move(move: RunMove) -> Moment:
    reason = f": {move.reason}" if move.reason else ""
    return Moment(at=move.moved_at, kind="move", what=f"{move.actor} {deed(move)}{reason}")
