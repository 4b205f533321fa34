"""Approvals: bound to what was approved of; who may give them, and who may act on them."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, select

from engine.store.effect import Effect, effects_of
from engine.store.operator_moves import RunBrief
from engine.store.roles import Role
from engine.store.tables import runs, sealed_params
from engine.store.user_tables import users

Doubt = Literal["changed", "approved_by_nobody_known", "retried_by_nobody_known", "same_person"]


@dataclass(frozen=True, kw_only=True)
class Retrier:
    """Who wants to act on an approval. With `four_eyes` it takes two users, known by tokens."""

    name: str
    authenticated: bool = False
    four_eyes: bool = False


@dataclass(frozen=True, kw_only=True)
class Objection:
    """Why an approval is good for nothing, or not for this person; `changed` since it was given."""

    doubt: Doubt
    changed: Sequence[str] = ()


# What stays of an approval that is void: whether the run was ever asked about with four eyes.
FOUR_EYES = "eyes=four"


def asked_with_four_eyes(run: RunBrief) -> bool:
    """Whether anybody who said something of the run did so with four eyes, in whatever process."""
    return FOUR_EYES in (run.approval_hash or "").split()


def approval(
    connection: Connection, run_id: int, *, authenticated: bool, four_eyes: bool = False
) -> str:
    """What is approved of now, as hashes; and whether a user does so, or just some login.

    One that is given with `four_eyes` takes them wherever it is acted upon.
    """
    by = "user" if authenticated else "login"
    bound = {**_hashes(connection, run_id), "by": by, "eyes": "four" if four_eyes else "two"}
    return " ".join(f"{name}={value}" for name, value in bound.items())


def objection(connection: Connection, run: RunBrief, retrier: Retrier) -> Objection | None:
    """Why this person may not retry an approved run; None if they may."""
    approved = dict(part.split("=", 1) for part in (run.approval_hash or "").split())
    now = _hashes(connection, run.id)
    changed = [name for name in now if approved.get(name) != now[name]]
    if changed:
        return Objection(doubt="changed", changed=changed)
    # Of an approved run those are in doubt of which a second person has yet to say something.
    if not (retrier.four_eyes or approved.get("eyes") == "four" or run.effects_in_doubt):
        return None
    if approved.get("by") != "user":
        return Objection(doubt="approved_by_nobody_known")
    if not retrier.authenticated:
        return Objection(doubt="retried_by_nobody_known")
    return Objection(doubt="same_person") if run.approved_by == retrier.name else None


def approvers(connection: Connection, *, but: Iterable[str] = ()) -> Collection[str] | None:
    """The users who can approve; None where there are no users, so that anybody can."""
    found = connection.execute(select(users.c.name, users.c.role, users.c.disabled_at)).all()
    if not found:
        return None
    can = {
        user.name
        for user in found
        if user.disabled_at is None and Role(user.role).covers(Role.APPROVER)
    }
    return sorted(can.difference(but))


def _hashes(connection: Connection, run_id: int) -> Mapping[str, str]:
    """Of the parts of what is approved of, those first that a person would ask about first."""
    wanted = [runs.c[name] for name in ("job", "params", "attempt", *_ERROR)]
    run = connection.execute(select(*wanted).where(runs.c.id == run_id)).mappings().one()
    sealed = select(sealed_params.c.name, sealed_params.c.sealed)
    of_run = sealed.where(sealed_params.c.run_id == run_id).order_by(sealed_params.c.name)
    secrets = [list(row) for row in connection.execute(of_run)]
    return {
        "job": _hash(run["job"]),
        "parameters": _hash([run["params"], secrets]),
        "error": _hash([run["attempt"], *(run[name] for name in _ERROR)]),
        "effects": _hash([_told(each) for each in effects_of(connection, run_id)]),
    }


_ERROR = tuple(
    f"{which}error_{part}"
    for which in ("", "first_")
    for part in ("type", "message", "fingerprint")
)


def _told(effect: Effect) -> list[Any]:
    return [
        *(effect.key, effect.state, effect.repeatable, effect.attempt),
        *(effect.request_hash, effect.result),
    ]


def _hash(what: Any) -> str:
    text = json.dumps(what, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
