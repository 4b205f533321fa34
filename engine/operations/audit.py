"""The audit as other programs read it."""

from typing import Any

from engine.operations.instants import rfc3339
from engine.store.audit_chain import AuditEntry


def entry_json(entry: AuditEntry) -> dict[str, Any]:
    """An entry, with what it is chained by."""
    return {**vars(entry), "at": rfc3339(entry.at), "facts": dict(entry.facts)}
