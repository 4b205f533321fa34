"""Effects: each is done once, by its key, in whatever place it is done."""

import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, TypeVar

from sqlalchemy import Connection, update

from engine.clock import elapsed
from engine.effects.elsewhere import OtherDatabases
from engine.effects.faults import (
    EffectUnconfirmed,
    EffectUnderWay,
    EffectUnknown,
    EndedTransaction,
    LeaseLost,
    NotDone,
    OtherRequest,
    UnclearCall,
)
from engine.effects.lease import require_held
from engine.effects.request import as_json, hash_of, takes_connection
from engine.effects.transaction import given
from engine.store.database import Database, LedgerUnreachable
from engine.store.effect import Effect, is_under_way
from engine.store.effects import EffectStore, NotHeld, begin_effect, started_by
from engine.store.instant import database_now
from engine.store.key import require_key
from engine.store.run import Claim
from engine.store.tables import effects

# Seconds for which what is known is tried to be written down while the ledger is away; about as
# long as the attempt may live without it.
_PATIENCE = 8.0
_PAUSE = 0.2

T = TypeVar("T")

_within: ContextVar[str | None] = ContextVar("effect", default=None)


class Effects:
    """Does each effect once; `databases` are the URLs of those that its work may be in, by name."""

    def __init__(self, database: Database, databases: Mapping[str, str] | None = None) -> None:
        self.database = database
        self._store = EffectStore(database)
        self._elsewhere = OtherDatabases(databases or {})

    def once(
        self,
        claim: Claim,
        key: str,
        request: Any,
        call: Callable[..., Any],
        *,
        repeatable: bool = False,
        database: str | None = None,
    ) -> Any:
        """What `call` returned, as JSON has it: called now, or whenever `key` was done.

        Secrets and personal data are *** in it from the first time on: it is kept.

        `request` is any JSON value that says what is asked for. `call(connection)` works in a
        transaction of the ledger's, or of the `database` that is named, which has the key as well:
        an error in it undoes all. `call()` does something elsewhere: that it was started is written
        down before, and its result after it. What it raises leaves open whether it happened, and
        then it is not called again before a person has said so; unless that is NotDone, or the call
        is declared `repeatable`, because whoever is called does the same key once.

        Raises LeaseLost when the attempt is no longer the run's, OtherRequest when the key was used
        for another request, EffectUnknown when it was started and nobody knows what came of it, and
        EffectUnconfirmed when one of two people said that it did not happen.
        While another attempt is at the same key in a database, it waits for that one's end.
        """
        require_key(key)
        if (around := _within.get()) is not None:
            raise UnclearCall(key=key, text=f"it is asked for within the effect {around!r}")
        in_database = takes_connection(key, call)
        if not in_database and database is not None:
            raise UnclearCall(key=key, text=f"work in the database {database!r} takes a connection")
        if in_database and repeatable:
            raise UnclearCall(key=key, text="only a call of something else can be repeatable")
        token = _within.set(key)
        try:
            if not in_database:
                return self._call(claim, key, hash_of(request), call, repeatable=repeatable)
            if database is None:
                return self._work(claim, key, hash_of(request), call)
            return self._elsewhere.once(database, self.database, claim, key, hash_of(request), call)
        finally:
            _within.reset(token)

    def close(self) -> None:
        """Let go of the connections to other databases."""
        self._elsewhere.close()

    def _work(
        self, claim: Claim, key: str, request_hash: str, call: Callable[[Connection], Any]
    ) -> Any:
        try:
            with self.database.begin() as connection:
                return self._work_in(connection, claim, key, request_hash, call)
        except LedgerUnreachable:
            raise
        except Exception:
            # If it was committed past us, so was the key, and nothing else has counted it.
            if (owner := self._store.open_of(key)) is not None:
                _patiently(lambda: self._store.recount(owner))
            raise

    def _work_in(
        self,
        connection: Connection,
        claim: Claim,
        key: str,
        request_hash: str,
        call: Callable[[Connection], Any],
    ) -> Any:
        require_held(connection, claim)
        # The key goes first, so that of two attempts one works and the other waits.
        found = begin_effect(connection, claim, key, request_hash, repeatable=False)
        if found is not None:
            return _result(connection, found, claim, request_hash)
        with given(self.database, connection, key):
            result = as_json(key, call(connection))
        done = {"state": "done", "result": result, "done_at": database_now()}
        ours = update(effects).where(*started_by(claim, key))
        if connection.execute(ours.values(done)).rowcount != 1:
            # Another transaction was begun in its place, which is not the one that has the key.
            raise EndedTransaction(key=key, what="end its transaction and begin another")
        # The work may have outlived the lease: then another attempt owns the run.
        require_held(connection, claim, until_committed=True)
        return result

    def _call(
        self,
        claim: Claim,
        key: str,
        request_hash: str,
        call: Callable[[], Any],
        *,
        repeatable: bool,
    ) -> Any:
        # What an earlier call did is as open as before, whatever the other end says to this one.
        was_open = repeatable and self._store.open_of(key) is not None
        try:
            found = self._store.start(claim, key, request_hash, repeatable=repeatable)
        except NotHeld:
            raise LeaseLost(run_id=claim.run_id, attempt=claim.attempt) from None
        if found is not None:
            if found.is_unknown:
                # Work that was committed past us may have left it, and then it is not counted yet.
                self._store.recount(found.run_id)
            with self.database.read() as connection:
                return _result(connection, found, claim, request_hash)
        try:
            returned = call()
        except NotDone:
            if not was_open:
                _patiently(lambda: self._store.take_back(claim, key))
            raise
        result = as_json(key, returned)
        effect, is_held = _patiently(lambda: self._store.finish(claim, key, result))
        if not is_held:
            raise LeaseLost(run_id=claim.run_id, attempt=claim.attempt)
        if effect.state != "done":
            # Somebody said otherwise meanwhile; what the call returned is not what stands.
            raise EffectUnknown(key=key, attempt=effect.attempt, run_id=effect.run_id)
        return effect.result


def _result(connection: Connection, found: Effect, claim: Claim, request_hash: str) -> Any:
    """What came of an effect that is not done again."""
    if found.request_hash != request_hash:
        raise OtherRequest(key=found.key)
    if found.state == "done":
        return found.result
    if found.state == "unconfirmed":
        by = found.settled_by
        raise EffectUnconfirmed(key=found.key, settled_by=by, run_id=found.run_id)
    facts = {"key": found.key, "attempt": found.attempt, "run_id": found.run_id}
    if found.run_id != claim.run_id and is_under_way(connection, found):
        raise EffectUnderWay(**facts)
    raise EffectUnknown(**facts)


def _patiently(act: Callable[[], T]) -> T:
    until = elapsed() + _PATIENCE
    while True:
        try:
            return act()
        except LedgerUnreachable:
            if elapsed() > until:
                raise
            time.sleep(_PAUSE)
