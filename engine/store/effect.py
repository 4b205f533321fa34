"""An effect as the ledger has it, and how it is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, select

from engine.states import RunState
from engine.store.instant import database_now
from engine.store.open_effects import OPEN_STATES
from engine.store.tables import effects, runs

EffectState = Literal["started", "done", "not_done", "unconfirmed"]


@dataclass(frozen=True, kw_only=True)
class Effect:
    """One effect, of the attempt that came to it last. Its `result` is there once it is done.

    `settled_by` is who said what came of it, if it was not the attempt.
    """

    key: str
    run_id: int
    attempt: int
    request_hash: str
    state: EffectState
    repeatable: bool
    result: Any
    started_at: datetime | None
    done_at: datetime | None
    settled_by: str | None = None

    @property
    def is_unknown(self) -> bool:
        """Whether nobody can say if it happened, and it must not be tried again."""
        return self.state == "started" and not self.repeatable

    @property
    def is_open(self) -> bool:
        """Whether it is not known, or not agreed, what came of it."""
        return self.state in OPEN_STATES


def one_effect(connection: Connection, key: str, *, lock: bool = False) -> Effect:
    """The effect with this key."""
    query = select(effects).where(effects.c.key == key)
    if lock:
        query = query.with_for_update(key_share=True)
    return _as_effect(connection.execute(query).mappings().one())


def effects_of(connection: Connection, run_id: int) -> Sequence[Effect]:
    """The effects of one run, the first one first."""
    of_run = select(effects).where(effects.c.run_id == run_id)
    in_order = of_run.order_by(effects.c.started_at, effects.c.key)
    return [_as_effect(row) for row in connection.execute(in_order).mappings()]


def is_under_way(connection: Connection, effect: Effect) -> bool:
    """Whether the attempt that started it is alive."""
    alive = (
        runs.c.id == effect.run_id,
        runs.c.state == RunState.RUNNING,
        runs.c.attempt == effect.attempt,
        runs.c.lease_until > database_now(),
    )
    return connection.execute(select(runs.c.id).where(*alive)).first() is not None


def _as_effect(row: Mapping[Any, Any]) -> Effect:
    return Effect(**{name: row[name] for name in Effect.__dataclass_fields__})
