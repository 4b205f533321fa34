"""The journal: writes what was noted in a transaction into the audit, as its last statements."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select

from engine.redaction.hiding import hidden, hidden_data
from engine.sealing import Keys
from engine.store.act import Act
from engine.store.audit_chain import AuditEntry, key_id_of
from engine.store.audit_key import made_key
from engine.store.instant import database_now
from engine.store.json_text import json_text
from engine.store.turns import take_turn
from engine.store.user_tables import audit_entries
from engine.store.words import plain

Publish = Callable[[Sequence[AuditEntry], bytes], None]


class Journal:
    """Keeps the audit of one ledger.

    `keys` are asked for when there is something to write; `publish` is told of entries, and of the
    key that they were made with, once they are committed; `origin` are facts about this process
    that each of its entries has.
    """

    def __init__(
        self, keys: Callable[[], Keys], publish: Publish, origin: Mapping[str, Any] | None = None
    ) -> None:
        self._keys = keys
        self._publish = publish
        self.origin = dict(origin or {})
        self._key = b""

    def prepare(self, *, by: str) -> None:
        """Have the keys before anything is done, and say by what the actor is known.

        Raises MissingKey and InvalidKey.
        """
        self._keys()
        self.origin["by"] = by

    def write(self, connection: Connection, acts: Sequence[Act]) -> Sequence[AuditEntry]:
        """Chain the acts to the audit, in the order in which they were done."""
        take_turn(connection, "audit", "")
        self._key = key = made_key(connection, self._keys())
        newest = select(audit_entries.c.id, audit_entries.c.mac)
        found = connection.execute(newest.order_by(audit_entries.c.id.desc()).limit(1)).first()
        number, before = (found.id, found.mac) if found else (0, "")
        entries = []
        for number_, act in enumerate(acts, number + 1):
            entry = self._entry(connection, number_, act, key, before)
            before = entry.mac
            entries.append(entry)
        connection.execute(insert(audit_entries), [vars(entry) for entry in entries])
        return entries

    def publish(self, entries: Sequence[AuditEntry]) -> None:
        """Tell of entries that are committed now."""
        self._publish(entries, self._key)

    def _entry(
        self, connection: Connection, number: int, act: Act, key: bytes, before: str
    ) -> AuditEntry:
        # Whatever is stored otherwise than it was given would not fit its MAC when it is read.
        facts = hidden_data({**act.facts, **self.origin})
        said = {
            "id": number,
            "at": connection.execute(select(database_now())).scalar_one(),
            "actor": plain(act.actor),
            "act": act.act,
            "subject": act.subject and plain(hidden(act.subject)),
            "count": act.count,
            "reason": act.reason and plain(hidden(act.reason)),
            "facts": json.loads(json_text(_plain_data(facts))),
            "key_id": key_id_of(key),
        }
        unsigned = AuditEntry(**said, mac="")
        return AuditEntry(**said, mac=unsigned.mac_after(before, key))


def _plain_data(value: Any) -> Any:
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, Mapping):
        return {plain(str(name)): _plain_data(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain_data(each) for each in value]
    return value
