"""Effects of a run, as people and other programs read them."""

from typing import Any

from engine.operations.instants import rfc3339
from engine.store.effect import Effect


def effect_json(effect: Effect) -> dict[str, Any]:
    """One effect."""
    return {
        "key": effect.key,
        "state": effect_state(effect),
        "repeatable": effect.repeatable,
        "run_id": effect.run_id,
        "attempt": effect.attempt,
        "result": effect.result,
        "started_at": rfc3339(effect.started_at),
        "done_at": rfc3339(effect.done_at),
        "settled_by": effect.settled_by,
    }


def effect_state(effect: Effect) -> str:
    """`done`, `not_done`, `started` for one that may be called again, `unknown`, or `unconfirmed`
    for one that did not happen, as one of two people said.
    """
    return "unknown" if effect.is_unknown else effect.state
