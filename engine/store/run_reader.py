"""Runs as they are read: by name, newest first, due, lost; their attempts; their counts."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, exists, func, literal_column, or_, select
from sqlalchemy.sql import FromClause
from sqlalchemy.sql.elements import ColumnElement

from engine.errors import UnknownId
from engine.states import UNFINISHED_RUNS, RunState
from engine.store.database import Database
from engine.store.instant import database_now
from engine.store.paused_queues import is_paused
from engine.store.row_id import require_id
from engine.store.run import Attempt, Run, RunError
from engine.store.tables import attempts, paused_queues, runs
from engine.store.words import Words

# Digits; a longer number does not fit into a database's integer.
_LONGEST_ID = 18

CLAIMABLE = frozenset({RunState.QUEUED, RunState.RETRYING})


class RunReader:
    """Reads the runs of one ledger."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def get(self, run_id: int) -> Run:
        """The run with this id; raises UnknownId."""
        require_id("run", run_id)
        return self._one(select(runs).where(runs.c.id == run_id), run_id)

    def find(self, name: str) -> Run:
        """The run with this id or reference, as people type it; raises UnknownId."""
        text = name.strip().upper()
        here = runs.c.reference == text
        if text.isdecimal() and len(text) <= _LONGEST_ID:
            here = runs.c.id == int(text)
        return self._one(select(runs).where(here), name)

    def newest(
        self,
        *,
        job: str | None = None,
        states: Collection[RunState] = (),
        schedule: str | None = None,
        queue: str | None = None,
        since: datetime | None = None,
        limit: int = 50,
    ) -> Sequence[Run]:
        """The newest runs first."""
        query = select(runs).order_by(runs.c.id.desc()).limit(limit)
        wanted = {runs.c.job: job, runs.c.schedule: schedule, runs.c.queue: queue}
        for column, value in wanted.items():
            if value is not None:
                query = query.where(column == value)
        if states:
            query = query.where(runs.c.state.in_(states))
        if since is not None:
            query = query.where(runs.c.created_at >= since)
        return self._many(query)

    def states(self, references: Collection[str]) -> Mapping[str, RunState]:
        """The states of the runs with these references, by reference."""
        query = select(runs.c.reference, runs.c.state).where(runs.c.reference.in_(references))
        with self.database.read() as connection:
            return {row.reference: RunState(row.state) for row in connection.execute(query)}

    def attempts_of(self, run_id: int) -> Sequence[Attempt]:
        """A run's attempts, the first one first."""
        query = select(attempts).where(attempts.c.run_id == run_id).order_by(attempts.c.number)
        with self.database.read() as connection:
            return [Attempt(**row) for row in connection.execute(query).mappings()]

    def counts(self) -> Mapping[str, Mapping[RunState, int]]:
        """How many runs each queue has in each state that is not over, failed ones included."""
        shown = [*UNFINISHED_RUNS, RunState.FAILED]
        query = (
            select(runs.c.queue, runs.c.state, func.count())
            .where(runs.c.state.in_(shown))
            .group_by(runs.c.queue, runs.c.state)
        )
        found: dict[str, dict[RunState, int]] = {}
        with self.database.read() as connection:
            for queue, state, count in connection.execute(query):
                found.setdefault(queue, {})[RunState(state)] = count
        return found

    def lost(self) -> Sequence[Run]:
        """Running runs whose lease ran out: their workers are dead or cut off."""
        where = and_(
            runs.c.state == RunState.RUNNING, runs.c.lease_until < database_now(steady=True)
        )
        return self._many(select(runs).where(where).order_by(runs.c.id))

    def leased_beyond(self, longest: timedelta) -> Sequence[Run]:
        """Running runs whose lease lasts longer than any: the ledger's clock was set back since."""
        until = database_now(longest, steady=True)
        where = and_(runs.c.state == RunState.RUNNING, runs.c.lease_until > until)
        return self._many(select(runs).where(where).order_by(runs.c.id))

    def overdue(self) -> Sequence[Run]:
        """Claimable runs for which it is too late: no attempt may start any more."""
        where = and_(runs.c.state.in_(CLAIMABLE), runs.c.retry_until < database_now(steady=True))
        return self._many(select(runs).where(where).order_by(runs.c.id))

    def has_ready(self, queues: Collection[str]) -> bool:
        """Whether a run could be claimed now from one of these queues.

        Not one in a paused queue, nor one that waits for an earlier run of its schedule.
        """
        paused = select(paused_queues.c.queue)
        ready = (
            select(runs.c.id)
            .where(
                is_ready(runs),
                runs.c.queue.in_(queues),
                runs.c.queue.not_in(paused),
                ~has_one_before_it(runs),
            )
            .limit(1)
        )
        with self.database.read() as connection:
            return connection.execute(ready).first() is not None

    def due(self, *, silent_for: timedelta, limit: int = 1000) -> Sequence[Run]:
        """Claimable runs whose time has come and that nobody rang for in the last while.

        Without those that a limit holds back.
        """
        silent = or_(
            runs.c.rung_at.is_(None),
            runs.c.rung_at < database_now(-silent_for, steady=True),
            # The ledger's clock was set back since.
            runs.c.rung_at > database_now(steady=True),
        )
        # Who was silent longest comes first, so that nobody is left out for ever.
        longest = (runs.c.rung_at.asc().nulls_first(), runs.c.ready_at, runs.c.id)
        where = and_(is_ready(runs), ~is_paused(runs.c.queue), silent)
        return self._many(select(runs).where(where).order_by(*longest).limit(limit))

    def next_in_line(self, schedule: str) -> Run | None:
        """The oldest due run that waits for its schedule's running one to end."""
        where = and_(
            runs.c.schedule == schedule,  # an index has it
            runs.c.exclusive == schedule,
            is_ready(runs),
        )
        first = self._many(select(runs).where(where).order_by(runs.c.ready_at, runs.c.id).limit(1))
        return first[0] if first else None

    def _many(self, query: Select[Any]) -> list[Run]:
        with self.database.read() as connection:
            return [as_run(row) for row in connection.execute(query).mappings()]

    def _one(self, query: Select[Any], name: object) -> Run:
        found = self._many(query)
        if not found:
            raise UnknownId(noun="run", id=name)
        return found[0]


