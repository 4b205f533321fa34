"""What the ledger shows the doctor, on every database that can hold one."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from engine.states import RunState
from engine.store.database import Database
from engine.store.runs import RunStore
from engine.store.symptoms import Symptoms
from engine.store.tables import attempts, runs
from tests.builders.booking import (
    BROKEN,
    LONG_AGO,
    a_claim,
    a_firing,
    a_run,
    due_now,
    let_leases_run_out,
)

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def symptoms(database: Database) -> Symptoms:
    return Symptoms(database)


@pytest.fixture
def store(database: Database) -> RunStore:
    return RunStore(database)


def a_failed_run(store: RunStore) -> str:
    run = a_run(store, attempts=1)
    store.fail(a_claim(store, run), BROKEN)
    return run.reference


def test_workers_have_the_runs_that_they_carry_out(store: RunStore, symptoms: Symptoms) -> None:
    a_claim(store, worker="one")
    a_claim(store, worker="one")
    a_claim(store, worker="two")
    assert symptoms.running() == {"one": 2, "two": 1}


def test_a_run_that_failed_or_is_retried_is_failing(store: RunStore, symptoms: Symptoms) -> None:
    failed = a_failed_run(store)
    retried = a_run(store)
    store.retry_later(a_claim(store, retried), BROKEN, MINUTE)
    a_run(store)
    found = symptoms.failing(within=DAY)
    assert [each.reference for each in found] == [retried.reference, failed]
    assert [each.attempts for each in found] == [1, 1]
    assert found[1].fingerprint == BROKEN.fingerprint
    assert found[1].state is RunState.FAILED


def test_attempts_that_ended_in_another_way_do_not_count(
    database: Database, store: RunStore, symptoms: Symptoms
) -> None:
    run = a_run(store)
    store.retry_later(a_claim(store, run), replace(BROKEN, type="ConnectionError"), MINUTE)
    due_now(database)
    store.fail(a_claim(store, run), BROKEN)
    (found,) = symptoms.failing(within=DAY)
    assert (found.attempts, found.error_type) == (1, "RuntimeError")


def test_attempts_that_were_put_off_are_no_failures(
    database: Database, store: RunStore, symptoms: Symptoms
) -> None:
    later = replace(BROKEN, type="RetryLater")
    run = a_run(store)
    for _ in range(3):
        store.put_off(a_claim(store, run), later, MINUTE)
        due_now(database)
    assert symptoms.failing(within=DAY) == []


def test_a_failure_of_last_year_is_history(
    database: Database, store: RunStore, symptoms: Symptoms
) -> None:
    a_failed_run(store)
    let_time_pass(database)
    assert symptoms.failing(within=DAY) == []


def test_a_run_is_lost_once_nobody_holds_its_lease(
    database: Database, store: RunStore, symptoms: Symptoms
) -> None:
    a_claim(store)
    assert symptoms.lost(since=MINUTE) == 0
    let_leases_run_out(database)
    assert symptoms.lost(since=MINUTE) == 1


def test_an_attempt_that_ended_has_its_duration(
    database: Database, store: RunStore, symptoms: Symptoms
) -> None:
    store.succeed(a_claim(store), None)
    a_claim(store)
    with database.begin() as connection:
        connection.execute(update(attempts).values(started_at=LONG_AGO, peak_memory_bytes=7))
        ended = attempts.c.finished_at.is_not(None)
        at = LONG_AGO + MINUTE
        connection.execute(update(attempts).where(ended).values(finished_at=at))
    (found,) = symptoms.ended()
    assert (found.job, found.queue) == ("purge", "default")
    assert (found.duration, found.peak_memory_bytes) == (MINUTE, 7)


def test_a_job_has_the_size_of_its_largest_params(store: RunStore, symptoms: Symptoms) -> None:
    a_run(store, params={"note": "x" * 10})
    a_run(store, params={"note": "x" * 1_000})
    assert 1_000 < symptoms.payloads()["purge"] < 1_100


def test_schedules_have_marks_once_they_are_in_force(store: RunStore, symptoms: Symptoms) -> None:
    assert symptoms.marks() == {}
    a_run(store, firing=a_firing())
    assert symptoms.marks() == {}


def let_time_pass(database: Database) -> None:
    with database.begin() as connection:
        connection.execute(update(runs).values(finished_at=LONG_AGO))
