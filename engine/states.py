"""The two state machines, as data: which move is allowed from which state."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from engine.errors import EngineError


class RunState(StrEnum):
    """Where a run is in its life."""

    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    DISCARDED = "discarded"


class BreakState(StrEnum):
    """Where a break is on its way to being closed."""

    OPEN = "open"
    INVESTIGATING = "investigating"
    PROPOSED = "proposed"
    APPROVED = "approved"
    RESOLVED = "resolved"
    ACCEPTED = "accepted"
    AUTO_CLOSED = "auto_closed"


class ForbiddenMove(EngineError):
    """The code asked for a move that the state machine does not have: a bug."""

    message = "a {noun} cannot go from {source} to {target}"


State = TypeVar("State", bound=StrEnum)


@dataclass(frozen=True)
class Machine(Generic[State]):
    """A state machine: `moves` maps each state to the states it may go to."""

    noun: str
    moves: Mapping[State, frozenset[State]]

    def require(self, source: State, target: State) -> None:
        """Raise ForbiddenMove unless `source` may become `target`."""
        if target not in self.moves[source]:
            raise ForbiddenMove(noun=self.noun, source=source, target=target)


_R = RunState
RUN = Machine[RunState](
    "run",
    {
        _R.WAITING: frozenset({_R.QUEUED, _R.CANCELLED, _R.SKIPPED}),
        _R.QUEUED: frozenset({_R.RUNNING, _R.CANCELLED, _R.SKIPPED, _R.FAILED}),
        _R.RUNNING: frozenset({_R.SUCCEEDED, _R.RETRYING, _R.FAILED, _R.CANCELLED, _R.QUEUED}),
        _R.RETRYING: frozenset({_R.RUNNING, _R.CANCELLED, _R.FAILED}),
        _R.FAILED: frozenset({_R.QUEUED, _R.DISCARDED}),
        _R.SKIPPED: frozenset({_R.QUEUED}),
        _R.SUCCEEDED: frozenset(),
        _R.CANCELLED: frozenset(),
        _R.DISCARDED: frozenset(),
    },
)

_B = BreakState
BREAK = Machine[BreakState](
    "break",
    {
        _B.OPEN: frozenset({_B.INVESTIGATING, _B.ACCEPTED, _B.AUTO_CLOSED}),
        _B.INVESTIGATING: frozenset({_B.PROPOSED, _B.ACCEPTED, _B.AUTO_CLOSED}),
        _B.PROPOSED: frozenset({_B.INVESTIGATING, _B.APPROVED}),
        _B.APPROVED: frozenset({_B.RESOLVED}),
        _B.RESOLVED: frozenset({_B.OPEN}),
        _B.ACCEPTED: frozenset({_B.OPEN}),
        _B.AUTO_CLOSED: frozenset({_B.OPEN}),
    },
)

UNFINISHED_RUNS = frozenset({_R.WAITING, _R.QUEUED, _R.RUNNING, _R.RETRYING})
