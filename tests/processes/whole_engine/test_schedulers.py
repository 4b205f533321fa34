"""Any number of schedulers book each firing once, whatever becomes of them and of their file."""

import random
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise

import pytest
from sqlalchemy import select, update

from engine.states import RunState
from engine.store.tables import schedule_marks
from tests.builders.home import Home, kill
from tests.builders.postgres import PostgresServer
from tests.processes.waiting import until

pytestmark = pytest.mark.process

EVERY = timedelta(seconds=2)
# Each version fires at instants of its own, so that a firing says of which version it is.
APART = timedelta(milliseconds=100)
ANCHOR = datetime(2026, 1, 1, tzinfo=UTC)
FILE = """
schedules:
  steady: {{job: tick, every: 1s, overlap: allow, missed: all}}
  edited: {{job: tick, every: 2s, overlap: allow, missed: all, start: '{start}'}}
"""
# In every second version of the file.
AT_TIMES = "  at-times: {job: tick, every: 1s, overlap: allow, missed: all}\n"


@pytest.fixture(params=["home", "postgres_home"])
def either_home(request: pytest.FixtureRequest) -> Home:
    """A home whose ledger is on either database."""
    home: Home = request.getfixturevalue(request.param)
    return home


@dataclass
class Turmoil:
    """Three schedulers, killed at random while their file is edited."""

    home: Home
    seconds: float
    edits: int
    seed: int = 1

    def last(self) -> Sequence[int]:
        """Go through all of it; returns the versions the file has had, in order."""
        chance = random.Random(self.seed)  # noqa: S311 - a test's choices
        versions = [0]
        self._write(0)
        schedulers = [self.home.start("scheduler") for _ in range(3)]
        until(lambda: _firings(self.home, "edited"), within=60)
        begun_at = time.monotonic()
        kills = 0
        kill_at = edit_at = begun_at
        while (now := time.monotonic()) < begun_at + self.seconds:
            due = now >= edit_at + self.seconds / (self.edits + 1)
            if due and _version_of(_firings(self.home, "edited")[-1]) == versions[-1]:
                # Now and then an edit is taken back.
                again = len(versions) > 3 and chance.random() < 0.2
                versions.append(versions[-2] if again else max(versions) + 1)
                self._write(versions[-1])
                edit_at = now
            if now >= kill_at:
                doomed = range(3) if chance.random() < 0.2 else [chance.randrange(3)]
                for number in doomed:
                    kill(schedulers[number])
                    kills += 1
                for number in doomed:
                    schedulers[number] = self.home.start("scheduler")
                kill_at = now + chance.uniform(1, 4)
                print(f"{now - begun_at:5.0f} s: {kills} kills, versions {versions}", flush=True)  # noqa: T201
            time.sleep(0.05)
        # The last version is in force once one that has read it has booked by it.
        self._settle(schedulers, versions[-1])
        return versions

    def _settle(self, schedulers: Sequence[subprocess.Popen[bytes]], version: int) -> None:
        self.home.start("scheduler")
        until(lambda: _version_of(_firings(self.home, "edited")[-1]) == version, within=60)
        since = datetime.now(UTC)
        until(lambda: _firings(self.home, "edited")[-1] > since, within=30)
        assert [each.poll() for each in schedulers] == [None] * 3
        assert "Traceback" not in self.home.said()

    def _write(self, version: int) -> None:
        start = (ANCHOR + version * APART).isoformat()
        file = self.home.folder / "schedules.yaml"
        partial = file.with_suffix(".new")
        partial.write_text(FILE.format(start=start) + AT_TIMES * (version % 2))
        partial.rename(file)


def test_every_firing_of_every_version_is_booked_once_by_schedulers_that_are_killed(
    either_home: Home,
) -> None:
    every_firing_is_booked_once(either_home, seconds=15, edits=2)


