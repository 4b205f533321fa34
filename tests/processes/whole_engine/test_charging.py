"""Money is charged once, whatever the gateway does and however many workers are killed."""

import random
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copyfile

import pytest
from sqlalchemy import select

from engine.operations.actor import Actor
from engine.states import UNFINISHED_RUNS, RunState
from engine.store.effects import EffectStore
from engine.store.failed_run_reader import FailedRuns
from engine.store.failed_runs import FailedRunStore
from engine.store.reviews import ReviewStore
from engine.store.run import NewRun, Run
from engine.store.settling import Settlement
from engine.store.tables import effects, runs
from tests.builders.database import a_postgres_ledger
from tests.builders.gateway import Gateway, a_gateway
from tests.builders.home import Home, kill
from tests.builders.redis import RedisServer

pytestmark = pytest.mark.process

_JOBS = Path(__file__).with_name("charges.py")
_ATTEMPTS = 100
_STUCK = 120.0


@dataclass(frozen=True, kw_only=True)
class Business:
    """How much is charged: so many runs with so many orders each, and workers killed meanwhile."""

    runs: int
    orders: int
    workers: int
    kills: int
    cut: int  # so many at least are charged and not told


A_MORNING = Business(runs=8, orders=10, workers=2, kills=2, cut=5)
A_YEAR = Business(runs=100, orders=10, workers=4, kills=20, cut=100)


@dataclass(kw_only=True)
class Till:
    """Has it all charged, and looks at what became of it."""

    home: Home
    gateway: Gateway
    business: Business
    job: str
    four_eyes: bool = False
    reviewed: Counter[str] = field(default_factory=Counter)
    killed: int = 0
    began: float = field(default_factory=time.monotonic)

    def charge(self) -> None:
        """Carry out every run; fails unless each order is charged once."""
        business = self.business
        chance = random.Random(7)  # noqa: S311 - a test's choices
        workers = [self._start() for _ in range(business.workers)]
        booked = [self._book(number) for number in range(business.runs)]
        done, done_at = 0, time.monotonic()
        while self.home.count(RunState.SUCCEEDED) < len(booked):
            self._require_known()
            self._review()
            assert [each.poll() for each in workers] == [None] * len(workers), self._stuck(done)
            share = self.home.count(RunState.SUCCEEDED)
            if self.killed < business.kills * (share + 1) / business.runs:
                self._kill_one(workers, chance)
            if share > done:
                done, done_at = share, time.monotonic()
            assert time.monotonic() - done_at < _STUCK, self._stuck(done)
            time.sleep(0.2)
        self._check(booked)

    def _stuck(self, done: int) -> str:
        left = [
            (run.reference, run.state, run.review, run.attempt, run.worker, run.error)
            for run in self.home.runs.newest(limit=1000)
            if run.state is not RunState.SUCCEEDED
        ]
        quiet = f"the gateway is {'quiet' if self.gateway.is_quiet else 'busy'}"
        return f"stuck at {done}, {quiet}: {len(left)} {left[:5]}; {self.home.said()[-3000:]}"

    def _start(self) -> subprocess.Popen[bytes]:
        return self.home.start_worker("-w", "2")

    def _kill_one(self, workers: list[subprocess.Popen[bytes]], chance: random.Random) -> None:
        """One that has work in its hands, if there is one."""
        holders = [n for n, each in enumerate(workers) if self.home.holds_runs(each)]
        if holders:
            number = chance.choice(holders)
            kill(workers[number])
            self.killed += 1
            workers[number] = self._start()

    def _book(self, number: int) -> Run:
        orders = self.business.orders
        params = {"first": number * orders, "count": orders, "url": self.gateway.url}
        new = NewRun(job=self.job, queue="default", attempts=_ATTEMPTS, params=params)
        return self.home.dispatch.book(new).run

    def _require_known(self) -> None:
        """Every open effect is of a run that is running, or that waits for a person.

        One that may be asked for again also of a run that waits for its next attempt.
        """
        query = select(runs.c.id, runs.c.state, runs.c.review, effects.c.repeatable).where(
            effects.c.run_id == runs.c.id, effects.c.state.in_(("started", "unconfirmed"))
        )
        with self.home.database.read() as connection:
            for row in connection.execute(query):
                kept = (row.state, row.review) == ("failed", "required")
                again = row.repeatable and row.state in UNFINISHED_RUNS
                assert row.state == "running" or kept or again, row

    def _review(self) -> None:
        """Look at the gateway's books, as a person would, and say what is there."""
        waiting = FailedRunStore(self.home.database).list(FailedRuns())
        if not waiting or not self.gateway.is_quiet:
            return
        charged = self.gateway.charged()
        for run in waiting:
            assert run.review == "required"
            keys = [
                each.key
                for each in EffectStore(self.home.database).of_run(run.id)
                if each.is_unknown
            ]
            happened = {key: {"charge": "seen"} for key in keys if charged[key]}
            not_done = [key for key in keys if not charged[key]]
            self._approve(run, Settlement(happened=happened, did_not_happen=not_done))
            self.reviewed["happened"] += len(happened)
            self.reviewed["did not happen"] += len(not_done)
            self.reviewed["nothing unknown"] += not keys

    def _approve(self, run: Run, known: Settlement) -> None:
        reviews, failed = ReviewStore(self.home.database), FailedRunStore(self.home.database)
        omar, sara = Actor("omar", authenticated=True), Actor("sara", authenticated=True)
        decided = reviews.decide(
            run.id, "approved", actor=str(omar), reason="by the gateway's books",
            authenticated=omar.authenticated, four_eyes=self.four_eyes, settlement=known,
        )  # fmt: skip
        assert decided.decided
        for retrier in (omar, sara) if self.four_eyes else (omar,):
            done = failed.retry(
                FailedRuns(ids=[run.id]), actor=str(retrier), reason=None,
                attempts=lambda _: _ATTEMPTS, authenticated=retrier.authenticated,
                four_eyes=self.four_eyes,
            )  # fmt: skip
            if self.four_eyes and retrier is omar:
                assert [left.obstacle for left in done.left] == ["same_person"]
        assert done.moved

    def _check(self, booked: Sequence[Run]) -> None:
        orders = len(booked) * self.business.orders
        charged = self.gateway.charged()
        print(  # noqa: T201 - for whoever watches with `pytest -s`
            f"{orders} orders, {len(self.gateway.charges)} charged, {self.gateway.cut} cut; "
            f"{self.killed} workers killed, {time.monotonic() - self.began:.0f} s; "
            f"{dict(self.gateway.happened)}; reviewed: {dict(self.reviewed)}"
        )
        assert charged == Counter({f"order {number}": 1 for number in range(orders)})
        assert sum(amount for _, amount in self.gateway.charges) == sum(
            100 + number for number in range(orders)
        )
        assert self.gateway.cut >= self.business.cut
        assert self.killed == self.business.kills
        with self.home.database.read() as connection:
            done = connection.execute(select(effects.c.state).distinct()).scalars().all()
        assert done == ["done"]


