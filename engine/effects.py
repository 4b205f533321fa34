"""Effects: work in the ledger's own database that happens once, whatever happens to the attempt."""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event, select, update

from engine.errors import EngineError
from engine.store.database import Database
from engine.store.endings import held
from engine.store.instant import database_now
from engine.store.key import require_key
from engine.store.run import Claim
from engine.store.tables import effects, runs
from engine.store.upsert import upsert


class LeaseLost(EngineError):
    """The attempt is no longer the run's; another one may be under way, so this one must stop."""

    message = "attempt {attempt} of run {run_id} lost its lease; nothing was written"


class OtherRequest(EngineError):
    """A key that was used for one request is used for another one."""

    message = "the effect {key!r} was done for another request; use a key of its own"


class ResultNotJson(EngineError):
    """What an effect returned cannot be stored."""

    message = "the effect {key!r} returned {type}, which is not JSON: {error}"


class EndedTransaction(EngineError):
    """The work ended the transaction that holds it together with its key and its result."""

    message = (
        "the work of the effect {key!r} must not {what}; it is committed with its key and its "
        "result once it returns, or rolled back if it raises"
    )


class Effects:
    """Does each effect once: its key, its work and its result are one transaction."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def once(self, claim: Claim, key: str, request: Any, call: Callable[[Connection], Any]) -> Any:
        """Do `call(connection)` unless `key` is done; its result either way, as JSON has it.

        `request` is any JSON value that says what is asked for. Raises LeaseLost when the attempt
        is no longer the run's, OtherRequest when the key was used for another request. An error
        in `call` undoes all of it, the key included. While another attempt is at the same key, it
        waits for that one's end.
        """
        require_key(key)
        request_hash = _hash(request)
        with self.database.begin() as connection:
            require_held(connection, claim)
            row = {
                "key": key,
                "run_id": claim.run_id,
                "attempt": claim.attempt,
                "request_hash": request_hash,
                "done_at": database_now(),
            }
            # The key goes first, so that of two attempts one works and the other waits.
            new = upsert(connection, effects).values(row).on_conflict_do_nothing()
            if connection.execute(new.returning(effects.c.key)).first() is None:
                done = connection.execute(select(effects).where(effects.c.key == key)).one()
                if done.request_hash != request_hash:
                    raise OtherRequest(key=key)
                return done.result
            with _kept_open(self.database, connection, key):
                result = _as_json(key, call(connection))
            connection.execute(
                update(effects)
                .where(effects.c.key == key)
                .values(result=result, done_at=database_now())
            )
            # The work may have outlived the lease: then another attempt owns the run.
            require_held(connection, claim, until_committed=True)
        return result


def require_held(connection: Connection, claim: Claim, *, until_committed: bool = False) -> None:
    """Raise LeaseLost unless the claim's lease still runs, by the database's clock.

    `until_committed`: nor can the run be taken from now until the transaction ends, which must be
    at once, for the lease cannot be renewed meanwhile either.
    """
    query = select(runs.c.id).where(held(claim))
    if until_committed:
        query = query.with_for_update(read=True)
    if connection.execute(query).first() is None:
        raise LeaseLost(run_id=claim.run_id, attempt=claim.attempt)


@contextmanager
def _kept_open(database: Database, connection: Connection, key: str) -> Iterator[None]:
    """Refuse what would end the connection's transaction."""
    refused: list[EndedTransaction] = []

    def refuse(what: str) -> None:
        refused.append(EndedTransaction(key=key, what=what))
        raise refused[0]

    events = {
        "commit": lambda _: refuse("commit"),
        "rollback": lambda _: refuse("roll back, but for a savepoint of its own"),
    }
    for name, listener in events.items():
        event.listen(connection, name, listener)
    try:
        yield
    finally:
        for name, listener in events.items():
            event.remove(connection, name, listener)
        if refused:
            # SQLAlchemy takes the transaction for ended; closing its connection undoes it.
            connection.invalidate()
    if refused:
        raise refused[0]
    if not database.is_in_transaction(connection):
        raise EndedTransaction(key=key, what="end its transaction")


def _hash(request: Any) -> str:
    text = json.dumps(request, sort_keys=True, ensure_ascii=False, allow_nan=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _as_json(key: str, result: Any) -> Any:
    try:
        return json.loads(json.dumps(result, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ResultNotJson(key=key, type=type(result).__name__, error=error) from None
