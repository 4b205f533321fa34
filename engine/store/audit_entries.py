"""The entries of the audit, as they are read; nothing here writes or removes one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.sql.elements import ColumnElement

from engine.sealing import Keys
from engine.store.audit_chain import AuditEntry
from engine.store.audit_key import read_key
from engine.store.database import Database
from engine.store.user_tables import audit_entries

_AT_ONCE = 1_000


@dataclass(frozen=True, kw_only=True)
class Acts:
    """Which entries are meant: those of which all is true that is given; `until` is excluded."""

    actor: str | None = None
    act: str | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """As SQL."""
        table = audit_entries.c
        equal = {table.actor: self.actor, table.act: self.act, table.subject: self.subject}
        where = [column == value for column, value in equal.items() if value is not None]
        if self.since is not None:
            where.append(table.at >= self.since)
        if self.until is not None:
            where.append(table.at < self.until)
        return where


class AuditStore:
    """The audit of one ledger."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def newest(self, which: Acts, *, limit: int) -> Sequence[AuditEntry]:
        """The newest entries first."""
        query = select(audit_entries).where(*which.conditions())
        with self.database.read() as connection:
            rows = connection.execute(query.order_by(audit_entries.c.id.desc()).limit(limit))
            return [_as_entry(row) for row in rows.mappings()]

    def count(self, which: Acts) -> int:
        """How many there are."""
        query = select(func.count()).select_from(audit_entries).where(*which.conditions())
        with self.database.read() as connection:
            return connection.execute(query).scalar_one()

    def in_order(self) -> Iterator[AuditEntry]:
        """Every entry, the oldest first, all as they are at one moment."""
        query = select(audit_entries).order_by(audit_entries.c.id)
        with self.database.read() as connection:
            rows = connection.execution_options(yield_per=_AT_ONCE).execute(query)
            yield from map(_as_entry, rows.mappings())

    def key(self, keys: Keys) -> bytes | None:
        """What the entries are made with; None if there are none yet; raises AuditKeyLost."""
        with self.database.read() as connection:
            return read_key(connection, keys)


def _as_entry(row: Mapping[Any, Any]) -> AuditEntry:
    return AuditEntry(**row)
