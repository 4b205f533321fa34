"""Settling: a person who looked at the other end says which unknown effects of a run happened."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, select, update

from engine.errors import Invalid, Refused
from engine.redaction.hiding import hidden_data
from engine.store.act import Act, note
from engine.store.effects import Effect, effects_of
from engine.store.instant import database_now
from engine.store.operator_moves import RunBrief
from engine.store.tables import effects, runs


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """What is known now: those that happened, with their results, and those that did not.

    Results are kept, so there are no secrets in them, as in those that attempts write down.
    """

    happened: Mapping[str, Any] = field(default_factory=dict)
    did_not_happen: Collection[str] = ()


class NotOpen(Invalid):
    """What was said is of no effect of the run that is open."""

    message = "run {id} has no open effect {keys}; {open}; nothing was changed"


class Unsettled(Refused):
    """Approving means knowing; the effects of the run are not known yet."""

    message = (
        "whether {keys} happened is not said; look at the other end, then add --happened KEY or "
        "--did-not-happen KEY for each; nothing was changed"
    )


def settle(
    connection: Connection,
    run: RunBrief,
    settlement: Settlement,
    *,
    actor: str,
    reason: str,
    wholly: bool,
) -> None:
    """Write down what is known of the effects of a run that is locked.

    Raises NotOpen for what is not an open effect of it, and Unsettled if all must be settled
    `wholly` and some are not.
    """
    open_ = [each for each in effects_of(connection, run.id) if each.state == "started"]
    said = {*settlement.happened, *settlement.did_not_happen}
    if unknown := sorted(said - {each.key for each in open_}):
        raise NotOpen(id=run.id, keys=_shown(unknown), open=_told(open_))
    left = [each.key for each in open_ if each.is_unknown and each.key not in said]
    if wholly and left:
        raise Unsettled(keys=_shown(left))
    if not said:
        return
    for key, result in settlement.happened.items():
        kept = hidden_data(result)
        done = {"state": "done", "result": kept, "done_at": database_now()}
        connection.execute(update(effects).where(effects.c.key == key).values(done))
    for key in settlement.did_not_happen:
        not_done = {"state": "not_done"}
        connection.execute(update(effects).where(effects.c.key == key).values(not_done))
    _count(connection, run.id)
    facts = {
        "reference": run.reference,
        "happened": sorted(settlement.happened),
        "did_not_happen": sorted(settlement.did_not_happen),
    }
    act = Act(
        actor=actor, act="settle effects", subject=f"run {run.id}", count=len(said),
        reason=reason, facts=facts,
    )  # fmt: skip
    note(connection, act)


def _count(connection: Connection, run_id: int) -> None:
    left = (
        select(func.count())
        .where(effects.c.run_id == run_id, effects.c.state == "started", ~effects.c.repeatable)
        .scalar_subquery()
    )
    counted = update(runs).where(runs.c.id == run_id).values(effects_in_doubt=left)
    connection.execute(counted)


def _told(open_: Sequence[Effect]) -> str:
    if not open_:
        return "it has none that are open"
    return f"open are {_shown([each.key for each in open_])}"


def _shown(keys: Sequence[str]) -> str:
    return ", ".join(map(repr, keys))
