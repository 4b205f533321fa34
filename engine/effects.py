"""Effects: work in the ledger's own database that happens once, whatever happens to the attempt."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, insert, select

from engine.errors import EngineError
from engine.store.database import Database
from engine.store.instant import database_now
from engine.store.run import Claim
from engine.store.runs import held
from engine.store.tables import effects, runs


class LeaseLost(EngineError):
    """The attempt is no longer the run's; another one may be under way, so this one must stop."""

    message = "attempt {attempt} of run {run_id} lost its lease; nothing was written"


class OtherRequest(EngineError):
    """A key that was used for one request is used for another one."""

    message = "the effect {key!r} was done for another request; use a key of its own"


class ResultNotJson(EngineError):
    """What an effect returned cannot be stored."""

    message = "the effect {key!r} returned {type}, which is not JSON: {error}"


class Effects:
    """Does each effect once: its key, its work and its result are one transaction."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def once(self, claim: Claim, key: str, request: Any, call: Callable[[Connection], Any]) -> Any:
        """Do `call(connection)` unless `key` is done; its result either way, as JSON has it.

        `request` is any JSON value that says what is asked for. Raises LeaseLost when the attempt
        is no longer the run's, OtherRequest when the key was used for another request. An error
        in `call` undoes all of it, the key included.
        """
        request_hash = _hash(request)
        with self.database.begin() as connection:
            require_held(connection, claim)
            done = connection.execute(select(effects).where(effects.c.key == key)).first()
            if done is not None:
                if done.request_hash != request_hash:
                    raise OtherRequest(key=key)
                return done.result
            result = _as_json(key, call(connection))
            row = {
                "key": key,
                "run_id": claim.run_id,
                "attempt": claim.attempt,
                "request_hash": request_hash,
                "result": result,
                "done_at": database_now(),
            }
            connection.execute(insert(effects).values(row))
            # The work may have outlived the lease: then another attempt owns the run.
            require_held(connection, claim)
        return result


def require_held(connection: Connection, claim: Claim) -> None:
    """Raise LeaseLost unless the claim's lease still runs, by the database's clock."""
    if connection.execute(select(runs.c.id).where(held(claim))).first() is None:
        raise LeaseLost(run_id=claim.run_id, attempt=claim.attempt)


def _hash(request: Any) -> str:
    text = json.dumps(request, sort_keys=True, ensure_ascii=False, allow_nan=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _as_json(key: str, result: Any) -> Any:
    try:
        return json.loads(json.dumps(result, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ResultNotJson(key=key, type=type(result).__name__, error=error) from None
