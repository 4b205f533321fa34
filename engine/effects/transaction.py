"""The transaction that a job is given for its work: it may neither end it nor keep it for long."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, event

from engine.effects.faults import EndedTransaction, TookTooLong
from engine.effects.own_transaction import ending
from engine.store.database import Database

IsOpen = Callable[[Connection], bool]


@contextmanager
def kept_open(connection: Connection, key: str, is_open: IsOpen) -> Iterator[None]:
    """Refuse what would end the connection's transaction, and notice what did so past us."""
    refused: list[EndedTransaction] = []

    def refuse(what: str) -> None:
        refused.append(EndedTransaction(key=key, what=what))
        raise refused[0]

    def look(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if word := ending(statement):
            refuse(f"send {word} to its database")
        # Whatever undid it, a deadlock or an OR ROLLBACK: this would be committed without the key.
        if not is_open(connection):
            refuse("go on once its transaction has ended")

    events: dict[str, Callable[..., None]] = {
        "commit": lambda _: refuse("commit"),
        "rollback": lambda _: refuse("roll back, but for a savepoint of its own"),
        "before_cursor_execute": look,
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
    if not is_open(connection):
        raise EndedTransaction(key=key, what="end its transaction")


@contextmanager
def given(database: Database, connection: Connection, key: str) -> Iterator[None]:
    """Let a job work in a transaction of the ledger's, as long as one may last there.

    Raises TookTooLong when it took longer; its work is undone by then, and the lock let go of.
    """
    limit = database.longest_given
    if limit is None:
        with kept_open(connection, key, database.is_in_transaction):
            yield
        return
    watch = _Watch(database, connection, limit)
    watch.start()
    try:
        with kept_open(connection, key, database.is_in_transaction):
            yield
    except BaseException:
        # Whatever it makes of being cut off.
        if watch.stop():
            connection.invalidate()
            raise TookTooLong(key=key, seconds=limit.total_seconds()) from None
        raise
    if watch.stop():
        connection.invalidate()
        raise TookTooLong(key=key, seconds=limit.total_seconds())


class _Watch:
    """Cuts a transaction off once, in a thread of its own, unless it is stopped before."""

    def __init__(self, database: Database, connection: Connection, limit: timedelta) -> None:
        self._cut: Callable[[], None] = database.cutter(connection)
        self._timer = threading.Timer(limit.total_seconds(), self._ring)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._stopped = self._has_cut = False

    def start(self) -> None:
        self._timer.start()

    def stop(self) -> bool:
        """Whether it was too late."""
        with self._lock:
            self._stopped = True
        self._timer.cancel()
        return self._has_cut

    def _ring(self) -> None:
        with self._lock:
            if not self._stopped:
                self._has_cut = True
                with suppress(Exception):
                    self._cut()
