"""The roll call: who is there, when it was last seen, and what it carries out."""

from datetime import timedelta

from engine.store.database import Database
from engine.store.runs import RunStore
from engine.store.workers import WorkerStore
from tests.builders.booking import BROKEN, a_claim, a_run, let_leases_run_out


def a_worker(store: WorkerStore, name: str = "host:7:aaaaaa") -> str:
    store.announce(
        worker=name,
        host="host",
        pid=7,
        kind="worker",
        queues=["default"],
        threads=4,
        version="0.1.0+3f9a2c1b",
        manager="systemd",
    )
    return name


def test_a_worker_has_the_runs_that_it_carries_out_the_longest_first(
    database: Database, runs: RunStore
) -> None:
    store = WorkerStore(database)
    busy, idle = a_worker(store), a_worker(store, "host:8:bbbbbb")
    first, second = a_run(runs), a_run(runs, queue="payouts")
    runs.retry_later(a_claim(runs, first, busy), BROKEN, timedelta())
    a_claim(runs, second, busy)
    a_claim(runs, first, busy)
    runs.succeed(a_claim(runs, worker=busy), None)
    a_claim(runs, worker="somebody else")
    at_work, at_rest = store.roll_call()
    assert (at_work.process.id, at_rest.process.id) == (busy, idle)
    assert [(each.reference, each.queue, each.attempt) for each in at_work.runs] == [
        (second.reference, "payouts", 1),
        (first.reference, "default", 2),
    ]
    assert at_work.runs[0].since <= at_work.runs[1].since
    assert at_rest.runs == []


def test_heartbeats_have_an_age_by_the_ledgers_clock(database: Database) -> None:
    store = WorkerStore(database)
    name = a_worker(store)
    store.seen(name, memory_bytes=123_000_000)
    (there,) = store.roll_call()
    assert there.heartbeat_age is not None
    assert timedelta() <= there.heartbeat_age < timedelta(seconds=10)
    assert (there.process.manager, there.process.memory_bytes) == ("systemd", 123_000_000)


def test_who_is_gone_is_not_called(database: Database) -> None:
    store = WorkerStore(database)
    a_worker(store)
    let_leases_run_out(database)
    assert store.roll_call() == []
