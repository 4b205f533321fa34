"""Steps: what is next to be done about a schedule, by what was read of it and what is in force.

A schedule has versions, one after the other. A version is in force from when a scheduler first
books by it, until one first books by a version that was read later. So every instant belongs to
one version, whichever schedulers run: one that has read an older version books by the one in
force, which it finds in the ledger. Every firing of a version while it is in force is booked, once.

Not being in the file is a version as well: a schedule that was removed, or disabled, fires no more
for anybody, and nothing that it may still owe is booked. When it comes back it fires from then on.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from engine.schedules.schedule import Schedule
from engine.schedules.triggers import Trigger


@dataclass(frozen=True, kw_only=True)
class Book:
    """Book what has fired since the mark; `latest` is the newest of it.

    `changed`: the trigger is that of the version before, which is about to be replaced.
    """

    schedule: Schedule
    latest: datetime
    changed: bool = False


@dataclass(frozen=True, kw_only=True)
class PassOver:
    """Let what has fired go by, so that none of it is made up for once the schedule is enabled."""


@dataclass(frozen=True, kw_only=True)
class Adopt:
    """Put what was read in force; its firings count from `since`, or from the mark if later."""

    since: datetime


Step = Book | PassOver | Adopt


@dataclass(frozen=True, kw_only=True)
class Fired:
    """What has fired up to `now`. One trigger's newest firing is looked for once."""

    now: datetime
    _newest: dict[str, datetime] = field(default_factory=dict)

    def after(self, trigger: Trigger, since: datetime) -> Iterator[datetime]:
        """Its firings since then; a clock behind another scheduler's has nothing to add."""
        if since < self.now:
            yield from trigger.firings(since, self.now)

    def newest(self, trigger: Trigger, since: datetime) -> datetime | None:
        """The last of its firings since then."""
        found = self._newest.get(trigger.fingerprint)
        if found is None:
            last = deque(self.after(trigger, since), maxlen=1)
            if not last:
                return None
            found = self._newest[trigger.fingerprint] = last[0]
        return found if found > since else None


def step_in_force(schedule: Schedule, since: datetime, fired: Fired) -> Step | None:
    """What is next about the version that is in force; None if nothing has fired."""
    latest = fired.newest(schedule.trigger, since)
    if latest is None:
        return None
    return Book(schedule=schedule, latest=latest) if schedule.enabled else PassOver()


def step_to_replace(before: Schedule, read: Schedule, since: datetime, fired: Fired) -> Step:
    """What is next where a newer version was read than the one in force.

    A new trigger fires from now on; what the one before still owes is booked first. Where only
    something else has changed, that holds for all that is not booked yet.
    """
    if not (before.enabled and read.enabled):
        return Adopt(since=fired.now)
    if before.trigger.fingerprint == read.trigger.fingerprint:
        return Adopt(since=since)
    latest = fired.newest(before.trigger, since)
    if latest is None:
        return Adopt(since=fired.now)
    return Book(schedule=replace(read, trigger=before.trigger), latest=latest, changed=True)
