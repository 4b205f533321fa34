"""The chain of the audit: each entry's MAC is of all that it says and of the MAC before it.

Without the key nobody makes an entry that fits, changes one, or takes one out of the middle.
Whoever has the key can make the whole chain anew, and anybody can cut off its end: for that, heads
of the chain are written outside the ledger.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """One act of an operator, as it is kept."""

    id: int
    at: datetime
    actor: str
    act: str
    subject: str | None
    count: int
    reason: str | None
    facts: Mapping[str, Any]
    key_id: str
    mac: str

    def mac_after(self, before: str, key: bytes) -> str:
        """What its MAC must be behind an entry with the MAC `before`; "" for the first one."""
        said = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "mac"}
        said["at"] = self.at.astimezone(UTC).isoformat(timespec="microseconds")
        text = json.dumps([before, said], sort_keys=True, separators=(",", ":"))
        return mac(key, text)


def mac(key: bytes, text: str) -> str:
    """Proof that whoever wrote this text had the key."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def key_id_of(key: bytes) -> str:
    """The name of a key; nothing of the key can be told from it."""
    return mac(key, "name of this key")[:8]
