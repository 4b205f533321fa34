"""Jobs that are slow by themselves, or by their number."""

from datetime import timedelta

from sqlalchemy import update

from engine.operations.doctor.backlog import BACKLOG
from engine.operations.doctor.cause import Verdict
from engine.operations.doctor.limits import MEMORY, PAYLOADS, TIME_LIMITS
from engine.store.paused_queues import PausedQueueStore
from engine.store.tables import workers
from tests.builders.patient import Home

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


def test_more_waits_than_the_workers_get_through(home: Home) -> None:
    home.worker(threads=2)
    home.ended_run(took=4 * MINUTE)
    home.run()
    assert home.is_free_of(BACKLOG)
    for _ in range(2):
        home.run()
    said = home.has(BACKLOG)
    assert "3 runs in the queue default for 2 threads at 4 min a run: 6 min of work" in said
    (finding,) = home.look(BACKLOG).findings
    assert finding.next[0] == "engine queue work --queue=default --workers=2"


def test_a_paused_queue_is_no_backlog(home: Home) -> None:
    home.worker(threads=1)
    home.ended_run(took=timedelta(hours=1))
    home.run()
    assert home.has(BACKLOG)
    PausedQueueStore(home.database).pause("default", actor="sara", reason=None)
    assert home.is_free_of(BACKLOG)


def test_without_workers_there_is_no_telling_what_they_get_through(home: Home) -> None:
    home.run()
    assert home.look(BACKLOG).verdict is Verdict.UNCHECKED


def test_a_job_comes_close_to_its_time_limit(home: Home) -> None:
    for _ in range(4):
        home.ended_run(took=9 * SECOND)
    assert home.is_free_of(TIME_LIMITS)
    home.ended_run(took=9 * SECOND)
    said = home.has(TIME_LIMITS)
    assert "purge takes up to 9 s (95 of 100 attempts)" in said
    assert "time limit of 10 s" in said


def test_a_job_that_is_far_from_its_limit_may_come_close_once(home: Home) -> None:
    for _ in range(20):
        home.ended_run(took=SECOND)
    home.ended_run(took=9 * SECOND)
    assert home.is_free_of(TIME_LIMITS)


def test_the_limit_of_a_job_that_is_no_more_is_no_matter(home: Home) -> None:
    for _ in range(5):
        home.ended_run(took=MINUTE, job="retired")
    assert home.is_free_of(TIME_LIMITS)


def test_a_job_is_given_large_parameters(home: Home) -> None:
    home.run(params={"rows": "x" * 1_000})
    assert home.is_free_of(PAYLOADS)
    home.run(params={"rows": "x" * 70_000})
    assert "purge is given parameters of 70.0 kB" in home.has(PAYLOADS)


def test_a_job_comes_close_to_its_memory_limit(home: Home) -> None:
    home.ended_run(took=SECOND, peak=50_000_000)
    assert home.is_free_of(MEMORY)
    home.ended_run(took=SECOND, peak=95_000_000)
    assert "purge took 95.0 MB of memory; it is stopped at 100.0 MB" in home.has(MEMORY)


def test_a_worker_holds_much_memory(home: Home) -> None:
    home.worker(memory_bytes=80_000_000)
    assert home.is_free_of(MEMORY)
    with home.database.begin() as connection:
        connection.execute(update(workers).values(memory_bytes=2_000_000_000))
    assert "holds 2.0 GB of memory" in home.has(MEMORY)