def is_claimable(of: FromClause) -> ColumnElement[bool]:
    """Whether the run waits to be claimed, now or later, as SQL; `of` is `runs` or its alias."""
    return _is_in(of, CLAIMABLE)


def is_unfinished(of: FromClause) -> ColumnElement[bool]:
    """Whether the run has not ended, as SQL."""
    return _is_in(of, UNFINISHED_RUNS)


def _is_in(of: FromClause, states: Collection[RunState]) -> ColumnElement[bool]:
    # Spelled out, as in the indexes over these runs alone, which serve no parameters.
    words: list[ColumnElement[str]] = [literal_column(f"'{state}'") for state in sorted(states)]
    found: ColumnElement[bool] = of.c.state.in_(words)
    return found


def is_ready(of: FromClause) -> ColumnElement[bool]:
    """Whether its time has come, and no limit of its job holds it back."""
    due = of.c.ready_at <= database_now(steady=True)
    return and_(is_claimable(of), of.c.blocked_at.is_(None), due)


def is_blocked(of: FromClause) -> ColumnElement[bool]:
    """Whether a limit of its job holds it back."""
    # So that SQLite does not look for them among all that are ready: their index is for them alone.
    state = func.lower(of.c.state, type_=Words())
    return and_(of.c.blocked_at.is_not(None), state.in_(sorted(CLAIMABLE)))


def has_one_before_it(of: FromClause = runs) -> ColumnElement[bool]:
    """Whether the run waits for an earlier one of its schedule, running or between attempts."""
    earlier = runs.alias("earlier")
    return exists().where(
        earlier.c.schedule == of.c.exclusive,
        earlier.c.exclusive == of.c.exclusive,
        is_unfinished(earlier),
        earlier.c.id < of.c.id,
    )


_NOT_SHOWN = (
    *("exclusive", "rung_at"),
    *("approval_hash", "approved_by", "effects_open", "effects_in_doubt", "unguarded"),
)


def as_run(row: Mapping[Any, Any]) -> Run:
    """A row of the runs table as a Run."""
    values = dict(row)
    for name in _NOT_SHOWN:
        del values[name]
    start, end = values.pop("period_start"), values.pop("period_end")
    error, first_error = _error(values, "error"), _error(values, "first_error")
    values["state"] = RunState(values["state"])
    return Run(
        **values,
        period=(start, end) if start is not None else None,
        error=error,
        first_error=first_error,
    )


def _error(values: dict[str, Any], name: str) -> RunError | None:
    type_, message, fingerprint = (
        values.pop(f"{name}_{part}") for part in ("type", "message", "fingerprint")
    )
    if not type_:
        return None
    return RunError(type=type_, message=message or "", fingerprint=fingerprint or "")
