"""The families of metrics, made of a reading. Names and labels here are what alerts rely on."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.metrics_core import Metric

from engine.events import EventKind
from engine.job import Job
from engine.metrics.reading import Reading
from engine.metrics.readings import Readings
from engine.store.attempt_sums import BOUNDS, CAUSES, Durations
from engine.store.run_counts import QueueCounts

# Not `job`: that is what Prometheus calls the group of targets it scrapes.
JOB = "job_name"
_STATES = ("ready", "delayed", "retrying", "running", "failed")
# Shown from the first scrape on: of a counter that appears with its first count, `increase` sees
# nothing.
_OUTCOMES = (
    *("succeeded", "failed", "crashed", "lost"),
    *("cancelled", "handed_back", "put_off"),
)
_NOTHING = Durations(within=[0] * len(BOUNDS), count=0, seconds=0.0)


@dataclass(frozen=True, kw_only=True)
class EngineFamilies:
    """What this engine shows: the numbers of the ledger, at zero for its jobs that never ran."""

    readings: Readings
    jobs: Mapping[str, Job]
    version: str

    def prepare(self) -> None:
        """Begin to read: the first reading looks at every row."""
        self.readings.prepare()

    def families(self) -> Iterator[Metric]:
        """All of them; of a ledger that is away, that it is."""
        reading = self.readings.newest()
        up = "1 if the run ledger answered, 0 if it is away or too slow; then nothing else is told."
        yield GaugeMetricFamily("engine_up", up, value=0 if reading is None else 1)
        facts = {"version": self.version}
        if reading is not None:
            facts |= {"ledger": reading.ledger, "revision": reading.revision}
        yield InfoMetricFamily("engine", "The engine and its run ledger.", value=facts)
        if reading is not None:
            yield from _of_queues(reading, {job.queue for job in self.jobs.values()})
            yield from _of_processes(reading)
            yield from _of_jobs(reading, self.jobs)
            yield from _of_the_rest(reading)


def _of_queues(reading: Reading, known: Iterable[str]) -> Iterator[Metric]:
    served = {queue for process in reading.processes for queue in process.queues}
    queues = {queue: QueueCounts() for queue in sorted({*known, *served, *reading.paused})}
    queues |= reading.queues
    runs = GaugeMetricFamily(
        "engine_runs",
        "Runs by queue and state: ready (could start now), delayed (not due yet), retrying (between"
        " two attempts), running, failed.",
        labels=["queue", "state"],
    )
    wait = GaugeMetricFamily(
        "engine_oldest_wait_seconds",
        "How long the ready run that waits longest has waited; 0 if none is ready.",
        labels=["queue"],
    )
    paused = GaugeMetricFamily(
        "engine_queue_paused", "1 while a person has paused the queue.", labels=["queue"]
    )
    review = GaugeMetricFamily(
        "engine_runs_in_review",
        "Failed runs that wait for a person's decision: quarantined, or not to be repeated.",
        labels=["queue"],
    )
    for queue, counts in queues.items():
        for state in _STATES:
            runs.add_metric([queue, state], getattr(counts, state))
        wait.add_metric([queue], (counts.oldest_wait or timedelta()).total_seconds())
        paused.add_metric([queue], int(queue in reading.paused))
        review.add_metric([queue], counts.in_review)
    yield from (runs, wait, paused, review)
    yield GaugeMetricFamily(
        "engine_failed_runs_untouched",
        "Failed runs that nobody has done anything with for 24 hours.",
        value=reading.untouched,
    )


def _of_processes(reading: Reading) -> Iterator[Metric]:
    processes = GaugeMetricFamily(
        "engine_processes", "Processes that are alive, by kind.", labels=["kind"]
    )
    kinds = [process.kind for process in reading.processes]
    for kind in ("scheduler", "worker"):
        processes.add_metric([kind], kinds.count(kind))
    yield processes
    workers = GaugeMetricFamily(
        "engine_workers", "Workers that are alive and serve the queue.", labels=["queue"]
    )
    threads = GaugeMetricFamily(
        "engine_worker_threads",
        "Runs of the queue that can be under way at once.",
        labels=["queue"],
    )
    of_queue: defaultdict[str, list[int]] = defaultdict(list)
    for process in reading.processes:
        for queue in process.queues:
            of_queue[queue].append(process.threads)
    for queue in sorted({*of_queue, *reading.queues}):
        workers.add_metric([queue], len(of_queue[queue]))
        threads.add_metric([queue], sum(of_queue[queue]))
    yield from (workers, threads)


def _of_jobs(reading: Reading, known: Iterable[str]) -> Iterator[Metric]:
    sums = reading.sums
    jobs = sorted({*known, *sums.booked})
    booked = CounterMetricFamily("engine_runs_booked", "Runs that were booked.", labels=[JOB])
    attempts = CounterMetricFamily(
        "engine_attempts", "Attempts that ended, by outcome.", labels=[JOB, "outcome"]
    )
    retries = CounterMetricFamily(
        "engine_retries", "Attempts that ended and were not their run's first.", labels=[JOB]
    )
    rescues = CounterMetricFamily(
        "engine_rescues", "Attempts whose worker was lost, and whose runs were taken up.",
        labels=[JOB],
    )  # fmt: skip
    skipped = CounterMetricFamily(
        "engine_firings_skipped",
        "Firings that were booked as skipped: missed (no scheduler was running), overlap, other.",
        labels=[JOB, "cause"],
    )
    took = HistogramMetricFamily(
        "engine_attempt_duration_seconds",
        "How long attempts took that succeeded or failed.",
        labels=[JOB],
    )
    outcomes = sorted({*_OUTCOMES, *(outcome for _, outcome in sums.attempts)})
    for job in jobs:
        booked.add_metric([job], sums.booked.get(job, 0))
        retries.add_metric([job], sums.retries.get(job, 0))
        rescues.add_metric([job], sums.attempts.get((job, "lost"), 0))
        for outcome in outcomes:
            attempts.add_metric([job, outcome], sums.attempts.get((job, outcome), 0))
        for cause in CAUSES:
            skipped.add_metric([job, cause], sums.skipped.get((job, cause), 0))
        durations = sums.durations.get(job, _NOTHING)
        buckets = [
            (str(float(bound)), float(count))
            for bound, count in zip(BOUNDS, durations.within, strict=True)
        ]
        infinity = ("+Inf", float(durations.count))
        took.add_metric([job], buckets=[*buckets, infinity], sum_value=durations.seconds)
    yield from (booked, attempts, retries, rescues, skipped, took)


def _of_the_rest(reading: Reading) -> Iterator[Metric]:
    events = CounterMetricFamily(
        "engine_events", "Events that an operator should hear of.", labels=["kind"]
    )
    for kind in EventKind:
        events.add_metric([kind], reading.events.get(kind, 0))
    breaks = GaugeMetricFamily(
        "engine_open_breaks", "Breaks that are not closed.", labels=["reconciliation"]
    )
    for reconciliation, count in reading.open_breaks.items():
        breaks.add_metric([reconciliation], count)
    yield from (events, breaks)
    yield GaugeMetricFamily(
        "engine_reading_seconds", "How long it took to read the ledger.", value=reading.seconds
    )
