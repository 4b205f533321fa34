"""What an operator does with runs, as the audit has it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from engine.store.act import Act, ActName, note, ranges
from engine.store.failed_run_reader import FailedRuns
from engine.store.operator_moves import RunBrief
from engine.store.run import NewRun, Run


def note_moves(
    connection: Connection,
    act: ActName,
    moved: Sequence[RunBrief],
    *,
    actor: str,
    reason: str | None,
    after: str,
    chosen_by: Mapping[str, Any] | None = None,
) -> None:
    """Note that these runs, as they were before, were moved; nothing if there are none.

    `chosen_by` is the filter by which they were found, if they were not named.
    """
    if not moved:
        return
    facts: dict[str, Any] = {
        "runs": ranges(run.id for run in moved),
        "before": dict(Counter(_was(run) for run in moved)),
        "after": after,
    }
    if chosen_by:
        facts["filter"] = dict(chosen_by)
    subject = f"run {moved[0].id}" if len(moved) == 1 else None
    if subject:
        facts["reference"] = moved[0].reference
    note(
        connection,
        Act(
            actor=actor, act=act, subject=subject, count=len(moved), reason=reason, facts=facts
        ),
    )  # fmt: skip


def note_booking(connection: Connection, new: NewRun, run: Run) -> None:
    """Note that an operator booked this run; what a schedule books is no operator's act."""
    if new.firing is not None or new.actor is None:
        return
    facts = {
        "job": run.job,
        "reference": run.reference,
        "queue": run.queue,
        "priority": run.priority,
        "due_at": run.due_at.isoformat(),
        "key": run.key,
        "params": dict(run.params),
    }
    note(connection, Act(actor=new.actor, act="run", subject=f"run {run.id}", facts=facts))


def filter_of(which: FailedRuns) -> Mapping[str, Any]:
    """What was given to find failed runs by, but for their ids."""
    given = {each.name: getattr(which, each.name) for each in fields(which) if each.name != "ids"}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in given.items()
        if value is not None
    }


def _was(run: RunBrief) -> str:
    return f"{run.state}, {run.review}" if run.review else str(run.state)
