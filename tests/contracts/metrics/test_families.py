"""What a scrape shows of a ledger; counters are those of the ledger, not of the process."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

import pytest
from prometheus_client.metrics_core import Metric

from engine.job import Job, job
from engine.metrics.families import EngineFamilies
from engine.metrics.reading import LedgerReader
from engine.metrics.readings import Readings
from engine.store.database import REVISION, Database
from engine.store.paused_queues import PausedQueueStore
from engine.store.runs import RunStore
from engine.store.workers import WorkerStore
from tests.builders.booking import (
    BROKEN,
    MIDNIGHT,
    a_claim,
    a_firing,
    a_run,
    let_leases_run_out,
)
from tests.builders.prometheus import served

Samples = Mapping[str, float]


@job(queue="payouts")
def pay(context: object) -> None:
    """Never runs here."""


JOBS: dict[str, Job] = {"pay": pay}


def scrape(database: Database) -> Samples:
    """Every sample of a process that has just started, by its name and labels."""
    readings = Readings(LedgerReader(database=lambda: database).read, patience=60)
    return served(EngineFamilies(readings=readings, jobs=JOBS, version="0.1.0"))


def test_a_new_ledger_shows_every_counter_at_zero(database: Database) -> None:
    found = scrape(database)
    assert found["engine_up"] == 1
    ledger = database.url.get_backend_name()
    info = f'engine_info{{ledger="{ledger}",revision="{REVISION}",version="0.1.0"}}'
    assert found[info] == 1
    for name in (
        'engine_attempts_total{job_name="pay",outcome="failed"}',
        'engine_retries_total{job_name="pay"}',
        'engine_rescues_total{job_name="pay"}',
        'engine_runs_booked_total{job_name="pay"}',
        'engine_firings_skipped_total{cause="missed",job_name="pay"}',
        'engine_attempt_duration_seconds_count{job_name="pay"}',
        'engine_runs{queue="payouts",state="ready"}',
        'engine_oldest_wait_seconds{queue="payouts"}',
        'engine_processes{kind="worker"}',
        'engine_events_total{kind="failed_runs_untouched"}',
        "engine_failed_runs_untouched",
    ):
        assert found[name] == 0, name


def test_whoever_scrapes_while_the_ledger_is_opened_is_not_told_that_it_is_away(
    database: Database,
) -> None:
    opening = iter([None, None, database])
    reader = LedgerReader(database=lambda: next(opening, database), patience=60)
    assert reader.read() is not None


def test_a_ledger_that_does_not_come_is_waited_for_once() -> None:
    asked: list[None] = []
    reader = LedgerReader(database=lambda: asked.append(None), patience=0.06)
    assert reader.read() is None
    count = len(asked)
    assert reader.read() is None
    assert len(asked) == count + 1


def test_queues_are_shown_as_they_stand(database: Database, runs: RunStore) -> None:
    a_run(runs, due_at=MIDNIGHT)
    a_claim(runs)
    runs.fail(a_claim(runs), BROKEN, needs_review=True)
    PausedQueueStore(database).pause("payouts", actor="sara", reason=None)
    WorkerStore(database).announce(
        worker="w", host="h", pid=1, kind="worker", queues=["default"], threads=4
    )
    found = scrape(database)
    states = {
        state: found[f'engine_runs{{queue="default",state="{state}"}}']
        for state in ("ready", "delayed", "retrying", "running", "failed")
    }
    assert states == {"ready": 1, "delayed": 0, "retrying": 0, "running": 1, "failed": 1}
    assert found['engine_oldest_wait_seconds{queue="default"}'] > 1_000_000
    assert found['engine_runs_in_review{queue="default"}'] == 1
    assert found['engine_queue_paused{queue="payouts"}'] == 1
    assert found['engine_queue_paused{queue="default"}'] == 0
    assert found['engine_workers{queue="default"}'] == 1
    assert found['engine_worker_threads{queue="default"}'] == 4
    assert found['engine_processes{kind="worker"}'] == 1


def test_counters_are_of_the_ledger_and_never_go_down(database: Database, runs: RunStore) -> None:
    run = a_run(runs)
    runs.retry_later(a_claim(runs, run), BROKEN, timedelta())
    runs.succeed(a_claim(runs, run), None)
    lost = a_run(runs)
    a_claim(runs, lost)
    let_leases_run_out(database)
    (dead,) = runs.lost()
    runs.rescue(dead, BROKEN, None)
    a_run(runs, firing=a_firing(), skipped="missed: no scheduler was running")
    first, again = scrape(database), scrape(database)
    assert first['engine_attempts_total{job_name="purge",outcome="failed"}'] == 1
    assert first['engine_attempts_total{job_name="purge",outcome="succeeded"}'] == 1
    assert first['engine_retries_total{job_name="purge"}'] == 1
    assert first['engine_rescues_total{job_name="purge"}'] == 1
    assert first['engine_runs_booked_total{job_name="purge"}'] == 3
    assert first['engine_firings_skipped_total{cause="missed",job_name="purge"}'] == 1
    assert first['engine_attempt_duration_seconds_bucket{job_name="purge",le="+Inf"}'] == 2
    counters = [name for name in first if "_total" in name or "_bucket" in name]
    assert counters
    assert {name: again[name] for name in counters} == {name: first[name] for name in counters}


def test_the_buckets_of_a_histogram_only_grow(database: Database, runs: RunStore) -> None:
    runs.succeed(a_claim(runs), None)
    found = scrape(database)
    buckets = [value for name, value in found.items() if "_bucket{" in name and "purge" in name]
    assert len(buckets) == 11
    assert buckets == sorted(buckets)
    assert buckets[-1] == found['engine_attempt_duration_seconds_count{job_name="purge"}'] == 1


def test_of_a_ledger_that_is_away_only_that_is_told() -> None:
    def away() -> Iterator[Metric]:
        families = EngineFamilies(readings=_Silent(), jobs=JOBS, version="0.1.0")  # type: ignore[arg-type]
        return families.families()

    samples = {sample.name: sample.value for metric in away() for sample in metric.samples}
    assert samples == {"engine_up": 0, "engine_info": 1}


@pytest.mark.parametrize("letter", ['"', "\\", "\n", "ع"])
def test_any_name_can_be_a_label(database: Database, runs: RunStore, letter: str) -> None:
    a_run(runs, queue=f"q{letter}")
    assert any("q" in name for name in scrape(database) if name.startswith("engine_runs{"))


class _Silent:
    """A ledger that does not answer."""

    def newest(self) -> None:
        """Nothing."""
