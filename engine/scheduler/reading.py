"""Reading schedules.yaml, and when: of two versions of it, the one that was read later counts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from engine.clock import Clock
from engine.schedules.schedule import Schedule
from engine.store.database import Database
from engine.store.schedule_marks import last_read_at

Load = Callable[[], Mapping[str, Schedule]]


@dataclass(frozen=True)
class ReadingClock:
    """The ledger's clock as readings are dated by it: each is later than all before it.

    Or else, once that clock was set back, an edited file would not count until it has caught up.
    """

    database: Database
    clock: Clock

    def now(self) -> datetime:
        """The ledger's time, or the next instant after the last reading."""
        with self.database.read() as connection:
            last = last_read_at(connection)
        now = self.clock.now()
        return now if last is None else max(now, last + timedelta(microseconds=1))


def read_schedules(load: Load, file: Path, clock: Clock) -> tuple[Mapping[str, Schedule], datetime]:
    """What `load` makes of the file, and an instant of the ledger's clock at which it held that."""
    while True:
        content = _content(file)
        schedules = load()
        read_at = clock.now()
        # Whoever edits it between our reading and our looking at the clock would come before us.
        if _content(file) == content:
            return schedules, read_at


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError:
        # `load` says it better.
        return None
