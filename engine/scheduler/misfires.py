"""Misfires: what becomes of a firing that is seen late."""

from datetime import datetime, timedelta

from engine.schedules.schedule import Overlap, Schedule

# A firing seen later than this was missed: nobody was there when it was due.
ON_TIME = timedelta(seconds=60)

_NOBODY = "missed: no scheduler was running, and"


def overlap_of(schedule: Schedule, late: timedelta) -> Overlap:
    """What a firing does beside an unfinished one. Firings that are made up for wait for each
    other: if they were skipped, `missed: all` would run the oldest one only.
    """
    if late > ON_TIME and schedule.missed == "all" and schedule.overlap == "skip":
        return "queue"
    return schedule.overlap


def why_not(
    schedule: Schedule,
    scheduled_for: datetime,
    late: timedelta,
    latest: datetime,
    *,
    changed: bool,
) -> str | None:
    """Why a firing that was missed is not made up for; None if it is to run.

    `latest` is the newest firing that was not booked before. `changed`: the schedule has been given
    another trigger, maybe to prevent this very firing.
    """
    if late <= ON_TIME:
        return None
    if changed:
        return f"{_NOBODY} the schedule has been given another trigger since"
    if schedule.missed == "skip":
        return f"{_NOBODY} the schedule skips missed firings"
    if schedule.within is not None and late > schedule.within:
        return f"{_NOBODY} it is older than {schedule.within}"
    if schedule.missed == "latest" and scheduled_for < latest:
        return f"{_NOBODY} only the latest firing is made up for"
    return None
