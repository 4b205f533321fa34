"""Whatever happens in whatever order, limits are kept, nobody is forgotten, and the first is first.

The ledger is compared with a model that is as plain as can be: lists of runs. Time passes by moving
what has happened into the past.
"""

import tempfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from shutil import rmtree

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select, update

from engine.limits import LimitGroup, Limits, Rate
from engine.states import RunState
from engine.store.run import Claim, Run
from engine.store.runs import RunStore
from engine.store.tables import attempts
from engine.store.tables import runs as runs_table
from tests.builders.booking import BROKEN, LONG_AGO, a_run
from tests.builders.database import a_database

KEYS = ("wallet 7", "wallet 7", "wallet 8", None)
QUEUES = ("default", "other")
WINDOW = timedelta(hours=1)
ENDS = ("succeed", "fail", "retry_later", "hand_back")


def order_in_group(run: Run) -> tuple[int, datetime, int]:
    return (-run.priority, run.due_at, run.id)


class Ledger(RuleBasedStateMachine):
    """Books, takes, ends and kills at random; rings as the engine does, and loses some."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="engine-tests-"))
        self.runs = RunStore(a_database(self.folder))
        self.limits = Limits()
        # What the queues hold: of each run, that it was rung for.
        self.messages: dict[str, list[int]] = {queue: [] for queue in QUEUES}
        self.held: list[tuple[Claim, Run]] = []
        self.lost: list[int] = []
        self.booked: list[int] = []

    @initialize(concurrency=st.none() | st.integers(1, 3), starts=st.none() | st.integers(1, 5))
    def declare(self, concurrency: int | None, starts: int | None) -> None:
        rate = Rate(starts, WINDOW) if starts else None
        self.limits = Limits(concurrency=concurrency, rate=rate)

    def group(self, run: Run) -> LimitGroup | None:
        # A key is said with the run, for want of parameters.
        key = run.params["key"]
        return LimitGroup(key=key, limits=self.limits) if key else None

    @rule(key=st.sampled_from(KEYS), queue=st.sampled_from(QUEUES), priority=st.integers(0, 2))
    def book(self, key: str | None, queue: str, priority: int) -> None:
        group = {"limit_key": key, "params": {"key": key}}
        run = a_run(self.runs, queue=queue, priority=priority, attempts=99, **group)
        self.booked.append(run.id)
        self.ring([run])

    @rule(queue=st.sampled_from(QUEUES))
    def take(self, queue: str) -> None:
        if not self.messages[queue]:
            return
        run_id = self.messages[queue].pop(0)
        before = {run.id: run for run in self.runs.newest(limit=1000)}
        taken = self.runs.take(run_id, "worker-1", self.group)
        if taken is None:
            return
        assert taken.run.queue == queue
        self.check_order(before[taken.run.id], list(before.values()))
        self.held.append((taken.claim, taken.run))

    def check_order(self, taken: Run, there_were: Sequence[Run]) -> None:
        """Nobody was passed over who might have been taken, as far as anybody can promise that."""
        for rival in there_were:
            if rival.state not in (RunState.QUEUED, RunState.RETRYING) or rival.id == taken.id:
                continue
            if rival.queue != taken.queue:
                continue
            if rival.params["key"] is None or self.limits == Limits():
                assert rival.priority <= taken.priority
            elif rival.blocked_at is not None and rival.params["key"] == taken.params["key"]:
                assert order_in_group(rival) > order_in_group(taken)

    @rule(which=st.integers(0, 99), end=st.sampled_from(ENDS), rings=st.booleans())
    def end(self, which: int, end: str, *, rings: bool) -> None:
        if not self.held:
            return
        claim, run = self.held.pop(which % len(self.held))
        ends = {
            "succeed": lambda: self.runs.succeed(claim, None),
            "fail": lambda: self.runs.fail(claim, BROKEN),
            "retry_later": lambda: self.runs.retry_later(claim, BROKEN, timedelta()),
            "hand_back": lambda: self.runs.hand_back(claim, BROKEN),
        }
        assert ends[end]()
        group = self.group(run)
        if rings and group is not None:
            self.ring(self.runs.release(group))

    @rule(which=st.integers(0, 99))
    def kill(self, which: int) -> None:
        """A worker dies, and its lease runs out."""
        if not self.held:
            return
        claim, _ = self.held.pop(which % len(self.held))
        with self.runs.database.begin() as connection:
            mine = runs_table.c.id == claim.run_id
            connection.execute(update(runs_table).where(mine).values(lease_until=LONG_AGO))

    @rule(minutes=st.integers(1, 90))
    def let_time_pass(self, minutes: int) -> None:
        by = timedelta(minutes=minutes)
        with self.runs.database.begin() as connection:
            for row in connection.execute(select(attempts)).mappings().all():
                mine = (attempts.c.run_id == row["run_id"], attempts.c.number == row["number"])
                earlier = row["started_at"] - by
                connection.execute(update(attempts).where(*mine).values(started_at=earlier))
            for row in connection.execute(select(runs_table)).mappings().all():
                moved = {"ready_at": row["ready_at"] - by, "due_at": row["due_at"] - by}
                if row["rung_at"] is not None:
                    moved["rung_at"] = row["rung_at"] - by
                mine_ = runs_table.c.id == row["id"]
                connection.execute(update(runs_table).where(mine_).values(moved))

    @rule(queue=st.sampled_from(QUEUES))
    def lose_messages(self, queue: str) -> None:
        self.messages[queue].clear()

    @rule(silent_for=st.sampled_from([timedelta(), timedelta(seconds=30)]))
    def sweep(self, silent_for: timedelta) -> None:
        for run in self.runs.lost():
            assert self.runs.rescue(run, BROKEN, timedelta())
        self.runs.release_all({"purge": self.limits})
        due = self.runs.due(silent_for=silent_for)
        self.ring([run for run in due if run.id not in self.messages[run.queue]])

    def ring(self, several: Sequence[Run]) -> None:
        for run in several:
            self.messages[run.queue].append(run.id)
            self.runs.rung([run.id])

    @invariant()
    def no_limit_is_exceeded(self) -> None:
        for key in ("wallet 7", "wallet 8"):
            under_way = [run for _, run in self.held if run.params["key"] == key]
            if self.limits.concurrency is not None:
                assert len(under_way) <= self.limits.concurrency
            if self.limits.rate is not None:
                began = self.starts_of(key)
                later = began[self.limits.rate.starts :]
                assert all(b - a >= WINDOW for a, b in zip(began, later, strict=False))

    def starts_of(self, key: str) -> list[datetime]:
        query = select(attempts.c.started_at).where(attempts.c.limit_key == key)
        with self.runs.database.read() as connection:
            return list(connection.execute(query.order_by(attempts.c.started_at)).scalars())

    def teardown(self) -> None:
        """Everything that was booked comes to its end, if somebody sweeps and works."""
        try:
            for _ in range(4 * len(self.booked) + 10):
                if self.unfinished() == 0:
                    break
                self.sweep(timedelta())
                for queue in QUEUES:
                    while self.messages[queue]:
                        self.take(queue)
                        self.no_limit_is_exceeded()
                while self.held:
                    self.end(0, "succeed", rings=False)
                self.let_time_pass(30)
            assert self.unfinished() == 0
        finally:
            self.runs.database.dispose()
            rmtree(self.folder)

    def unfinished(self) -> int:
        return sum(run.finished_at is None for run in self.runs.newest(limit=1000))


TestLedger = Ledger.TestCase
TestLedger.settings = settings(
    max_examples=25,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
