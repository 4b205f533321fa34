"""The errors of a run, as its row has them: the last one, and beside it the first of its life."""

from typing import Any

from sqlalchemy import case, literal

from engine.store.run import RunError
from engine.store.tables import runs
from engine.store.words import Words


def error_values(error: RunError | None, *, counts: bool = True) -> dict[str, Any]:
    """The last error; the first one that `counts` as a failure stays beside it for good."""
    values = {
        "error_type": error.type if error else None,
        "error_message": error.message if error else None,
        "error_fingerprint": error.fingerprint if error else None,
    }
    if error is None or not counts:
        return values
    none_yet = runs.c.first_error_type.is_(None)
    first = {
        f"first_{name}": case((none_yet, literal(value, Words)), else_=runs.c[f"first_{name}"])
        for name, value in values.items()
    }
    return values | first
