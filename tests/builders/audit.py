"""An audit of a test: acts noted in a ledger whose journal has keys, and somebody who tampers."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, text

from engine.sealing import Keys
from engine.store.act import Act, note
from engine.store.audit_chain import AuditEntry
from engine.store.database import Database
from engine.store.journal import Journal

KEYS = Keys.parse("a key of this test that is long enough")


def a_journal(database: Database, keys: Keys = KEYS) -> list[AuditEntry]:
    """Give the ledger a journal; what it publishes comes to be in the list."""
    published: list[AuditEntry] = []

    def publish(entries: Sequence[AuditEntry], key: bytes) -> None:
        published.extend(entries)

    database.journal = Journal(lambda: keys, publish, {"from": "host:/srv/engine"})
    return published


def acts(database: Database, *subjects: str) -> None:
    """One transaction for each."""
    for subject in subjects:
        with database.begin() as connection:
            note(connection, Act(actor="sara", act="pause", subject=subject, reason="a test"))


@contextmanager
def tampering(database: Database) -> Iterator[Connection]:
    """A transaction of somebody who may change tables, and has taken the triggers away."""
    with database.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("ALTER TABLE audit_entries DISABLE TRIGGER USER"))
            yield connection
            connection.execute(text("ALTER TABLE audit_entries ENABLE TRIGGER USER"))
            return
        found = text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers: Sequence[tuple[str, str]] = [
            (name, sql) for name, sql in connection.execute(found)
        ]
        for name, _ in triggers:
            connection.execute(text(f"DROP TRIGGER {name}"))
        yield connection
        for _, sql in triggers:
            connection.execute(text(sql))
