"""Work in other databases: key, work and result are one transaction of the database they are in."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    CHAR,
    BigInteger,
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    Table,
    Text,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.schema import CreateTable

from engine.clock import SystemClock, rfc3339
from engine.documents.closest import suggestion
from engine.effects.engines import is_forbidden, is_in_transaction, make_engine
from engine.effects.faults import EndedTransaction, NoResult, OtherRequest
from engine.effects.lease import require_held
from engine.effects.request import as_json, hash_of
from engine.effects.transaction import kept_open
from engine.errors import Invalid
from engine.store.database import Database
from engine.store.run import Claim

engine_effects = Table(
    "engine_effects",
    MetaData(),
    # A key may have any letters, and a database any collation: the hash decides.
    Column("key_hash", CHAR(64), primary_key=True),
    Column("effect", Text, nullable=False),
    Column("request_hash", CHAR(64), nullable=False),
    Column("run_id", BigInteger, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("result", Text),  # JSON; there is none only where work ended its own transaction
    Column("done_at", Text, nullable=False),
    mysql_engine="InnoDB",
)


class UnknownDatabase(Invalid):
    """A job names a database that no setting has."""

    message = "no database is named {name!r}; {suggestion}; set ENGINE_DATABASES__{example}"


class NoTable(Invalid):
    """The database has no table for keys, and we may not make one."""

    message = (
        "the database {name!r} has no table engine_effects, and making it failed: {error}; have "
        "somebody who may do so make it: {ddl}{grant}"
    )


class NotWritable(Invalid):
    """The database has the table for keys, and we may not write to it."""

    message = (
        "the table engine_effects of the database {name!r} cannot be written: {error}; have "
        "somebody who may do so change that{grant}"
    )


class _NotTaken(Exception):
    """The key could not be written down, or read; maybe there is no table."""

    def __init__(self, cause: DBAPIError) -> None:
        super().__init__()
        self.cause = cause


class OtherDatabases:
    """The databases, but for the ledger, that jobs work in; opened when they are first asked for.

    That work is done once holds without the lease, by the key alone: the lease is looked at right
    before the commit, and may be lost between the two.
    """

    def __init__(self, urls: Mapping[str, str]) -> None:
        self._urls = urls
        self._engines: dict[str, Engine] = {}
        self._lock = threading.Lock()

    def once(
        self,
        name: str,
        ledger: Database,
        claim: Claim,
        key: str,
        request_hash: str,
        call: Callable[[Connection], Any],
    ) -> Any:
        """See `Effects.once`; raises UnknownDatabase, NoTable and NotWritable."""
        engine = self._engine(name)
        with ledger.read() as connection:
            require_held(connection, claim)
        try:
            return _do(engine, ledger, claim, key, request_hash, call)
        except _NotTaken:
            # It may be there since: another process was faster.
            if not _has_table(engine):
                _make_table(name, engine)
        try:
            return _do(engine, ledger, claim, key, request_hash, call)
        except _NotTaken as error:
            if not is_forbidden(error.cause):
                raise error.cause from None
            raise NotWritable(
                name=name, error=_cause(error.cause), grant=_grant(engine)
            ) from error.cause

    def close(self) -> None:
        """Let go of the connections."""
        for engine in self._engines.values():
            engine.dispose()

    def _engine(self, name: str) -> Engine:
        url = self._urls.get(name.lower())
        if url is None:
            raise UnknownDatabase(
                name=name, suggestion=suggestion(name, self._urls), example=name.upper()
            )
        with self._lock:
            if url not in self._engines:
                self._engines[url] = make_engine(url)
            return self._engines[url]


def _do(
    engine: Engine,
    ledger: Database,
    claim: Claim,
    key: str,
    request_hash: str,
    call: Callable[[Connection], Any],
) -> Any:
    key_hash = hash_of(key)
    row = {
        "key_hash": key_hash,
        "effect": key,
        "request_hash": request_hash,
        "run_id": claim.run_id,
        "attempt": claim.attempt,
        "done_at": rfc3339(SystemClock().now()),
    }
    with engine.begin() as connection:
        if not _is_new(connection, row):
            return _done(connection, key, key_hash, request_hash)
        with kept_open(connection, key, is_in_transaction):
            result = as_json(key, call(connection))
        ours = (
            engine_effects.c.key_hash == key_hash,
            engine_effects.c.run_id == claim.run_id,
            engine_effects.c.attempt == claim.attempt,
            engine_effects.c.result.is_(None),
        )
        text = json.dumps(result)
        with _about_keys():
            done = connection.execute(update(engine_effects).where(*ours).values(result=text))
        if done.rowcount != 1:
            # A deadlock undid it, say, and the work went on in another one, without the key.
            raise EndedTransaction(key=key, what="end its transaction and begin another")
        with ledger.read() as leases:
            require_held(leases, claim)
    return result


def _is_new(connection: Connection, row: Mapping[str, Any]) -> bool:
    """Take the key; False if it is taken. Waits for another transaction that has just taken it."""
    try:
        with _about_keys(), connection.begin_nested():
            connection.execute(insert(engine_effects).values(row))
    except IntegrityError:
        return False
    return True


def _done(connection: Connection, key: str, key_hash: str, request_hash: str) -> Any:
    here = engine_effects.c.key_hash == key_hash
    with _about_keys():
        found = connection.execute(select(engine_effects).where(here)).one()
    if found.request_hash.strip() != request_hash:
        raise OtherRequest(key=key)
    if found.result is None:
        raise NoResult(key=key, run_id=found.run_id, hash=key_hash)
    return json.loads(found.result)


@contextmanager
def _about_keys() -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise
    except DBAPIError as error:
        raise _NotTaken(error) from error


def _has_table(engine: Engine) -> bool:
    with engine.connect() as connection:
        return inspect(connection).has_table(engine_effects.name)


def _make_table(name: str, engine: Engine) -> None:
    try:
        with engine.begin() as connection:
            engine_effects.create(connection, checkfirst=True)
    except SQLAlchemyError as error:
        # Another process may have been faster.
        if _has_table(engine):
            return
        ddl = " ".join(str(CreateTable(engine_effects).compile(engine)).split())
        raise NoTable(name=name, error=_cause(error), ddl=ddl, grant=_grant(engine)) from error


def _cause(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", error)).partition("\n")[0]


def _grant(engine: Engine) -> str:
    """What gives the role of the URL all that keys take; there are no roles in a file."""
    if engine.url.username is None:
        return ""
    role = engine.dialect.identifier_preparer.quote(engine.url.username)
    return f"; GRANT SELECT, INSERT, UPDATE ON engine_effects TO {role}"
