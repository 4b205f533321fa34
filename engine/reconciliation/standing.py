"""Standing: what is already known about the break behind a difference."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from engine.store.breaks import Difference


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A break as it stands once this run is recorded."""

    identity: str
    status: str
    first_seen_at: datetime
    occurrences: int


StandingOf = Callable[[Difference], Standing | None]


def unknown(difference: Difference) -> Standing | None:
    """For a result that was not recorded: nothing is known."""
    return None