@pytest.mark.soak
def test_every_firing_is_booked_once_in_two_minutes_of_kills_and_ten_edits(
    postgres_home: Home,
) -> None:
    every_firing_is_booked_once(postgres_home, seconds=120, edits=10)


def every_firing_is_booked_once(home: Home, *, seconds: float, edits: int) -> None:
    """Through kills and edits: no gap within a version or between two, and nothing twice."""
    versions = Turmoil(home=home, seconds=seconds, edits=edits).last()
    steady = _firings(home, "steady")
    assert steady == _every(timedelta(seconds=1), steady[0], steady[-1])

    firings = _firings(home, "edited")
    spans = [(version, list(group)) for version, group in groupby(firings, key=_version_of)]
    assert [version for version, _ in spans] == versions
    at_times = _firings(home, "at-times")
    assert at_times
    for version, span in spans:
        assert span == _every(EVERY, span[0], span[-1])
        beside = [firing for firing in at_times if span[0] <= firing <= span[-1]]
        if version % 2 == 0:
            # A version takes over at one moment, and each schedule goes on from its own last
            # firing: the one before it may have fired `at-times` later than `edited`.
            assert [firing for firing in beside if firing >= span[0] + EVERY] == []
        elif beside:
            assert beside == _every(timedelta(seconds=1), beside[0], beside[-1])
    for (_, before), (_, after) in pairwise(spans):
        # There is an instant at which one version took over from the other.
        took_over_from = max(before[-1], after[0] - EVERY)
        took_over_until = min(before[-1] + EVERY, after[0])
        assert took_over_from < took_over_until


def test_schedulers_that_end_in_order_leave_nothing_behind(home: Home) -> None:
    (home.folder / "schedules.yaml").write_text(FILE.format(start=ANCHOR.isoformat()))
    schedulers = [home.start("scheduler"), home.start("scheduler")]
    until(lambda: len(home.json("queue", "status")["processes"]) == 2, within=20)
    for scheduler in schedulers:
        scheduler.send_signal(signal.SIGTERM)
    assert [scheduler.wait(timeout=20) for scheduler in schedulers] == [0, 0]
    assert home.json("queue", "status")["processes"] == []


MISSED = """
schedules:
  many: {job: tick, every: 1s, overlap: allow, missed: all}
  latest: {job: tick, every: 1m, overlap: allow, missed: latest}
  all: {job: tick, every: 1m, overlap: allow, missed: all}
  skip: {job: tick, every: 1m, overlap: allow, missed: skip}
"""


def test_what_was_missed_while_all_schedulers_were_dead_is_made_up_for_once(
    either_home: Home,
) -> None:
    (either_home.folder / "schedules.yaml").write_text(MISSED)
    schedulers = [either_home.start("scheduler") for _ in range(2)]
    until(lambda: len(_marks(either_home)) == 4, within=30)
    for scheduler in schedulers:
        kill(scheduler)
    earlier = min(_marks(either_home)) - timedelta(minutes=20)
    with either_home.database.begin() as connection:
        connection.execute(update(schedule_marks).values(booked_until=earlier))
    many = len(_firings(either_home, "many"))
    schedulers = [either_home.start("scheduler") for _ in range(3)]
    # In the middle of it they are killed, and others go on.
    until(lambda: len(_firings(either_home, "many")) > many, within=30)
    for scheduler in schedulers:
        kill(scheduler)
    for _ in range(3):
        either_home.start("scheduler")
    until(lambda: len(_firings(either_home, "skip")) >= 20, within=30)
    until(lambda: min(_marks(either_home)) > earlier + timedelta(minutes=19), within=30)
    found = _firings(either_home, "many")
    assert found == _every(timedelta(seconds=1), found[0], found[-1])
    assert len(found) >= 20 * 60
    for name in ("latest", "all", "skip"):
        runs = either_home.runs.newest(schedule=name)[::-1]
        firings = [run.scheduled_for for run in runs if run.scheduled_for]
        assert firings == _every(timedelta(minutes=1), firings[0], firings[-1])
        late = [run for run in runs if run.created_at - run.due_at > timedelta(minutes=2)]
        expected = RunState.QUEUED if name == "all" else RunState.SKIPPED
        assert {run.state for run in late} == {expected}, name
    # One to make up for those, and those that are on time.
    assert 1 <= _queued(either_home, "latest") <= 4
    assert _queued(either_home, "skip") <= 3