LEDGERS = ["sqlite", "postgresql"]


@pytest.fixture(params=LEDGERS)
def shop(request: pytest.FixtureRequest, tmp_path: Path, own_redis: RedisServer) -> Iterator[Home]:
    """A home with the jobs that charge, on each kind of ledger, whose queue is on Redis."""
    ledger = None
    if request.param == "postgresql":
        ledger = a_postgres_ledger(request.getfixturevalue("postgres_server"))
    home = Home(tmp_path / "home", own_redis.url, ledger)
    copyfile(_JOBS, home.folder / "jobs" / "charges.py")
    yield home
    home.close()


def charge(home: Home, business: Business, *, repeatable: bool, four_eyes: bool = False) -> Till:
    """All of it, by a gateway that charges a key once if the calls are `repeatable`."""
    with a_gateway(idempotent=repeatable) as gateway:
        job = "charge_orders" if repeatable else "charge_orders_blindly"
        till = Till(home=home, gateway=gateway, business=business, job=job, four_eyes=four_eyes)
        till.charge()
    if not repeatable:
        # Nobody was told of what was cut but by the gateway's books.
        assert till.reviewed["happened"] >= gateway.cut
    return till


@pytest.mark.parametrize("shop", ["sqlite"], indirect=True)
def test_what_may_be_asked_for_again_is_charged_once(shop: Home) -> None:
    till = charge(shop, A_MORNING, repeatable=True)
    assert till.reviewed["happened"] == till.reviewed["did not happen"] == 0


@pytest.mark.parametrize(
    ("shop", "four_eyes"), [("sqlite", False), ("postgresql", True)], indirect=["shop"]
)
def test_what_may_not_is_reviewed_and_charged_once(shop: Home, four_eyes: bool) -> None:
    till = charge(shop, A_MORNING, repeatable=False, four_eyes=four_eyes)
    assert till.reviewed["did not happen"] > 0


@pytest.mark.soak
@pytest.mark.parametrize("four_eyes", [False, True])
@pytest.mark.parametrize("repeatable", [True, False])
def test_a_thousand_charges(shop: Home, repeatable: bool, four_eyes: bool) -> None:
    charge(shop, A_YEAR, repeatable=repeatable, four_eyes=four_eyes)
