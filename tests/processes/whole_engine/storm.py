"""A storm: workers are killed and servers restarted while runs go on; then what became of them."""

import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, repeat

from redis import Redis
from sqlalchemy import text, update

from engine.errors import Unreachable
from engine.states import RunState
from engine.store.run import NewRun
from engine.store.tables import runs as runs_table
from tests.builders.home import Home, kill, signal_group
from tests.builders.postgres import PostgresServer
from tests.builders.redis import RedisServer
from tests.builders.tree import everything_below, kill_process
from tests.processes.waiting import until

QUEUES = ("default", "slow")
# So many runs wait at a time; there is work for everybody, and a flush loses something.
BACKLOG = 100
# What comes to nothing for so long is stuck: a flushed run is rung for again after half a minute.
STUCK = 120.0


@dataclass(frozen=True, kw_only=True)
class Weather:
    """How much happens to how many."""

    runs: int
    workers: int
    kills: int  # of workers, and of their fork servers
    stops: int = 1  # of workers, in order
    flushes: int = 0
    redis_restarts: int = 0
    postgres_restarts: int = 0
    seed: int = 1  # of the order in which it happens


@dataclass(kw_only=True)
class Storm:
    """Weather over a home; `redis` and `postgres` are its own servers, where it has them."""

    home: Home
    weather: Weather
    redis: RedisServer | None = None
    postgres: PostgresServer | None = None
    _workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _booked: int = 0
    _happened: Counter[str] = field(default_factory=Counter)
    _said_at: float = 0.0

    def rage(self) -> None:
        """Carry out every run through all of it; fails unless each one's row is there once."""
        self._begun_at = time.monotonic()
        with self.home.database.begin() as connection:
            connection.execute(text("CREATE TABLE IF NOT EXISTS trial_rows (number INTEGER)"))
        for number in range(self.weather.workers):
            self._workers.append(self._start(number))
        events = self._events()
        for number, event in enumerate(events):
            # Evenly over the runs: each event finds work under way.
            share = 0.95 * self.weather.runs * number / len(events)
            self._until_done(round(share))
            event()
        self._until_done(self.weather.runs)
        self._tell("all is done")
        self._check()

    def _events(self) -> list[Callable[[], None]]:
        weather = self.weather
        events: list[Callable[[], None]] = list(
            chain(
                repeat(self._kill, weather.kills),
                repeat(self._stop, weather.stops),
                repeat(self._flush, weather.flushes if self.redis else 0),
                repeat(self._restart_redis, weather.redis_restarts if self.redis else 0),
                repeat(self._restart_postgres, weather.postgres_restarts if self.postgres else 0),
            )
        )
        self._chance = random.Random(weather.seed)  # noqa: S311 - a test's choices
        self._chance.shuffle(events)
        return events

    # What happens

    def _kill(self) -> None:
        number = self._busy_worker()
        worker = self._workers[number]
        # Below the worker are its fork server and that one's guard; then come the attempts.
        if self._chance.random() < 0.25 and len(below := everything_below(worker.pid)[1:3]) == 2:
            kill_process(self._chance.choice(below))
            self._happened["fork servers killed"] += 1
            return
        kill(worker)
        self._happened["workers killed"] += 1
        self._workers[number] = self._start(number)

    def _stop(self) -> None:
        number = self._busy_worker()
        signal_group(self._workers[number], signal.SIGTERM)
        self._happened["workers stopped"] += 1
        assert self._workers[number].wait(timeout=30) == 0, self.home.said()[-2000:]
        self._workers[number] = self._start(number)

    def _flush(self) -> None:
        assert self.redis is not None
        with Redis.from_url(self.redis.url) as redis:
            redis.flushall()
        self._happened["flushes"] += 1

    def _restart_redis(self) -> None:
        assert self.redis is not None
        self.redis.stop()
        time.sleep(self._chance.random() * 3)
        self.redis.start()
        self._happened["restarts of Redis"] += 1

    def _restart_postgres(self) -> None:
        assert self.postgres is not None
        if self._happened["PostgreSQL stopped"] > self._happened["PostgreSQL killed"]:
            self.postgres.kill()
            self._happened["PostgreSQL killed"] += 1
        else:
            self.postgres.stop()
            self._happened["PostgreSQL stopped"] += 1
        time.sleep(self._chance.random() * 3)
        self.postgres.start()

    # What goes on

    def _start(self, number: int) -> subprocess.Popen[bytes]:
        queue = QUEUES[number % len(QUEUES)]
        return self.home.start_worker("--queue", queue, "-w", "2", "--grace", "1")

    def _busy_worker(self) -> int:
        """One that holds a run, if there is one: which worker it is matters then."""
        numbers = list(range(len(self._workers)))
        self._chance.shuffle(numbers)
        busy = until(
            lambda: [n for n in numbers if self.home.holds_runs(self._workers[n])], within=STUCK
        )
        return busy[0]

    def _until_done(self, count: int) -> None:
        seen, seen_at = -1, time.monotonic()
        while True:
            self._supervise()
            self._release()
            done = self.home.count(RunState.SUCCEEDED)
            self._book_up_to(done + BACKLOG)
            self._tell(f"{done} of {self.weather.runs} done", every=5)
            if done >= count:
                return
            if done > seen:
                seen, seen_at = done, time.monotonic()
            assert time.monotonic() - seen_at < STUCK, f"stuck at {done}"
            time.sleep(0.1)

    def _book_up_to(self, count: int) -> None:
        for number in range(self._booked, min(count, self.weather.runs)):
            new = NewRun(
                job="write_row",
                queue=QUEUES[number % len(QUEUES)],
                attempts=50,
                params={"number": number},
                key=f"row {number}",
            )
            with suppress(Unreachable):
                self.home.dispatch.book(new)
                self._booked = number + 1

    def _supervise(self) -> None:
        """Start anew those that found no ledger when they started, as whoever runs them would."""
        for number, worker in enumerate(self._workers):
            if (code := worker.poll()) is not None:
                assert code == 6, self.home.said()[-2000:]
                self._happened["workers started without a ledger"] += 1
                self._workers[number] = self._start(number)

    def _release(self) -> None:
        """Do what a person will: have a run that crashed three times tried again."""
        quarantined = (runs_table.c.state == RunState.FAILED, runs_table.c.review == "required")
        again = {"state": RunState.QUEUED, "review": None, "finished_at": None}
        with self.home.database.begin() as connection:
            released = connection.execute(update(runs_table).where(*quarantined).values(again))
        self._happened["quarantined and released"] += released.rowcount

    # What became of it

    def _check(self) -> None:
        with self.home.database.read() as connection:
            rows = Counter(connection.execute(text("SELECT number FROM trial_rows")).scalars())
            outcomes = connection.execute(
                text("SELECT outcome, count(*) FROM attempts GROUP BY outcome")
            )
            attempts = {str(outcome): count for outcome, count in outcomes}
        lost = set(range(self.weather.runs)) - set(rows)
        doubled = {number for number, count in rows.items() if count > 1}
        self._tell(f"{len(lost)} lost, {len(doubled)} doubled; attempts: {attempts}")
        assert (lost, doubled) == (set(), set())
        assert self.home.count(RunState.SUCCEEDED) == self.weather.runs
        assert attempts["succeeded"] == self.weather.runs
        assert "Traceback" not in self.home.said()

    def _tell(self, what: str, *, every: float = 0.0) -> None:
        """For whoever watches with `pytest -s`."""
        now = time.monotonic()
        if now - self._said_at >= every:
            self._said_at = now
            happened = ", ".join(
                f"{count} {name}" for name, count in sorted(self._happened.items()) if count
            )
            print(f"{now - self._begun_at:5.0f} s: {what}; {happened}", flush=True)  # noqa: T201
