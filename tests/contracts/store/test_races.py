"""Many at once: whatever several threads try at the same moment, one does, and all agree on it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event, Timer

import pytest
from sqlalchemy import Connection, func, select, text

from engine.effects.effects import Effects
from engine.effects.faults import LeaseLost
from engine.states import RunState
from engine.store.artifacts import ArtifactStore, NewArtifact, VersionTaken
from engine.store.break_tables import break_moves
from engine.store.breaks import BreakStore
from engine.store.database import Database
from engine.store.difference import Difference
from engine.store.leases import LeaseStore
from engine.store.logs import LogLine, LogStore
from engine.store.reconciled import Reconciled, Recorded
from engine.store.reconciliations import ReconciliationStore
from engine.store.run import Claim, NewRun
from engine.store.runs import RunStore
from engine.store.schedule_marks import ScheduleMark, mark_of, put_mark
from engine.store.tables import attempts, effects
from engine.store.workers import WorkerStore
from tests.builders.at_once import at_once
from tests.builders.booking import (
    BROKEN,
    MIDNIGHT,
    a_claim,
    a_firing,
    a_new_run,
    a_run,
    let_leases_run_out,
)
from tests.builders.clock import FakeClock

MANY = 8
MINUTE = timedelta(minutes=1)


def count(database: Database, table: str) -> int:
    """How many rows a table has."""
    with database.read() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608 - a name of ours


@pytest.mark.parametrize(
    "new", [a_new_run(key="night 24"), a_new_run(firing=a_firing(overlap="allow"))]
)
def test_one_run_is_booked_under_a_key_or_a_firing(runs: RunStore, new: NewRun) -> None:
    for _ in range(5):
        booked = at_once(*[partial(runs.book, new)] * MANY)
        assert len({run.id for run, _ in booked}) == 1
    assert count(runs.database, "runs") == 1


def test_one_caller_is_told_that_the_run_is_new(runs: RunStore) -> None:
    for night in range(10):
        booked = at_once(*[partial(runs.book, a_new_run(key=str(night)))] * MANY)
        assert sorted(is_new for _, is_new in booked) == [False] * (MANY - 1) + [True]


def test_of_firings_that_overlap_one_is_to_run(runs: RunStore) -> None:
    for night in range(5):
        firings = [a_new_run(firing=a_firing(hour, schedule=f"s{night}")) for hour in range(MANY)]
        booked = at_once(*[partial(runs.book, new) for new in firings])
        states = [run.state for run, _ in booked]
        assert states.count(RunState.QUEUED) == 1
        assert states.count(RunState.SKIPPED) == MANY - 1


def test_schedulers_that_book_and_mark_leave_no_gap_and_never_move_back(runs: RunStore) -> None:
    """Each books the firings between the mark and its own now, as a scheduler does."""

    def book(now: int) -> int:
        with runs.database.begin() as connection:
            mark = mark_of(connection, "hourly", to_book=True)
            since = MIDNIGHT if mark is None else mark.booked_until
            first = 0 if mark is None else round((since - MIDNIGHT) / timedelta(hours=1)) + 1
            new = [a_new_run(firing=a_firing(hour, overlap="allow")) for hour in range(first, now)]
            written = sum(runs.book_within(connection, each)[1] for each in new)
            until = MIDNIGHT + timedelta(hours=now - 1)
            new_mark = ScheduleMark(schedule="hourly", fingerprint="cron", booked_until=until)
            put_mark(connection, new_mark)
        return written

    written = at_once(*[partial(book, now) for now in (5, 3, 9, 7, 9, 2, 8, 6)])
    assert sum(written) == 9
    assert count(runs.database, "runs") == 9
    with runs.database.read() as connection:
        last = mark_of(connection, "hourly")
    assert last is not None
    assert last.booked_until == MIDNIGHT + timedelta(hours=8)


def test_one_worker_claims_a_run(runs: RunStore) -> None:
    for _ in range(10):
        run = a_run(runs)
        claims = at_once(*[partial(runs.claim, run.id, "worker")] * MANY)
        assert len([claim for claim in claims if claim]) == 1
        assert len(runs.attempts_of(run.id)) == 1


def test_one_run_of_a_schedule_runs_at_a_time(runs: RunStore) -> None:
    booked = [a_run(runs, firing=a_firing(hour, overlap="queue")) for hour in range(MANY)]
    for left in range(MANY, 0, -1):
        claims = [
            claim
            for claim in at_once(*[partial(runs.claim, run.id, "worker") for run in booked])
            if claim
        ]
        assert len(claims) == 1, left
        assert runs.succeed(claims[0], None)
    assert all(runs.get(run.id).attempt == 1 for run in booked)


def test_a_worker_takes_one_run_at_a_time_that_may_be_what_kills_it(runs: RunStore) -> None:
    suspects = [a_run(runs) for _ in range(MANY)]
    for run in suspects:
        for _ in range(2):
            assert runs.crash(a_claim(runs, run), BROKEN, timedelta())
    claims = at_once(*[partial(runs.claim, run.id, "worker") for run in suspects])
    assert len([claim for claim in claims if claim]) == 1


def test_a_renewal_and_a_rescue_do_not_both_win(runs: RunStore) -> None:
    for _ in range(10):
        claim = a_claim(runs)
        let_leases_run_out(runs.database)
        (lost,) = runs.lost()
        rescued = at_once(*[partial(runs.rescue, lost, BROKEN, None)] * MANY)
        assert len([state for state in rescued if state]) == 1
        assert runs.renew([claim]) == []


def test_an_attempt_ends_in_one_way(runs: RunStore) -> None:
    for _ in range(10):
        claim = a_claim(runs)
        ends: Sequence[Callable[[], object]] = [
            partial(runs.succeed, claim, None),
            partial(runs.fail, claim, BROKEN),
            partial(runs.retry_later, claim, BROKEN, MINUTE),
            partial(runs.hand_back, claim, BROKEN),
        ]
        assert len([end for end in at_once(*ends) if end]) == 1


def test_renewing_ringing_and_progress_never_wait_in_a_circle(runs: RunStore) -> None:
    claims = [a_claim(runs) for _ in range(20)]
    ids = [claim.run_id for claim in claims]

    def renew(order: Sequence[Claim]) -> None:
        for _ in range(20):
            assert len(runs.renew(order)) == len(order)

    def ring(order: Sequence[int]) -> None:
        for _ in range(20):
            runs.rung(order)

    def progress() -> None:
        for claim in claims * 2:
            assert runs.progress(claim, 1, None, None)

    at_once(
        *(lambda: renew(claims), lambda: renew(claims[::-1]), lambda: ring(ids)),
        *(lambda: ring(ids[::-1]), progress),
    )


def test_one_holder_takes_a_lease_that_is_new_and_one_that_ran_out(database: Database) -> None:
    leases = LeaseStore(database)

    def take_each() -> list[bool]:
        return at_once(
            *[partial(leases.take, "sweep", f"h{n}", lasting=MINUTE) for n in range(MANY)]
        )

    assert take_each().count(True) == 1
    for _ in range(10):
        let_leases_run_out(database)
        assert take_each().count(True) == 1


def test_processes_that_announce_themselves_at_once_are_all_there(database: Database) -> None:
    store = WorkerStore(database)

    def announce(name: str) -> None:
        store.announce(worker=name, host="h", pid=1, kind="worker", queues=["a"], threads=1)

    for night in range(5):
        names = [f"{night}-{number}" for number in range(MANY)]
        at_once(*[partial(announce, name) for name in [*names, names[0]]])
        assert sorted(each.id for each in store.present()) == names
        let_leases_run_out(database)


def test_one_file_is_recorded_by_each_name(runs: RunStore, database: Database) -> None:
    store = ArtifactStore(database, FakeClock())
    claim = a_claim(runs)

    def add(number: int) -> str | None:
        recorded = store.add(
            NewArtifact(
                run_id=claim.run_id,
                name="breaks.csv",
                media_type="text/csv",
                size=1,
                sha256="ab" * 32,
                rows=1,
                path=f"1/{number}-breaks.csv",
            ),
            claim=claim,
        )
        assert recorded is not None
        return next(iter(recorded.replaced_paths), None)

    replaced = at_once(*[partial(add, number) for number in range(MANY)])
    (kept,) = store.list()
    assert {*replaced, kept.path} == {None, *(f"1/{number}-breaks.csv" for number in range(MANY))}


def test_a_version_of_a_series_is_one_runs_only(runs: RunStore, database: Database) -> None:
    store = ArtifactStore(database, FakeClock())
    claims = [a_claim(runs) for _ in range(MANY)]

    def publish(claim: Claim) -> int:
        while True:
            version = store.next_version("sales 2026", claim.run_id)
            new = NewArtifact(
                run_id=claim.run_id,
                name=f"sales.v{version}.csv",
                media_type="text/csv",
                size=1,
                sha256="ab" * 32,
                rows=1,
                path=f"{claim.run_id}/sales.v{version}.csv",
                series="sales 2026",
                version=version,
            )
            try:
                assert store.add(new, claim=claim) is not None
            except VersionTaken:
                continue
            return version

    published = at_once(*[partial(publish, claim) for claim in claims])
    assert sorted(published) == list(range(1, MANY + 1))


def test_lines_of_many_attempts_are_all_kept_in_their_order(runs: RunStore) -> None:
    logs = LogStore(runs.database)
    ids = [a_run(runs).id for _ in range(MANY)]

    def say(run_id: int) -> None:
        for number in range(20):
            text = str(number)
            logs.append(run_id, [LogLine(attempt=1, at=MIDNIGHT, stream="log", text=text)])

    at_once(*[partial(say, run_id) for run_id in ids])
    for run_id in ids:
        assert [line.text for line in logs.of_run(run_id)] == [str(n) for n in range(20)]


@pytest.fixture
def postings(database: Database) -> None:
    """A table for work that happens once."""
    with database.begin() as connection:
        connection.execute(text("CREATE TABLE postings (amount INTEGER)"))


def post(connection: Connection) -> dict[str, int]:
    """The work: one row."""
    connection.execute(text("INSERT INTO postings VALUES (500)"))
    return {"posted": 500}


@pytest.mark.usefixtures("postings")
def test_an_effect_that_many_want_at_once_happens_once(runs: RunStore) -> None:
    done = Effects(runs.database)
    claims = [a_claim(runs) for _ in range(MANY)]
    for night in range(10):
        results = at_once(
            *[partial(done.once, claim, f"fee {night}", None, post) for claim in claims]
        )
        assert results == [{"posted": 500}] * MANY
        assert count(runs.database, "postings") == night + 1


@pytest.mark.usefixtures("postings")
def test_who_waited_for_work_that_failed_does_it(runs: RunStore) -> None:
    done = Effects(runs.database)
    first, second = a_claim(runs), a_claim(runs)
    begun, go_on = Event(), Event()

    def post_and_fail(connection: Connection) -> None:
        post(connection)
        begun.set()
        assert go_on.wait(30)
        raise ZeroDivisionError

    def fail() -> object:
        with pytest.raises(ZeroDivisionError):
            done.once(first, "fee", None, post_and_fail)
        return None

    def wait() -> object:
        assert begun.wait(30)
        # It is let go on while this one waits for it.
        Timer(0.1, go_on.set).start()
        return done.once(second, "fee", None, post)

    assert at_once(fail, wait) == [None, {"posted": 500}]
    assert count(runs.database, "postings") == 1


@pytest.mark.usefixtures("postings")
def test_the_attempt_that_lost_its_run_leaves_the_effect_to_the_next_one(runs: RunStore) -> None:
    """The first is at work when its lease runs out; the second wants the same key."""
    database, done = runs.database, Effects(runs.database)
    first = a_claim(runs)
    begun, rescued = Event(), Event()

    def post_too_slowly(connection: Connection) -> object:
        post(connection)
        begun.set()
        if connection.dialect.name == "sqlite":
            # Nobody can rescue the run while its write lock is held; its lease ends all the same.
            connection.execute(text("UPDATE runs SET lease_until = '2000-01-01 00:00:00.000000'"))
        else:
            assert rescued.wait(30)
        return "too late"

    def lose() -> object:
        with pytest.raises(LeaseLost):
            done.once(first, "fee", None, post_too_slowly)
        return None

    def take_over() -> object:
        assert begun.wait(30)
        let_leases_run_out(database)
        (lost,) = runs.lost()
        assert runs.rescue(lost, BROKEN, timedelta())
        second = runs.claim(first.run_id, "worker-2")
        assert second is not None
        rescued.set()
        return done.once(second, "fee", None, post)

    assert at_once(lose, take_over) == [None, {"posted": 500}]
    assert count(database, "postings") == 1
    with database.read() as connection:
        assert connection.execute(select(effects.c.attempt)).scalars().all() == [2]
        assert connection.execute(select(func.count()).select_from(attempts)).scalar_one() == 2


DRIFT = Difference(
    check="balance",
    code="BALANCE_DRIFT",
    kind="amount",
    wallet="7",
    entry=None,
    currency="SAR",
    amount_minor=5,
)


def test_runs_of_one_reconciliation_that_record_at_once_agree_on_its_breaks(
    runs: RunStore, database: Database
) -> None:
    store = ReconciliationStore(database)
    claims = [a_claim(runs) for _ in range(MANY)]
    at = datetime(2026, 11, 24, 2, tzinfo=UTC)
    # In an order of each one's own: rows that are written in turn are not waited for in a circle.
    seen = [replace(DRIFT, wallet=str(wallet)) for wallet in range(50)]

    def record(number: int) -> Recorded:
        found = Reconciled(
            run_id=claims[number].run_id,
            reconciliation="wallets",
            cut_off=at,
            read_at=at,
            period=None,
            checks=["balance"],
            differences=seen[number:] + seen[:number],
            sides=[],
            findings=[],
            totals=[],
            counts={},
        )
        with database.begin() as connection:
            return store.record(connection, found, at=at)

    for time_ in range(2):
        recorded = at_once(*[partial(record, number) for number in range(MANY)])
        assert sum(each.opened for each in recorded) == (0 if time_ else 50)
    known = BreakStore(database).list()
    assert len(known) == 50
    assert {each.occurrences for each in known} == {MANY}
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(break_moves)).scalar_one() == 50
