"""The small stores: leases, log lines, processes that are there, and schedules' marks."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from engine.store.database import Database
from engine.store.leases import LeaseStore
from engine.store.logs import LogLine, LogStore
from engine.store.runs import RunStore
from engine.store.schedule_marks import (
    ScheduleMark,
    all_marks,
    definition_of,
    forget_gone,
    last_read_at,
    let_go,
    mark_of,
    move_mark,
    put_first_marks,
    put_mark,
    read_again,
)
from engine.store.tables import leases
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


def a_mark(**changes: Any) -> ScheduleMark:
    """Of the schedule `hourly`, as it was read at midnight, booked up to then."""
    first = ScheduleMark(
        schedule="hourly",
        fingerprint="every hour",
        booked_until=MIDNIGHT,
        version="first",
        read_at=MIDNIGHT,
    )
    return replace(first, **changes)


def test_a_mark_is_of_one_schedule_and_says_which_version_is_in_force(database: Database) -> None:
    with database.begin() as connection:
        assert mark_of(connection, "hourly", to_book=True) is None
        put_mark(connection, a_mark(), {"job": "purge"})
        assert mark_of(connection, "hourly") == a_mark()
        assert definition_of(connection, "hourly") == {"job": "purge"}
        assert mark_of(connection, "daily") is None
        assert definition_of(connection, "daily") is None
        put_mark(connection, a_mark(schedule="daily", version=None, read_at=None))
        assert definition_of(connection, "daily") is None
        assert set(all_marks(connection)) == {"hourly", "daily"}


@pytest.mark.parametrize("moved", [MINUTE, -MINUTE])
def test_a_mark_never_moves_back(database: Database, moved: timedelta) -> None:
    further = max(MIDNIGHT, MIDNIGHT + moved)
    with database.begin() as connection:
        put_mark(connection, a_mark())
        move_mark(connection, "hourly", MIDNIGHT + moved)
        assert mark_of(connection, "hourly") == a_mark(booked_until=further)
        second = a_mark(
            version="second",
            fingerprint="every day",
            booked_until=MIDNIGHT + moved,
            read_at=MIDNIGHT + MINUTE,
        )
        assert put_mark(connection, second) is True
        assert mark_of(connection, "hourly") == replace(second, booked_until=further)


def test_first_marks_are_put_where_there_is_none(database: Database) -> None:
    with database.begin() as connection:
        put_first_marks(connection, [])
        put_mark(connection, a_mark(), {"job": "purge"})
        other = (a_mark(version="other"), {"job": "pay"})
        put_first_marks(connection, [(a_mark(schedule="weekly"), {"job": "export"}), other])
        assert set(all_marks(connection).values()) == {a_mark(), a_mark(schedule="weekly")}
        assert definition_of(connection, "weekly") == {"job": "export"}
        assert definition_of(connection, "hourly") == {"job": "purge"}


def test_a_version_that_is_read_again_is_newer_than_what_was_read_between(
    database: Database,
) -> None:
    noon = MIDNIGHT + timedelta(hours=12)
    with database.begin() as connection:
        put_mark(connection, a_mark())
        put_mark(connection, a_mark(schedule="daily", read_at=noon + MINUTE))
        seen = all_marks(connection)
        put_mark(connection, a_mark(schedule="weekly"))
        other = a_mark(schedule="weekly", version="other")
        read_again(connection, [*seen.values(), other], noon)
        read = {name: mark.read_at for name, mark in all_marks(connection).items()}
    assert read == {"hourly": noon, "daily": noon + MINUTE, "weekly": MIDNIGHT}


@pytest.mark.parametrize("read_at", [MIDNIGHT, MIDNIGHT - MINUTE])
def test_a_version_is_not_replaced_by_one_that_was_not_read_later(
    database: Database, read_at: datetime
) -> None:
    with database.begin() as connection:
        assert put_mark(connection, a_mark()) is True
        assert put_mark(connection, a_mark(version="second", read_at=read_at)) is False
        assert mark_of(connection, "hourly") == a_mark()


def test_a_schedule_that_went_is_gone_until_it_is_read_later(database: Database) -> None:
    noon = MIDNIGHT + timedelta(hours=12)
    with database.begin() as connection:
        assert last_read_at(connection) is None
        put_mark(connection, a_mark(), {"job": "purge"})
        assert last_read_at(connection) == MIDNIGHT
        put_mark(connection, a_mark(schedule="daily", read_at=noon))
        assert last_read_at(connection) == noon
        put_mark(connection, a_mark(schedule="ahead", booked_until=noon + MINUTE))
        put_mark(connection, a_mark(schedule="old", version=None, read_at=None))
        assert not any(mark.is_gone for mark in all_marks(connection).values())
        let_go(connection, [], noon)
        let_go(connection, ["hourly", "daily", "ahead", "old", "unknown"], noon)
        marks = all_marks(connection)
        assert {name for name, mark in marks.items() if mark.is_gone} == {"hourly", "ahead", "old"}
        assert marks["hourly"] == a_mark(version=None, read_at=noon, booked_until=noon)
        assert marks["ahead"].booked_until == noon + MINUTE
        assert definition_of(connection, "hourly") is None
        # When it went stays, however often it is not seen again.
        let_go(connection, ["hourly"], noon + MINUTE)
        gone = a_mark(version=None, read_at=noon + MINUTE, booked_until=noon)
        assert mark_of(connection, "hourly") == gone
        assert put_mark(connection, a_mark(read_at=noon)) is False
        assert put_mark(connection, a_mark(read_at=noon + MINUTE * 2)) is True


def test_only_what_went_before_an_instant_is_forgotten(database: Database) -> None:
    with database.begin() as connection:
        for name in ("kept", "went", "went later"):
            put_mark(connection, a_mark(schedule=name))
        put_mark(connection, a_mark(schedule="old", version=None, read_at=None))
        let_go(connection, ["went"], MIDNIGHT + MINUTE)
        let_go(connection, ["went later"], MIDNIGHT + MINUTE * 2)
        forget_gone(connection, MIDNIGHT + MINUTE * 2)
        assert set(all_marks(connection)) == {"kept", "went later", "old"}


def test_a_lease_from_before_the_clock_was_set_back_is_free(database: Database) -> None:
    store = LeaseStore(database)
    assert store.take("sweep", "one", lasting=MINUTE)
    with database.begin() as connection:
        connection.execute(update(leases).values(until=datetime.now(UTC) + timedelta(hours=1)))
    assert store.take("sweep", "two", lasting=MINUTE)
    assert not store.take("sweep", "one", lasting=MINUTE)


def test_a_lease_is_by_the_databases_clock(runs: RunStore) -> None:
    run = runs.get(a_claim(runs).run_id)
    assert run.lease_until is not None
    assert abs(run.lease_until - datetime.now(UTC) - runs.lease) < timedelta(seconds=5)
