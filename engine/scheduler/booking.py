"""Booking: every firing between a schedule's mark and now becomes a row: a run, or why not."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import Connection

from engine.clock import Clock
from engine.dispatch import Dispatch
from engine.hiding import BookedParams, Hiding
from engine.job import Job
from engine.registry import find
from engine.scheduler.keeping import Keeping
from engine.scheduler.misfires import overlap_of, why_not
from engine.scheduler.steps import (
    Adopt,
    Book,
    Fired,
    PassOver,
    Step,
    step_in_force,
    step_to_replace,
)
from engine.schedules.schedule import Schedule
from engine.schedules.stored import UnreadableSchedule
from engine.signature import InvalidParams
from engine.store.run import Firing, NewRun, Run
from engine.store.schedule_marks import (
    ScheduleMark,
    all_marks,
    definition_of,
    forget_gone,
    let_go,
    mark_of,
    move_mark,
    put_first_marks,
    put_mark,
    read_again,
)

logger = logging.getLogger("engine.scheduler")

_BATCH = 500
# No scheduler is still running that read its file before so long.
_REMEMBERED = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class Booking:
    """Books firings. Several schedulers may book the same ones: each is one row.

    `clock` and `read_at`, when its schedules were read from their file, are the ledger's, so that
    a machine whose clock is wrong books nothing too early, and nothing twice.
    """

    dispatch: Dispatch
    jobs: Mapping[str, Job]
    hiding: Hiding
    clock: Clock
    read_at: datetime

    def with_work(self, schedules: Iterable[Schedule]) -> Sequence[Schedule]:
        """Those that `book` has something to do about; the others that are known are let go."""
        with self.dispatch.runs.database.read() as connection:
            marks = all_marks(connection)
        now = self.clock.now()
        known = {each.name: each for each in schedules}
        self._let_go([mark for name, mark in marks.items() if name not in known], now)
        return [
            each for name, each in known.items() if not self._is_done(each, marks.get(name), now)
        ]

    def begin(self, schedules: Iterable[Schedule]) -> None:
        """Put new schedules in force, and say of the others that were read as they were before.

        For all at once; `book` does the same for one, where it was not done.
        """
        with self.dispatch.runs.database.read() as connection:
            marks = all_marks(connection)
        now = self.clock.now()
        new: list[tuple[ScheduleMark, dict[str, Any]]] = []
        same: list[ScheduleMark] = []
        for each in schedules:
            read, mark = self._mark(each, now), marks.get(each.name)
            if mark is None:
                new.append((read, self._keeping.to_json(each)))
            elif mark.version == read.version:
                same.append(mark)
        with self.dispatch.runs.database.begin() as connection:
            put_first_marks(connection, new)
            read_again(connection, same, self.read_at)

    def book(self, schedule: Schedule) -> int:
        """Book every firing up to now; how many rows were written.

        Nothing is written when there is none. A version of the schedule that was not read before
        is put in force; if one was read later than this one, that is booked by.
        """
        fired = Fired(now=self.clock.now())
        written = 0
        while True:
            mark, step = self._look(schedule, fired)
            if step is None:
                return written
            runs = self._take(step, schedule, mark, fired)
            written += len(runs)
            self.dispatch.ring_booked(runs)

    def _let_go(self, others: Iterable[ScheduleMark], now: datetime) -> None:
        """Not being in the file is a version too: what is not there any more fires no more."""
        older = [each for each in others if each.read_at is None or each.read_at < self.read_at]
        if older:
            with self.dispatch.runs.database.begin() as connection:
                let_go(connection, [each.schedule for each in older], self.read_at)
                forget_gone(connection, now - _REMEMBERED)
        for each in older:
            if not each.is_gone:
                logger.warning(
                    "a schedule is not in the file any more, and fires no more",
                    extra={"schedule": each.schedule},
                )

    def _look(self, read: Schedule, fired: Fired) -> tuple[ScheduleMark | None, Step | None]:
        """The schedule's mark, and what is next."""
        with self.dispatch.runs.database.read() as connection:
            mark = mark_of(connection, read.name)
            if mark is None:
                # A new schedule fires from now on, never for the past.
                return mark, Adopt(since=fired.now)
            if mark.version == self._keeping.version_of(read):
                return mark, step_in_force(read, mark.booked_until, fired)
            definition = definition_of(connection, read.name)
        if mark.read_at is not None and mark.read_at >= self.read_at:
            if mark.is_gone:
                return mark, None
            in_force = self._keeping.from_json(read.name, definition or {})
            return mark, step_in_force(in_force, mark.booked_until, fired)
        if mark.is_gone:
            return mark, Adopt(since=fired.now)
        try:
            before = self._keeping.from_json(read.name, definition or {})
        except UnreadableSchedule:
            same = mark.fingerprint == read.trigger.fingerprint
            return mark, Adopt(since=mark.booked_until if same else fired.now)
        return mark, step_to_replace(before, read, mark.booked_until, fired)

    def _take(
        self, step: Step, read: Schedule, seen: ScheduleMark | None, fired: Fired
    ) -> Sequence[Run]:
        """Take the step, in one transaction; the runs that were written.

        Nothing happens if another version was put in force since the mark was seen.
        """
        with self.dispatch.runs.database.begin() as connection:
            mark = mark_of(connection, read.name, to_book=True)
            if mark is None or seen is None:
                if mark is seen:
                    self._adopt(connection, read, fired.now)
                return []
            if not mark.is_of(seen):
                return []
            match step:
                case Adopt():
                    self._adopt(connection, read, step.since)
                case PassOver():
                    move_mark(connection, read.name, fired.now)
                case Book():
                    return self._book_batch(connection, step, mark, fired)
        return []

    def _adopt(self, connection: Connection, read: Schedule, since: datetime) -> None:
        if put_mark(connection, self._mark(read, since), self._keeping.to_json(read)):
            logger.info("a schedule is in force as it was read", extra={"schedule": read.name})

    def _mark(self, read: Schedule, since: datetime) -> ScheduleMark:
        return ScheduleMark(
            schedule=read.name,
            fingerprint=read.trigger.fingerprint,
            booked_until=since,
            version=self._keeping.version_of(read),
            read_at=self.read_at,
        )

    def _book_batch(
        self, connection: Connection, step: Book, mark: ScheduleMark, fired: Fired
    ) -> Sequence[Run]:
        """Book up to a batch of firings, and move the mark on with them."""
        written: list[Run] = []
        until = fired.now
        # Two schedules that book the same unique keys must not wait for each other in a circle.
        most = _BATCH if find(self.jobs, step.schedule.job).unique_by is None else 1
        firings = fired.after(step.schedule.trigger, mark.booked_until)
        for seen, scheduled_for in enumerate(firings, start=1):
            new = self._new_run(step, scheduled_for, fired.now)
            run, is_new = self.dispatch.runs.book_within(connection, new)
            if is_new:
                written.append(run)
            if seen == most:
                until = scheduled_for
                break
        move_mark(connection, mark.schedule, until)
        return written

    def _new_run(self, step: Book, scheduled_for: datetime, now: datetime) -> NewRun:
        schedule = step.schedule
        job = find(self.jobs, schedule.job)
        period = schedule.period_for(scheduled_for)
        late = now - scheduled_for
        skipped = why_not(schedule, scheduled_for, late, step.latest, changed=step.changed)
        given = schedule.params_for(scheduled_for)
        try:
            given = job.validate(given)
        except InvalidParams as error:
            # The file was checked, so only a job changed underneath can come here.
            skipped = f"params: {error}"
        params = (
            _skipped(self.hiding.masked(job, given)) if skipped else self.hiding.booked(job, given)
        )
        return NewRun(
            job=job.name,
            queue=schedule.queue,
            params=params.shown,
            to_seal=params.to_seal,
            attempts=job.attempts,
            retry_for=job.retry.retry_until,
            due_at=scheduled_for,
            actor="schedule",
            firing=Firing(
                schedule=schedule.name,
                scheduled_for=scheduled_for,
                overlap=overlap_of(schedule, late),
            ),
            period=(period.start, period.end) if period else None,
            priority=schedule.priority if schedule.priority is not None else job.priority,
            unique_key=params.unique_key,
            limit_key=params.limit_key,
            skipped=skipped,
        )

    def _is_done(self, schedule: Schedule, mark: ScheduleMark | None, now: datetime) -> bool:
        """Whether it is in force as it was read, and nothing has fired since its mark."""
        if mark is None or mark.version != self._keeping.version_of(schedule):
            return False
        return mark.booked_until >= now or schedule.trigger.next_after(mark.booked_until) > now

    @cached_property
    def _keeping(self) -> Keeping:
        return Keeping(jobs=self.jobs, hiding=self.hiding)


def _skipped(shown: Mapping[str, Any]) -> BookedParams:
    """What is booked of a firing that is skipped: nothing of it is needed any more."""
    return BookedParams(shown=shown, to_seal=None, unique_key=None, limit_key=None)
