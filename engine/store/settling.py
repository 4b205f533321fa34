"""Settling: a person who looked at the other end says which effects of a run happened.

What was said wrongly is said again, until another attempt has come to the effect. Where four eyes
are asked for, one that did not happen may be done again once two people have said so: the second
one by retrying what the first one approved, or by saying the same.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select, update

from engine.errors import EngineError, Invalid, Refused
from engine.redaction.hiding import hidden_data
from engine.states import UNFINISHED_RUNS
from engine.store.act import Act, note
from engine.store.approvals import asked_with_four_eyes
from engine.store.effect import Effect, effects_of
from engine.store.instant import database_now
from engine.store.open_effects import recount
from engine.store.operator_moves import RunBrief
from engine.store.tables import effects


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """What is known now: those that happened, with their results, and those that did not.

    Results are kept, so there are no secrets in them, as in those that attempts write down.
    """

    happened: Mapping[str, Any] = field(default_factory=dict)
    did_not_happen: Collection[str] = ()

    @property
    def keys(self) -> Collection[str]:
        """What it is about."""
        return {*self.happened, *self.did_not_happen}


@dataclass(frozen=True, kw_only=True)
class Settler:
    """Who says so, and why. With `four_eyes` it takes two users, known by tokens."""

    name: str
    reason: str
    authenticated: bool = False
    four_eyes: bool = False


class NotOpen(Invalid):
    """What was said is of no effect of the run that a person may settle."""

    message = "run {id} has no open effect {keys}; {open}; nothing was changed"


class BeingDone(EngineError):
    """An attempt has just come to what somebody wanted to settle."""

    message = "run {id}: an attempt is at {keys} just now; look again; nothing was changed"


class Unsettled(Refused):
    """Approving means knowing; the effects of the run are not known yet."""

    message = (
        "whether {keys} happened is not said; look at the other end, then add --happened KEY or "
        "--did-not-happen KEY for each; nothing was changed"
    )


class SettlerUnknown(Refused):
    """With four eyes it takes users to have something done again, not just logins."""

    message = (
        "with ENGINE_FOUR_EYES two users say that an effect did not happen: put your token in "
        "ENGINE_TOKEN; nothing was changed"
    )


def settle(
    connection: Connection,
    run: RunBrief,
    settlement: Settlement,
    by: Settler,
    *,
    wholly: bool = False,
) -> bool:
    """Write down what is known of the effects of a run that is locked; False if it was known.

    Raises NotOpen for what nobody may settle, BeingDone, SettlerUnknown, and Unsettled if all must
    be settled `wholly` and some are not.
    """
    _lock(connection, run, settlement.keys)
    found = {each.key: each for each in effects_of(connection, run.id)}
    may = [key for key, each in found.items() if _may_be_settled(each, run)]
    if wrong := sorted(set(settlement.keys).difference(may)):
        if begun := [key for key in wrong if key in found and found[key].is_open]:
            raise BeingDone(id=run.id, keys=_shown(begun))
        raise NotOpen(id=run.id, keys=_shown(wrong), open=_told(found.values()))
    left = [each.key for each in found.values() if each.is_unknown]
    left = [key for key in left if key not in settlement.keys]
    if wholly and left:
        raise Unsettled(keys=_shown(left))
    # Who asks for less than somebody did before gets no more by it.
    four_eyes = by.four_eyes or asked_with_four_eyes(run)
    said = {
        **{key: _happened(result, by) for key, result in settlement.happened.items()},
        **{
            key: _did_not_happen(found[key], by, four_eyes=four_eyes)
            for key in settlement.did_not_happen
        },
    }
    new = {key: values for key, values in said.items() if _is_news(found[key], values)}
    for key, values in new.items():
        connection.execute(update(effects).where(effects.c.key == key).values(values))
    if new:
        recount(connection, [run.id])
        _note(connection, run, {key: found[key].state for key in new}, new, by)
    return bool(new)


def confirm(connection: Connection, run_ids: Collection[int]) -> None:
    """A second person relies on what was said of these runs, which are locked."""
    if not run_ids:
        return
    here = (effects.c.run_id.in_(run_ids), effects.c.state == "unconfirmed")
    connection.execute(update(effects).where(*here).values(state="not_done"))
    recount(connection, run_ids)


def _lock(connection: Connection, run: RunBrief, keys: Collection[str]) -> None:
    """Nobody takes one of them; who has just done so must not be waited for, with a run locked."""
    all_ = select(effects.c.key).where(effects.c.run_id == run.id, effects.c.key.in_(keys))
    free = all_.with_for_update(key_share=True, skip_locked=True)
    taken = set(connection.execute(all_).scalars()) - set(connection.execute(free).scalars())
    if taken:
        raise BeingDone(id=run.id, keys=_shown(sorted(taken)))


def _may_be_settled(effect: Effect, run: RunBrief) -> bool:
    """Not while the attempt may know better; but what a person said, as long as it stands."""
    if effect.settled_by is not None:
        return True
    return effect.state == "started" and run.state not in UNFINISHED_RUNS


def _happened(result: Any, by: Settler) -> dict[str, Any]:
    return {
        "state": "done",
        "result": hidden_data(result),
        "done_at": database_now(),
        "settled_by": by.name,
    }


def _did_not_happen(found: Effect, by: Settler, *, four_eyes: bool) -> dict[str, Any]:
    state = "not_done"
    if found.state != "not_done" and (four_eyes or found.state == "unconfirmed"):
        if not by.authenticated:
            raise SettlerUnknown
        if found.state != "unconfirmed" or found.settled_by == by.name:
            state = "unconfirmed"
    return {"state": state, "result": None, "done_at": None, "settled_by": by.name}


def _is_news(found: Effect, values: Mapping[str, Any]) -> bool:
    same = found.state == values["state"] and found.result == values["result"]
    return not same


def _note(
    connection: Connection,
    run: RunBrief,
    before: Mapping[str, str],
    said: Mapping[str, Mapping[str, Any]],
    by: Settler,
) -> None:
    after = {key: values["state"] for key, values in said.items()}
    corrects = any(state in ("done", "not_done") for state in before.values())
    facts = {
        "reference": run.reference,
        "happened": sorted(key for key, state in after.items() if state == "done"),
        "did_not_happen": sorted(key for key, state in after.items() if state != "done"),
        "before": dict(sorted(before.items())),
        "after": dict(sorted(after.items())),
    }
    act = Act(
        actor=by.name, act="correct effects" if corrects else "settle effects",
        subject=f"run {run.id}", count=len(said), reason=by.reason, facts=facts,
    )  # fmt: skip
    note(connection, act)


def _told(found: Iterable[Effect]) -> str:
    if open_ := [each.key for each in found if each.is_open]:
        return f"open are {_shown(open_)}"
    return "it has none that are open"


def _shown(keys: Sequence[str]) -> str:
    return ", ".join(map(repr, keys))
