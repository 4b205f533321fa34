"""What an isolated attempt costs through the whole engine, and what that is made of.

    python -m benchmarks.attempts [--runs N] [--rounds N]

A real worker with one thread carries out trivial runs from a SQLite queue. Its cost is the time
from the first claim to the last outcome in the ledger, divided by the runs: forking, joining the
engine in the child, the job, the ledger's writes and taking the next message are all in it.
Beside it, in the same run: the same job in the worker's thread (`isolated=False`), a plain
Huey consumer calling a function, and a fresh interpreter for each attempt that imports what a
job needs, which is what the fork server saves. Every figure is the median of the rounds.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[1]

LIMIT_MS = 60
GIVE_UP_SECONDS = 120

JOBS = '''
"""Jobs that do next to nothing."""

import logging

from engine.authoring import job


@job()
def isolated(context):
    """Nothing."""


@job()
def logged(context):
    """One line."""
    logging.getLogger("bench").info("one line")


@job(isolated=False)
def in_thread(context):
    """Nothing, in the worker."""
'''

HUEY = """
import sys, threading, time
from huey import SqliteHuey
from huey.consumer import Consumer

huey = SqliteHuey(filename=sys.argv[1], results=False)
count, at = int(sys.argv[2]), []

@huey.task()
def nothing():
    at.append(time.perf_counter())

for _ in range(count + 1):
    nothing()
consumer = Consumer(huey, workers=1, periodic=False)
consumer.start()
while len(at) <= count:
    time.sleep(0.01)
