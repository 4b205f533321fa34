"""An attempt, as far as it matters to whoever makes files on its behalf."""

from datetime import datetime
from typing import Protocol

from engine.store.run import Claim


class Attempt(Protocol):
    """The attempt on whose behalf it happens."""

    @property
    def reference(self) -> str:
        """The run's name."""

    @property
    def claim(self) -> Claim:
        """Proof that the run is this attempt's."""

    @property
    def period(self) -> tuple[datetime, datetime] | None:
        """What the run reports on."""

    def progress(self, done: int, total: int | None = None, note: str | None = None) -> None:
        """How far it is."""
