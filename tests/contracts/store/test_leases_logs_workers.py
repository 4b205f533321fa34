"""The small stores: leases, log lines, processes that are there, and schedules' marks."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.store.database import Database
from engine.store.leases import LeaseStore
from engine.store.logs import LogLine, LogStore
from engine.store.runs import RunStore
from engine.store.schedule_marks import booked_until, mark
from engine.store.workers import WorkerStore
from tests.builders.booking import MIDNIGHT, a_claim, a_run, let_leases_run_out

MINUTE = timedelta(minutes=1)


def a_line(text: str, **changes: object) -> LogLine:
    """A line of the first attempt."""
    values: dict[str, object] = {"attempt": 1, "at": MIDNIGHT, "stream": "log", "text": text}
    return LogLine(**values | changes)  # type: ignore[arg-type]


def announce(store: WorkerStore, worker: str) -> None:
    """A worker of two queues says that it is there."""
    store.announce(worker=worker, host="h", pid=7, kind="worker", queues=["b", "a"], threads=4)


def test_a_lease_is_one_holders_until_it_runs_out(database: Database) -> None:
    leases = LeaseStore(database)
    assert leases.take("sweep", "one", lasting=MINUTE) is True
    assert leases.take("sweep", "one", lasting=MINUTE) is True
    assert leases.take("sweep", "two", lasting=MINUTE) is False
    assert leases.take("other", "two", lasting=MINUTE) is True
    let_leases_run_out(database)
    assert leases.take("sweep", "two", lasting=MINUTE) is True
    assert leases.take("sweep", "one", lasting=MINUTE) is False


def test_only_its_holder_gives_a_lease_up(database: Database) -> None:
    leases = LeaseStore(database)
    leases.take("sweep", "one", lasting=MINUTE)
    leases.release("sweep", "two")
    assert leases.take("sweep", "two", lasting=MINUTE) is False
    leases.release("sweep", "one")
    assert leases.take("sweep", "two", lasting=MINUTE) is True


def test_lines_come_back_in_the_order_in_which_they_came(runs: RunStore) -> None:
    logs = LogStore(runs.database)
    run, other = a_run(runs), a_run(runs)
    logs.append(run.id, [a_line("first", at=MIDNIGHT + MINUTE), a_line("second")])
    logs.append(run.id, [])
    logs.append(other.id, [a_line("of another run")])
    logs.append(run.id, [a_line("ثالث", attempt=2, stream="stdout")])
    assert [line.text for line in logs.of_run(run.id)] == ["first", "second", "ثالث"]
    assert [line.text for line in logs.of_run(run.id, after=2)] == ["ثالث"]
    assert [line.text for line in logs.of_run(run.id, attempt=1, after=1)] == ["second"]
    assert logs.of_run(run.id)[0] == a_line("first", at=MIDNIGHT + MINUTE)


def test_a_process_is_there_while_it_is_seen(database: Database) -> None:
    store = WorkerStore(database)
    announce(store, "one")
    announce(store, "two")
    first, second = store.present()
    assert (first.id, second.id) == ("one", "two")
    assert (first.queues, first.threads, first.kind, first.pid) == (["b", "a"], 4, "worker", 7)
    assert abs(first.seen_until - first.started_at - store.presence) < timedelta(milliseconds=10)
    store.leave("one")
    assert [each.id for each in store.present()] == ["two"]
    let_leases_run_out(database)
    assert store.present() == []


def test_a_process_seen_again_says_what_it_saw(database: Database) -> None:
    store = WorkerStore(database)
    announce(store, "one")
    let_leases_run_out(database)
    assert store.seen("one", foreign_messages=3) is True
    (process,) = store.present()
    assert process.foreign_messages == 3


def test_a_process_that_was_taken_for_gone_is_told_so(database: Database) -> None:
    store = WorkerStore(database)
    announce(store, "one")
    let_leases_run_out(database)
    announce(store, "two")
    assert store.seen("one") is False
    announce(store, "one")
    assert {each.id for each in store.present()} == {"one", "two"}


@pytest.mark.parametrize("moved", [MINUTE, -MINUTE])
def test_a_mark_is_of_one_trigger(database: Database, moved: timedelta) -> None:
    with database.begin() as connection:
        assert booked_until(connection, "hourly", "every hour") is None
        mark(connection, "hourly", "every hour", MIDNIGHT)
        assert booked_until(connection, "hourly", "every hour") == MIDNIGHT
        assert booked_until(connection, "hourly", "every day") is None
        assert booked_until(connection, "daily", "every hour") is None
        mark(connection, "hourly", "every day", MIDNIGHT + moved)
        assert booked_until(connection, "hourly", "every hour") is None
        assert booked_until(connection, "hourly", "every day") == MIDNIGHT + moved


def test_a_lease_is_by_the_databases_clock(runs: RunStore) -> None:
    run = runs.get(a_claim(runs).run_id)
    assert run.lease_until is not None
    assert abs(run.lease_until - datetime.now(UTC) - runs.lease) < timedelta(seconds=5)