consumer.stop(graceful=True)
print((at[-1] - at[0]) / count)
"""

FRESH = "import engine.app, engine.effects.effects, engine.authoring, engine.execution.performing"


def nothing() -> Any:
    """What performs when only the fork is measured."""
    return lambda order, report: report.outcome({"result": None})


class Bench:
    """A home with a running worker, and the ways of measuring an attempt in it."""

    def __init__(self, home: Path, runs: int) -> None:
        from engine.app import build_app
        from engine.settings import load_settings

        self.home = home
        self.count = runs
        self.app = build_app(load_settings())
        self._round = 0

    def through_the_engine(self, job: str) -> float:
        """Seconds a run, from the first claim to the last outcome."""
        from engine.store.run import NewRun

        new = NewRun(job=job, queue="default")
        booked = [self.app.dispatch.book(new).run.id for _ in range(self.count)]
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while self.app.runs.get(booked[-1]).finished_at is None:
            if time.monotonic() > deadline:
                raise SystemExit("the runs do not end")
            time.sleep(0.02)
        ended = [self.app.runs.get(each) for each in booked]
        if {run.state for run in ended} != {"succeeded"}:
            raise SystemExit(f"a run failed: {ended[0].error}")
        begun = min(run.started_at for run in ended if run.started_at)
        over = max(run.finished_at for run in ended if run.finished_at)
        return (over - begun) / timedelta(seconds=1) / self.count

    def at_the_fork_server(self, performer: str) -> float:
        """Seconds an attempt takes from order to end, without the ledger's part."""
        from engine.execution.orders import Order
        from engine.worker.fork_server import ForkServer

        payload: dict[str, Any] = {
            "job": "isolated",
            "module": "jobs.bench",
            "reference": "TR-20261124-7K3F9",
            "params": {},
            "sealed": {},
            "schedule": None,
            "scheduled_for": None,
            "period": None,
        }
        modules = {job.function.__module__ for job in self.app.jobs.values()}
        preload = ["engine.app", "engine.effects.effects", "engine.execution.performing", *modules]
        server = ForkServer.start(preload=preload, performer=performer)
        try:
            began_at = time.perf_counter()
            for number in range(self.count):
                order = Order(id=str(number), run_id=1, attempt=1, token="", payload=payload)
                end = server.run(order)
                if not end.outcome or "error" in end.outcome:
                    raise SystemExit(f"an attempt failed: {end}")
            return (time.perf_counter() - began_at) / self.count
        finally:
            server.close()

    def in_the_ledger(self) -> float:
        """Seconds for the ledger's part of a run: claim it, read it, write its outcome."""
        from engine.store.run import NewRun

        runs = self.app.runs
        booked = [runs.book(NewRun(job="x", queue="nobody"))[0].id for _ in range(self.count)]
        began_at = time.perf_counter()
        for run_id in booked:
            claim = runs.claim(run_id, "bench")
            runs.get(run_id)
            if claim is None or not runs.succeed(claim, None):
                raise SystemExit("a claim was lost")
        return (time.perf_counter() - began_at) / self.count

    def by_plain_huey(self) -> float:
        """Seconds a task of a plain Huey consumer with one thread, queue on SQLite."""
        self._round += 1
        file = str(self.home / f"huey-{self._round}.db")
        command = [sys.executable, "-c", HUEY, file, str(self.count)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
        return float(done.stdout)

    def by_a_fresh_interpreter(self) -> float:
        """Seconds for a Python that imports what a job needs, and ends."""
        began_at = time.perf_counter()
        few = max(self.count // 10, 3)
        for _ in range(few):
            subprocess.run([sys.executable, "-c", FRESH], check=True)  # noqa: S603
        return (time.perf_counter() - began_at) / few


@contextmanager
def a_bench(runs: int) -> Iterator[Bench]:
    """A bench in a folder of its own, its worker running."""
    with TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "jobs").mkdir()
        (home / "jobs" / "__init__.py").touch()
        (home / "jobs" / "bench.py").write_text(JOBS)
        for name in [name for name in os.environ if name.startswith("ENGINE_")]:
            del os.environ[name]
        os.environ |= {"ENGINE_HOME": folder, "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}"}
        # Every Python here may use compiled modules, as an installed engine does.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        worker = [sys.executable, "-m", "engine", "queue", "work", "--workers", "1"]
        process = subprocess.Popen(worker, stderr=subprocess.DEVNULL)  # noqa: S603 - our own
        try:
            yield Bench(home, runs)
        finally:
            process.terminate()
            process.wait()


def main() -> None:
    """Measure everything in turn, round after round, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=50, help="runs in a round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with a_bench(options.runs) as bench:
        measures: dict[str, Callable[[], float]] = {
            "isolated attempt, whole engine": lambda: bench.through_the_engine("isolated"),
            "the same, logging one line": lambda: bench.through_the_engine("logged"),
            "isolated=False, whole engine": lambda: bench.through_the_engine("in_thread"),
            "plain Huey, thread, a function": bench.by_plain_huey,
            "a fresh interpreter, imports only": bench.by_a_fresh_interpreter,
            "part: fork, pipes, end (no job)": lambda: bench.at_the_fork_server(
                "benchmarks.attempts:nothing"
            ),
            "part: with the child's engine and job": lambda: bench.at_the_fork_server(
                "engine.attempt.perform:performer"
            ),
            "part: claim, read, outcome in the ledger": bench.in_the_ledger,
        }
        bench.through_the_engine("isolated")  # the worker has come up, its modules are warm
        rounds: list[Sequence[float]] = [
            [measure() for measure in measures.values()] for _ in range(options.rounds)
        ]
    medians = dict(zip(measures, map(statistics.median, zip(*rounds, strict=True)), strict=True))
    whole = medians["isolated attempt, whole engine"]
    print(f"{options.rounds} rounds of {options.runs} runs, one worker thread, SQLite queue\n")
    print(f"{'':42}{'ms a run':>9}{'ratio':>8}")
    for name, seconds in medians.items():
        print(f"{name:42}{seconds * 1000:>9.1f}{seconds / whole:>8.2f}")
    if whole * 1000 > LIMIT_MS:
        raise SystemExit(f"an isolated attempt costs more than {LIMIT_MS} ms")


if __name__ == "__main__":
    main()
