"""Open effects: nobody knows what came of them, or not all who must have said it.

A run's row has their numbers, for every end of an attempt writes that row: `effects_open` of all,
and `effects_in_doubt` of those that stand in the way of another attempt. Those do not that are
started and repeatable: the attempt does them again.
"""

import hashlib
from collections.abc import Collection

from sqlalchemy import Connection, ScalarSelect, and_, func, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from engine.store.run import RunError
from engine.store.run_errors import error_values
from engine.store.tables import effects, runs

OPEN_STATES = ("started", "unconfirmed")
IS_OPEN = effects.c.state.in_(OPEN_STATES)
IS_IN_DOUBT = or_(
    effects.c.state == "unconfirmed", and_(effects.c.state == "started", ~effects.c.repeatable)
)
_SHOWN = 3


def recount(connection: Connection, run_ids: Collection[int]) -> None:
    """Count the open effects of runs that are locked."""

    def count(which: ColumnElement[bool]) -> ScalarSelect[int]:
        of_run = select(func.count()).where(effects.c.run_id == runs.c.id, which)
        return of_run.scalar_subquery()

    counted = {"effects_open": count(IS_OPEN), "effects_in_doubt": count(IS_IN_DOUBT)}
    connection.execute(update(runs).where(runs.c.id.in_(run_ids)).values(counted))


def recount_if_any(connection: Connection, run_ids: Collection[int]) -> bool:
    """Count those of runs that are about to end, or be decided about; False if they have none.

    A process of an older version counts in its own way what it does to effects.
    """
    has = select(effects.c.key).where(effects.c.run_id == runs.c.id).exists()
    counted = or_(runs.c.effects_open != 0, runs.c.effects_in_doubt != 0)
    some = select(runs.c.id).where(runs.c.id.in_(run_ids), or_(counted, has)).order_by(runs.c.id)
    found = connection.execute(some).scalars().all()
    if found:
        # What is counted must be what there is once they are locked.
        here = select(runs.c.id).where(runs.c.id.in_(found)).order_by(runs.c.id)
        connection.execute(here.with_for_update(key_share=True))
        recount(connection, found)
    return bool(found)


def tell_unknown(
    connection: Connection, run_id: int, reference: str, error: RunError | None
) -> RunError:
    """Write down as the run's error that nobody knows whether its open effects happened.

    Beside it stands what the run ended with.
    """
    told = _unknown(connection, run_id, reference, error)
    connection.execute(update(runs).where(runs.c.id == run_id).values(error_values(told)))
    return told


def _unknown(
    connection: Connection, run_id: int, reference: str, error: RunError | None
) -> RunError:
    open_ = (
        select(effects.c.key)
        .where(effects.c.run_id == run_id, IS_OPEN)
        .order_by(effects.c.started_at, effects.c.key)
    )
    keys = connection.execute(open_).scalars().all()
    shown = ", ".join(map(repr, keys[:_SHOWN]))
    more = f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
    why = f"it ended with {error.type}: {error.message}" if error else "the job returned"
    text = (
        f"whether {shown}{more} happened is unknown; look at the other end, then say so with "
        f"`engine runs review {reference}`; {why}"
    )
    alike = f"EffectUnknown {error.fingerprint if error else ''}"
    fingerprint = hashlib.sha256(alike.encode()).hexdigest()[:16]
    return RunError(type="EffectUnknown", message=text, fingerprint=fingerprint)
