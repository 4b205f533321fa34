"""What people did with a run, in words and as JSON."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from engine.operations.instants import rfc3339
from engine.states import RunState
from engine.store.operator_moves import CANCEL_REQUESTED, SETTLED, RunMove

Shown = Callable[[datetime], str]
_DONE: Mapping[str, str] = {
    RunState.QUEUED: "retried it",
    RunState.DISCARDED: "put it aside",
    RunState.CANCELLED: "cancelled it",
    CANCEL_REQUESTED: "told it to stop",
    "approved": "approved of another attempt",
    "rejected": "rejected another attempt",
    SETTLED: "said what came of its effects",
}


def move_text(move: RunMove, shown: Shown) -> str:
    """`sara retried it at 2026-11-24 03:00:00: the bank is back`."""
    reason = f": {move.reason}" if move.reason else ""
    return f"{move.actor} {deed(move)} at {shown(move.moved_at)}{reason}"


def deed(move: RunMove) -> str:
    """`retried it`."""
    return _DONE.get(move.target, f"moved it from {move.source} to {move.target}")


def move_json(move: RunMove) -> dict[str, Any]:
    """As other programs read it."""
    return {
        "run_id": move.run_id,
        "actor": move.actor,
        "source": move.source,
        "target": move.target,
        "reason": move.reason,
        "moved_at": rfc3339(move.moved_at),
    }
