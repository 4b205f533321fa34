"""What every kind of trigger can do."""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Protocol


class Trigger(Protocol):
    """When something is due. Instants are aware UTC, in and out."""

    def firings(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Every instant later than `after` and not later than `until`, in order."""

    def next_after(self, instant: datetime) -> datetime:
        """The first instant later than `instant`."""

    @property
    def fingerprint(self) -> str:
        """Differs when the firings may differ, so that a changed trigger is noticed."""

    def to_json(self) -> dict[str, Any]:
        """JSON-ready data, its `kind` among it, for `from_json` of the same kind."""

    def __str__(self) -> str:
        """As the file says it: `0 2 * * *`, `every 6h`."""


def fingerprint_of(*parts: str) -> str:
    """A short stable hash of what decides the firings."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
