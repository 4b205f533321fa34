"""The key of the audit: random, and kept in the ledger, sealed under the key of the installation.

So the installation's key may be changed without making the audit anew.
"""

import base64
import secrets

from sqlalchemy import Connection, insert, select

from engine.errors import Invalid
from engine.sealing import Keys, Sealer
from engine.store.user_tables import audit_entries, sealed_keys

NAME = "audit"
CONTEXT = "the key of the audit"


class AuditKeyLost(Invalid):
    """There are entries, and the key that they were made with is gone."""

    message = (
        "the audit has entries, and its key was removed from the table sealed_keys; nothing is "
        "done that could not be audited: bring that row back from a backup"
    )


def sealer(keys: Keys) -> Sealer:
    """What the key is sealed with."""
    return Sealer(keys, "keys")


def read_key(connection: Connection, keys: Keys) -> bytes | None:
    """The key; None before there are entries; raises AuditKeyLost, and what opening it raises."""
    query = select(sealed_keys.c.sealed).where(sealed_keys.c.name == NAME)
    sealed = connection.execute(query).scalar()
    if sealed is not None:
        return base64.b64decode(sealer(keys).open(sealed, CONTEXT))
    if connection.execute(select(audit_entries.c.id).limit(1)).scalar() is not None:
        raise AuditKeyLost
    return None


def made_key(connection: Connection, keys: Keys) -> bytes:
    """The key, made if need be; the transaction has the turn of the audit."""
    known = read_key(connection, keys)
    if known is not None:
        return known
    key = secrets.token_bytes(32)
    sealed = sealer(keys).seal(base64.b64encode(key).decode(), CONTEXT)
    connection.execute(insert(sealed_keys).values(name=NAME, sealed=sealed))
    return key