def test_what_fires_while_the_ledger_is_away_is_booked_when_it_is_back(
    ledger_home: Home, own_postgres: PostgresServer
) -> None:
    (ledger_home.folder / "schedules.yaml").write_text(FILE.format(start=ANCHOR.isoformat()))
    schedulers = [ledger_home.start("scheduler") for _ in range(2)]
    until(lambda: len(_firings(ledger_home, "steady")) >= 2, within=30)
    for end in (own_postgres.stop, own_postgres.kill):
        end()
        back_at = datetime.now(UTC) + timedelta(seconds=3)
        until(lambda back_at=back_at: datetime.now(UTC) > back_at)  # type: ignore[misc]
        own_postgres.start()
        until(lambda back_at=back_at: _firings(ledger_home, "steady")[-1] > back_at, within=30)  # type: ignore[misc]
    assert [scheduler.poll() for scheduler in schedulers] == [None, None]
    steady = _firings(ledger_home, "steady")
    assert steady == _every(timedelta(seconds=1), steady[0], steady[-1])
    assert "Traceback" not in ledger_home.said()


def test_a_dead_run_holds_its_schedule_up_no_longer_than_its_lease(home: Home) -> None:
    (home.folder / "schedules.yaml").write_text(
        "schedules:\n"
        "  skips: {job: sleep_at_first, every: 1s, overlap: skip}\n"
        "  waits: {job: sleep_at_first, every: 1s, overlap: queue}\n"
    )
    home.start("scheduler")
    doomed = home.start_worker("-w", "2")
    # A run is held before its job begins, and it is the job that is to be killed.
    until(lambda: len(list(home.folder.glob("seen *"))) == 2, within=30)
    killed_at = datetime.now(UTC)
    kill(doomed)
    home.start_worker("-w", "2")
    # A lease, the sweep by another process, the first attempt's sleep is not repeated.
    within = timedelta(seconds=25)
    for name in ("skips", "waits"):
        until(lambda name=name: _succeeded(home, name) >= 3, within=60)  # type: ignore[misc]
        runs = home.runs.newest(schedule=name, limit=1000)[::-1]
        assert runs[0].attempt == 2
        assert runs[0].finished_at is not None
        assert runs[0].finished_at < killed_at + within
        later = [run for run in runs if run.state is RunState.SUCCEEDED][1]
        assert later.started_at is not None
        assert runs[0].finished_at <= later.started_at < killed_at + within
    assert {run.state for run in home.runs.newest(schedule="waits", limit=1000)} <= {
        *(RunState.SUCCEEDED, RunState.RUNNING, RunState.QUEUED)
    }


def _marks(home: Home) -> list[datetime]:
    with home.database.read() as connection:
        return list(connection.execute(select(schedule_marks.c.booked_until)).scalars())


def _queued(home: Home, schedule: str) -> int:
    return len(home.runs.newest(schedule=schedule, states=[RunState.QUEUED]))


def _succeeded(home: Home, schedule: str) -> int:
    return len(home.runs.newest(schedule=schedule, states=[RunState.SUCCEEDED]))


def _firings(home: Home, schedule: str) -> list[datetime]:
    """What is booked of a schedule, in order."""
    runs = home.runs.newest(schedule=schedule, limit=10_000)
    return sorted(run.scheduled_for for run in runs if run.scheduled_for is not None)


def _version_of(firing: datetime) -> int:
    return round((firing - ANCHOR) % EVERY / APART)


def _every(pace: timedelta, first: datetime, last: datetime) -> list[datetime]:
    return [first + pace * number for number in range((last - first) // pace + 1)]
