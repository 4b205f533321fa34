"""Booking: every firing between a schedule's mark and now becomes a row: a run, or why not."""

import logging
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.clock import Clock
from engine.dispatch import Dispatch
from engine.job import InvalidParams, Job
from engine.registry import find
from engine.schedules.schedule import Overlap, Schedule
from engine.store.run import Firing, NewRun, Run
from engine.store.schedule_marks import booked_until, mark

logger = logging.getLogger("engine.scheduler")

# A firing seen later than this was missed: nobody was there when it was due.
_ON_TIME = timedelta(seconds=60)
_BATCH = 500


@dataclass(frozen=True, kw_only=True)
class Booking:
    """Books firings. Several schedulers may book the same ones: each is one row."""

    dispatch: Dispatch
    jobs: Mapping[str, Job]
    clock: Clock

    def book(self, schedule: Schedule) -> int:
        """Book every firing up to now; how many rows were written.

        Nothing is written when there is none; the mark moves on with the firings.
        """
        now = self.clock.now()
        since = self._booked_until(schedule)
        latest = None if since is None else self._latest(schedule, since, now)
        if since is not None and latest is None:
            return 0
        written = 0
        while True:
            runs, done = self._book_batch(schedule, now, latest)
            written += len(runs)
            self.dispatch.ring_booked(runs)
            if done:
                return written

    def pass_over(self, schedule: Schedule) -> None:
        """Let a disabled schedule's firings go by, so that none is made up for once it is on."""
        now = self.clock.now()
        since = self._booked_until(schedule)
        if since is None or self._latest(schedule, since, now) is None:
            return
        with self.dispatch.runs.database.begin() as connection:
            mark(connection, schedule.name, schedule.trigger.fingerprint, now)

    def _booked_until(self, schedule: Schedule) -> datetime | None:
        with self.dispatch.runs.database.read() as connection:
            return booked_until(connection, schedule.name, schedule.trigger.fingerprint)

    def _latest(self, schedule: Schedule, since: datetime, now: datetime) -> datetime | None:
        """The newest firing not booked yet; under `latest` it alone makes up for missed ones."""
        newest = deque(self._pending(schedule, since, now), maxlen=1)
        return newest[0] if newest else None

    def _book_batch(
        self, schedule: Schedule, now: datetime, latest: datetime | None
    ) -> tuple[list[Run], bool]:
        """Book up to a batch of firings in one transaction; True beside them when none is left."""
        fingerprint = schedule.trigger.fingerprint
        written: list[Run] = []
        with self.dispatch.runs.database.begin() as connection:
            since = booked_until(connection, schedule.name, fingerprint, to_book=True)
            if since is None:
                # A new or changed trigger fires from now on, never for the past.
                mark(connection, schedule.name, fingerprint, now)
                return [], True
            for seen, scheduled_for in enumerate(self._pending(schedule, since, now), start=1):
                new = self._new_run(schedule, scheduled_for, now, latest)
                run, is_new = self.dispatch.runs.book_within(connection, new)
                if is_new:
                    written.append(run)
                if seen == _BATCH:
                    mark(connection, schedule.name, fingerprint, scheduled_for)
                    return written, False
            if since < now:
                mark(connection, schedule.name, fingerprint, now)
        return written, True

    def _pending(self, schedule: Schedule, since: datetime, now: datetime) -> Iterator[datetime]:
        # A clock that is behind another scheduler's has nothing to add.
        if since < now:
            yield from schedule.trigger.firings(since, now)

    def _new_run(
        self, schedule: Schedule, scheduled_for: datetime, now: datetime, latest: datetime | None
    ) -> NewRun:
        job = find(self.jobs, schedule.job)
        period = schedule.period_for(scheduled_for)
        skipped = _why_not(schedule, scheduled_for, now, latest)
        params = schedule.params_for(scheduled_for)
        try:
            params = job.validate(params)
        except InvalidParams as error:
            # The file was checked, so only a job changed underneath can come here.
            skipped = f"params: {error}"
        return NewRun(
            job=job.name,
            queue=schedule.queue,
            params=params,
            attempts=job.retry.attempts,
            due_at=scheduled_for,
            actor="schedule",
            firing=Firing(
                schedule=schedule.name,
                scheduled_for=scheduled_for,
                overlap=_overlap(schedule, scheduled_for, now),
            ),
            period=(period.start, period.end) if period else None,
            skipped=skipped,
        )


def _overlap(schedule: Schedule, scheduled_for: datetime, now: datetime) -> Overlap:
    """What a firing does beside an unfinished one. Firings that are made up for wait for each
    other: if they were skipped, `missed: all` would run the oldest one only.
    """
    late = now - scheduled_for > _ON_TIME
    if late and schedule.missed == "all" and schedule.overlap == "skip":
        return "queue"
    return schedule.overlap


def _why_not(
    schedule: Schedule, scheduled_for: datetime, now: datetime, latest: datetime | None
) -> str | None:
    """Why a firing that was missed is not made up for; None if it is to run."""
    late = now - scheduled_for
    if late <= _ON_TIME:
        return None
    if schedule.missed == "skip":
        return "missed: no scheduler was running, and the schedule skips missed firings"
    if schedule.within is not None and late > schedule.within:
        return f"missed: no scheduler was running, and it is older than {schedule.within}"
    if schedule.missed == "latest" and latest is not None and scheduled_for < latest:
        return "missed: no scheduler was running, and only the latest firing is made up for"
    return None
