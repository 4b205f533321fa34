"""Reading schedules.yaml, and when: of two versions of it, the one that was read later counts."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from engine.clock import Clock
from engine.schedules.schedule import Schedule

Load = Callable[[], Mapping[str, Schedule]]


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
