"""Effects at rest: which calls of which run were started, which are done, and what came of them.

Those of a run that are open are counted in its row: see `open_effects`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.sql.elements import ColumnElement

from engine.store.database import Database
from engine.store.effect import Effect, effects_of, is_under_way, one_effect
from engine.store.endings import held
from engine.store.instant import database_now
from engine.store.open_effects import recount
from engine.store.run import Claim
from engine.store.tables import effects, runs
from engine.store.upsert import upsert


class EffectStore:
    """The effects of one ledger."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def of_run(self, run_id: int) -> Sequence[Effect]:
        """The effects of one run, the first one first."""
        with self.database.read() as connection:
            return effects_of(connection, run_id)

    def open_of(self, key: str) -> int | None:
        """The run that started it, if nobody knows what came of it."""
        query = select(effects.c.run_id).where(effects.c.key == key, effects.c.state == "started")
        with self.database.read() as connection:
            return connection.execute(query).scalar_one_or_none()

    def start(
        self, claim: Claim, key: str, request_hash: str, *, repeatable: bool
    ) -> Effect | None:
        """Note that a call is about to be made; the effect instead if it must not be made.

        That is one that is done, one that was started and is unknown, or one of another request.
        Raises NotHeld, and nothing is noted then.
        """
        with self.database.begin() as connection:
            return start_effect(connection, claim, key, request_hash, repeatable=repeatable)

    def finish(self, claim: Claim, key: str, result: Any) -> tuple[Effect, bool]:
        """The call returned; the effect as it stands now, and whether the run is still the claim's.

        What is known is written down even by an attempt that lost its lease, unless somebody has
        settled the effect, or another attempt has come to its end.
        """
        with self.database.begin() as connection:
            _lock(connection, claim.run_id)
            here = started_by(claim, key)
            values = {"state": "done", "result": result, "done_at": database_now()}
            return self._end(connection, claim, key, here, values)

    def take_back(self, claim: Claim, key: str) -> None:
        """The call certainly did nothing."""
        with self.database.begin() as connection:
            _lock(connection, claim.run_id)
            here = started_by(claim, key)
            self._end(connection, claim, key, here, {"state": "not_done"})

    def _end(
        self,
        connection: Connection,
        claim: Claim,
        key: str,
        here: Sequence[ColumnElement[bool]],
        values: Mapping[str, Any],
    ) -> tuple[Effect, bool]:
        ended = connection.execute(update(effects).where(*here).values(values))
        found = one_effect(connection, key)
        if ended.rowcount:
            recount(connection, [claim.run_id])
        return found, _is_held(connection, claim)

    def recount(self, run_id: int) -> None:
        """Count what is open of a run: work that ended its transaction did not."""
        with self.database.begin() as connection:
            _lock(connection, run_id)
            recount(connection, [run_id])


class NotHeld(Exception):
    """The run is not the claim's any more; the transaction is undone."""


def start_effect(
    connection: Connection, claim: Claim, key: str, request_hash: str, *, repeatable: bool
) -> Effect | None:
    """See `EffectStore.start`; in the caller's transaction."""
    owner = _lock_repeated(connection, claim, key) if repeatable else None
    found = begin_effect(
        connection, claim, key, request_hash, repeatable=repeatable, repeated_of=owner
    )
    if found is not None:
        if not _is_held(connection, claim):
            raise NotHeld
        return found
    if owner is not None:
        # It was open before, and of that run.
        recount(connection, [owner])
    # Nobody takes the run until this is committed, and no other effect of it is counted.
    row = select(runs.c.id).where(held(claim)).with_for_update(key_share=True)
    if connection.execute(row).first() is None:
        raise NotHeld
    recount(connection, [claim.run_id])
    return None


def begin_effect(
    connection: Connection,
    claim: Claim,
    key: str,
    request_hash: str,
    *,
    repeatable: bool,
    repeated_of: int | None = None,
) -> Effect | None:
    """Take the key for a call that is about to be made; the effect instead if it must not be made.

    While another transaction is at the same key, it waits for that one's end. Of an effect that is
    open, to be repeated, the caller has locked the run that it is `repeated_of`.
    """
    row = {
        "key": key,
        "run_id": claim.run_id,
        "attempt": claim.attempt,
        "request_hash": request_hash,
        "state": "started",
        "repeatable": repeatable,
        "started_at": database_now(),
    }
    new = upsert(connection, effects).values(row).on_conflict_do_nothing()
    if connection.execute(new.returning(effects.c.key)).first() is not None:
        return None
    found = one_effect(connection, key, lock=True)
    open_ = found.state == "started" and found.repeatable and repeatable
    if found.request_hash != request_hash or not (open_ or found.state == "not_done"):
        return found
    # Another one may have taken it since its run was locked, or be under way: what that one's call
    # says must not be lost.
    if open_ and found.run_id != repeated_of:
        return found
    if open_ and found.run_id != claim.run_id and is_under_way(connection, found):
        return found
    taken = {**row, "result": None, "done_at": None, "settled_by": None}
    connection.execute(update(effects).where(effects.c.key == key).values(taken))
    return None


def _lock_repeated(connection: Connection, claim: Claim, key: str) -> int | None:
    """The run of an open effect that is to be repeated; it is locked, and so is the claim's.

    In the order of their ids and before the effect, as everywhere: nobody waits in a circle.
    """
    query = select(effects.c.run_id).where(effects.c.key == key, effects.c.state == "started")
    owner: int | None = connection.execute(query).scalar_one_or_none()
    if owner is None:
        return None
    both = select(runs.c.id).where(runs.c.id.in_({owner, claim.run_id})).order_by(runs.c.id)
    connection.execute(both.with_for_update(key_share=True))
    # What came of it may have been written down before that.
    return owner if connection.execute(query).scalar_one_or_none() == owner else None


def _is_held(connection: Connection, claim: Claim) -> bool:
    return connection.execute(select(runs.c.id).where(held(claim))).first() is not None


def _lock(connection: Connection, run_id: int) -> None:
    """Before the effect, as whoever settles it does: nobody waits in a circle."""
    row = select(runs.c.id).where(runs.c.id == run_id)
    connection.execute(row.with_for_update(key_share=True))


def started_by(claim: Claim, key: str) -> Sequence[ColumnElement[bool]]:
    """The effect as long as it is this attempt's, and not done."""
    return (
        effects.c.key == key,
        effects.c.run_id == claim.run_id,
        effects.c.attempt == claim.attempt,
        effects.c.state == "started",
    )
