"""Limits with eight workers on two queues, of which some are killed while they hold a slot."""

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from subprocess import Popen

import pytest
from sqlalchemy import select

from engine.states import RunState
from engine.store.run import NewRun, Run
from engine.store.tables import attempts, runs
from tests.builders.database import a_postgres_ledger
from tests.builders.home import Home, kill
from tests.builders.postgres import PostgresServer
from tests.builders.redis import RedisServer
from tests.processes.waiting import until
from tests.processes.whole_engine.trials import hold_a_slot, start_at_a_rate

pytestmark = pytest.mark.process

QUEUES = ("default", "other")
AT_A_TIME = 2
WINDOW, STARTS = timedelta(seconds=1), 5


@pytest.fixture(params=["sqlite", "postgresql"])
def limited_home(
    request: pytest.FixtureRequest, tmp_path: Path, own_redis: RedisServer
) -> Iterator[Home]:
    """A home whose queues are on Redis, and whose ledger is on each database."""
    url: str | None = None
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = a_postgres_ledger(server)
    home = Home(tmp_path / "home", own_redis.url, url)
    yield home
    home.close()


@dataclass(kw_only=True)
class Crowd:
    """Eight workers, the runs that they carry out, and what those noted."""

    home: Home
    runs_of_each: int
    kills: int
    chance: random.Random = field(default_factory=lambda: random.Random(5))  # noqa: S311
    _workers: dict[int, Popen[bytes]] = field(default_factory=dict)

    @property
    def notes(self) -> Path:
        """Where attempts note that they are alive."""
        return self.home.folder / "alive"

    def work(self, within: float) -> None:
        """Carry everything out, killing workers that hold a slot of a wallet in between."""
        for number in range(8):
            self._start(QUEUES[number % 2])
        booked = [self._book(number) for number in range(3 * self.runs_of_each)]
        for _ in range(self.kills):
            pid = until(self._pid_of_a_holder, within=60)
            assert pid is not None
            kill(self._workers.pop(pid))
            if self.kills > 1:
                self._start(self.chance.choice(QUEUES))
        until(lambda: self._ended() == len(booked), within=within)

    def _ended(self) -> int:
        """Runs that succeeded, or whose worker was killed so often that they wait for a review."""
        quarantined = (runs.c.state == RunState.FAILED, runs.c.error_type == "Quarantined")
        with self.home.database.read() as connection:
            found = connection.execute(select(runs.c.id).where(*quarantined)).all()
        return self.home.count(RunState.SUCCEEDED) + len(found)

    def _book(self, number: int) -> Run:
        of_a_wallet = number % 3 > 0
        job = hold_a_slot if of_a_wallet else start_at_a_rate
        params: dict[str, object] = {"number": number // 3}
        if of_a_wallet:
            seconds = self.chance.uniform(0.2, 1.2)
            params = {"wallet": f"w{number % 3}", "seconds": seconds, "notes": str(self.notes)}
        group = job.group_of(params)
        assert group is not None
        new = NewRun(
            job=job.name,
            queue=self.chance.choice(QUEUES),
            attempts=job.attempts,
            params=params,
            limit_key=group.key,
        )
        return self.home.dispatch.book(new).run

    def _start(self, queue: str) -> None:
        worker = self.home.start_worker("--queue", queue, "-w", "2")
        self._workers[worker.pid] = worker

    def _pid_of_a_holder(self) -> int | None:
        holding = select(runs.c.worker).where(
            runs.c.state == RunState.RUNNING, runs.c.job == hold_a_slot.name
        )
        with self.home.database.read() as connection:
            pids = [int(name.split(":")[1]) for name in connection.execute(holding).scalars()]
        return next((pid for pid in pids if pid in self._workers), None)

    def most_alive(self) -> dict[str, int]:
        """How many attempts of each wallet were alive at the same instant, at most."""
        lives: dict[tuple[str, str], list[float]] = defaultdict(list)
        for line in self.notes.read_text().splitlines():
            wallet, attempt, at = line.split()
            lives[wallet, attempt].append(float(at))
        most: dict[str, int] = defaultdict(int)
        for (wallet, _), life in lives.items():
            alive = sum(
                other[0] == wallet and times[0] <= life[0] <= times[-1]
                for other, times in lives.items()
            )
            most[wallet] = max(most[wallet], alive)
        return dict(most)

    def most_slots(self) -> dict[str, int]:
        """How many slots of each wallet were taken at the same instant, at most.

        That of a worker which was killed is taken until its run is rescued.
        """
        held = (
            select(runs.c.params, attempts.c.started_at, attempts.c.finished_at)
            .join(runs, runs.c.id == attempts.c.run_id)
            .where(runs.c.job == hold_a_slot.name)
        )
        with self.home.database.read() as connection:
            lives = [(row[0]["wallet"], row[1], row[2]) for row in connection.execute(held)]
        most: dict[str, int] = defaultdict(int)
        for wallet, start, _ in lives:
            taken = sum(other == wallet and s <= start < end for other, s, end in lives)
            most[wallet] = max(most[wallet], taken)
        return dict(most)

    def check(self) -> None:
        """Never more than the limits allow, and never less for want of a ring."""
        assert max(self.most_alive().values()) <= AT_A_TIME
        assert min(self.most_slots().values()) >= AT_A_TIME
        starts = (
            select(attempts.c.started_at)
            .join(runs, runs.c.id == attempts.c.run_id)
            .where(runs.c.job == start_at_a_rate.name)
            .order_by(attempts.c.started_at)
        )
        with self.home.database.read() as connection:
            began = list(connection.execute(starts).scalars())
        assert len(began) >= self.runs_of_each * 3 // 2
        apart = [later - first for first, later in zip(began, began[STARTS:], strict=False)]
        assert min(apart) >= WINDOW
        lost = select(attempts.c.outcome).where(attempts.c.outcome == "lost")
        with self.home.database.read() as connection:
            assert len(connection.execute(lost).all()) >= self.kills


def test_eight_workers_on_two_queues_never_exceed_a_limit(limited_home: Home) -> None:
    crowd = Crowd(home=limited_home, runs_of_each=12, kills=1)
    crowd.work(within=60)
    crowd.check()


@pytest.mark.soak
def test_twenty_workers_are_killed_while_they_hold_a_slot(limited_home: Home) -> None:
    crowd = Crowd(home=limited_home, runs_of_each=100, kills=20)
    crowd.work(within=600)
    crowd.check()
