"""Sums over attempts that have ended, and over runs that were booked: they only ever grow.

No row of either goes away or ends twice, so sums over what is old need not be made again.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    Integer,
    and_,
    case,
    func,
    literal,
    literal_column,
    select,
)

from engine.store.database import Database
from engine.store.instant import Instant, database_now, seconds_between
from engine.store.tables import attempts, runs

# In seconds: from an export of a few rows to a night's reconciliation.
BOUNDS = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14400)
# Whose duration says how long a job takes.
_MEASURED = ("succeeded", "failed")
# A transaction that writes down an end may commit so much later; the ledger ends slower ones.
_COMMITTED_WITHIN = timedelta(seconds=60)
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)
_CAUSES = {"missed": "missed: %", "overlap": "overlap%"}
OTHER_CAUSE = "other"
CAUSES = (*_CAUSES, OTHER_CAUSE)


@dataclass(frozen=True, kw_only=True)
class Durations:
    """How long attempts took: how many did in at most each of BOUNDS, how many in all, the sum."""

    within: Sequence[int]
    count: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Sums:
    """Since the ledger began: attempts by job and outcome, those that were not their run's first,
    the durations of a job's; runs by job, and firings that were skipped by job and cause.
    """

    attempts: Mapping[tuple[str, str], int]
    retries: Mapping[str, int]
    durations: Mapping[str, Durations]
    booked: Mapping[str, int]
    skipped: Mapping[tuple[str, str], int]


@dataclass
class _Ended:
    """Attempts by job, outcome, whether it was a first one, and the number of their bound."""

    counts: Counter[tuple[str, str, bool, int]] = field(default_factory=Counter)
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    def __add__(self, other: "_Ended") -> "_Ended":
        seconds = defaultdict(float, self.seconds)
        for job, more in other.seconds.items():
            seconds[job] += more
        return _Ended(self.counts + other.counts, seconds)


@dataclass
class _Booked:
    """Runs by job; skipped firings by job and cause."""

    runs: Counter[str] = field(default_factory=Counter)
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __add__(self, other: "_Booked") -> "_Booked":
        return _Booked(self.runs + other.runs, self.skipped + other.skipped)


class RunningSums:
    """Sums that remember what is old, so that each reading looks at the last minute only.

    The first one looks at every row. Use it from one thread at a time.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ended, self._booked = _Ended(), _Booked()
        self._ended_until: datetime | None = None
        self._booked_until = 0

    def read(self) -> Sums:
        """The sums as they are now."""
        with self._database.read() as connection:
            now = connection.execute(select(database_now())).scalar_one()
            ended = self._read_ended(connection, now - _COMMITTED_WITHIN)
            booked = self._read_booked(connection, now - _COMMITTED_WITHIN)
        return _sums(ended, booked)

    def _read_ended(self, connection: Connection, old: datetime) -> _Ended:
        before = self._ended_until
        if before is not None and old < before - _COMMITTED_WITHIN:
            # The ledger's clock was set back: what ends now would be taken for counted.
            self._ended_until = before = None
            self._ended = _Ended()
        if before is None or old > before:
            self._ended += _ended(
                connection, _until(old) if before is None else _between(before, old)
            )
            self._ended_until = before = old
        return self._ended + _ended(connection, attempts.c.finished_at > before)

    def _read_booked(self, connection: Connection, old: datetime) -> _Booked:
        newest_first = select(runs.c.id).order_by(runs.c.id.desc())
        until = connection.execute(newest_first.where(runs.c.created_at <= old).limit(1)).scalar()
        if until is not None and until > self._booked_until:
            those = and_(runs.c.id > self._booked_until, runs.c.id <= until)
            self._booked += _booked(connection, those)
            self._booked_until = until
        return self._booked + _booked(connection, runs.c.id > self._booked_until)


def _between(after: datetime, until: datetime) -> ColumnElement[bool]:
    return and_(attempts.c.finished_at > after, attempts.c.finished_at <= until)


def _until(until: datetime) -> ColumnElement[bool]:
    # As no index has it: nearly every row is wanted, and in their own order they are read faster.
    ended_at = func.coalesce(attempts.c.finished_at, literal(_NEVER, Instant()))
    return ended_at <= literal(until, Instant())


def _ended(connection: Connection, those: ColumnElement[bool]) -> _Ended:
    c = attempts.c
    measured = (
        select(
            runs.c.job,
            c.outcome,
            (c.number == 1).label("is_first"),
            seconds_between(c.started_at, c.finished_at).label("took"),
        )
        .join(runs, runs.c.id == c.run_id)
        .where(those)
        # Keeps it apart, so that each duration is worked out once and not for each bound.
        .offset(0)
        .subquery()
    ).c
    # Written out: PostgreSQL groups by no expression that has parameters.
    numbers = [literal_column(str(number), Integer) for number in range(len(BOUNDS) + 1)]
    limits = [literal_column(str(bound), Float) for bound in BOUNDS]
    whens = [(measured.took <= each, number) for each, number in zip(limits, numbers, strict=False)]
    bound = case(*whens, else_=numbers[-1])
    # A clock that was set back in between makes no sum go down.
    took = case((measured.took > 0, measured.took), else_=0.0)
    keys = (measured.job, measured.outcome, measured.is_first, bound)
    found = _Ended()
    grouped = select(*keys, func.count(), func.sum(took)).group_by(*keys)
    for job, outcome, is_first, number, count, seconds in connection.execute(grouped):
        found.counts[job, outcome or "unknown", bool(is_first), number] += count
        if outcome in _MEASURED:
            found.seconds[job] += seconds
    return found


def _booked(connection: Connection, those: ColumnElement[bool]) -> _Booked:
    is_skipped = and_(runs.c.schedule.is_not(None), runs.c.reason.is_not(None))
    causes = [(runs.c.reason.like(start), literal(cause)) for cause, start in _CAUSES.items()]
    cause = case((~is_skipped, literal("")), *causes, else_=literal(OTHER_CAUSE)).label("cause")
    labelled = select(runs.c.job, cause).where(those).subquery().c
    grouped = select(labelled.job, labelled.cause, func.count())
    found = _Booked()
    for job, why, count in connection.execute(grouped.group_by(labelled.job, labelled.cause)):
        found.runs[job] += count
        if why:
            found.skipped[job, why] += count
    return found


def _sums(ended: _Ended, booked: _Booked) -> Sums:
    by_outcome: Counter[tuple[str, str]] = Counter()
    retries: Counter[str] = Counter()
    bounds: dict[str, list[int]] = {}
    for (job, outcome, is_first, bound), count in ended.counts.items():
        by_outcome[job, outcome] += count
        retries[job] += 0 if is_first else count
        if outcome in _MEASURED:
            bounds.setdefault(job, [0] * (len(BOUNDS) + 1))[bound] += count
    durations = {
        job: Durations(
            within=[*accumulate(counts)][:-1], count=sum(counts), seconds=ended.seconds[job]
        )
        for job, counts in bounds.items()
    }
    return Sums(
        attempts=by_outcome,
        retries=retries,
        durations=durations,
        booked=booked.runs,
        skipped=booked.skipped,
    )
