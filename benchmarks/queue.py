"""Runs through a queue, end to end: this engine beside Huey, RQ, Celery, Dramatiq, Procrastinate.

    python -m benchmarks.queue [--runs N] [--rounds N] [--only NAME]

One Redis (it keeps nothing on disk) and one PostgreSQL (fsync on) serve everybody, and a second
Redis (appendfsync always) serves those that are `synced`: what is enqueued there survives a power
cut, as a row of the ledger does. In each round
each side starts anew, empty, with two workers; they are warmed up with a few runs. Then one
producer enqueues the runs one after the other while the workers carry them out. A run writes one
byte to a file, and nothing else. `runs/s` goes from the first call to enqueue to the last byte;
`enqueue` is how long such a call takes meanwhile; `CPU` is the workers' with all their processes
(servers and producer are not in it); `peak` is their memory, shared pages counted once. Those
that fork for each run carry out a tenth of the runs. Every figure is the median of the rounds.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from redis import Redis

from benchmarks.queue_peers import (
    by_celery,
    by_dramatiq,
    by_engine,
    by_huey,
    by_procrastinate,
    by_rq,
)
from benchmarks.queue_peers.mark import FILE
from benchmarks.queue_peers.peer import POSTGRES, REDIS, Peer, python
from engine.attempt.tree import read_tree
from tests.builders.postgres import PostgresServer
from tests.builders.redis import RedisServer, start_redis

ROOT = Path(__file__).parents[1]
# On the disk, which /tmp need not be.
WHERE = ROOT / "var" / "bench"
PEERS: Sequence[Peer] = [
    *by_engine.PEERS,
    *by_huey.PEERS,
    *by_celery.PEERS,
    *by_dramatiq.PEERS,
    *by_rq.PEERS,
    *by_procrastinate.PEERS,
]
# What must be ahead of what.
AIMS = [
    ("engine, in thread, sqlite", "Celery"),
    ("engine, in thread, sqlite", "Dramatiq"),
    ("engine, in thread, postgres", "Celery"),
    ("engine, in thread, postgres", "Dramatiq"),
    # What is enqueued survives a power cut on both sides.
    ("engine, in thread, sqlite", "Celery, synced"),
    ("engine, in thread, sqlite", "Dramatiq, synced"),
    ("engine, in thread, postgres", "Celery, synced"),
    ("engine, in thread, postgres", "Dramatiq, synced"),
    ("engine, isolated, sqlite", "RQ, forking"),
    ("engine, isolated, postgres", "RQ, forking"),
]
WARM = 100
GIVE_UP_SECONDS = 600
TICKS = os.sysconf("SC_CLK_TCK")
LOOK_EVERY = 0.005
MEMORY_EVERY = 0.5


class LastingPostgres(PostgresServer):
    """As in production: what it has committed survives a power cut."""

    @property
    def _command(self) -> list[str]:
        return [part.replace("--fsync=off", "--fsync=on") for part in super()._command]


class SyncedRedis(RedisServer):
    """As who wants to lose nothing has it: each write is on the disk before its answer."""

    @property
    def _command(self) -> list[str]:
        return [*super()._command[:-1], "yes", "--appendfsync", "always"]


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One side in one round. Seconds, but for the rate and the memory."""

    rate: float
    p50: float
    p99: float
    processor: float
    megabytes: float


@dataclass(frozen=True)
class Servers:
    """What everybody shares, emptied before each side has its turn."""

    redis: RedisServer
    synced_redis: RedisServer
    postgres: PostgresServer

    def afresh(self, peer: Peer) -> Mapping[str, str]:
        """Where an empty Redis and an empty database are."""
        redis = self.synced_redis if peer.synced else self.redis
        Redis.from_url(redis.url).flushall()
        database = self.postgres.make_database()
        return {REDIS: redis.url, POSTGRES: self.postgres.url_of(database)}


def measure(peer: Peer, servers: Servers, runs: int) -> Figures:
    """One round of one side, in processes of its own."""
    runs = max(int(runs * peer.share), 1)
    with TemporaryDirectory(dir=WHERE) as folder:
        home = Path(folder)
        environment = _environment(peer, home, servers.afresh(peer))
        with (home / "log").open("wb") as log:
            for command in peer.prepare:
                subprocess.run(command, env=environment, check=True, stdout=log, stderr=log)  # noqa: S603
            with _running(peer.workers, environment, log) as workers:
                figures = _measured(peer, workers, environment, home, runs)
        if peer in by_engine.PEERS:
            _require_in_the_ledger(environment, WARM + runs)
        return figures


def _environment(peer: Peer, home: Path, servers: Mapping[str, str]) -> dict[str, str]:
    clean = {name: to for name, to in os.environ.items() if not name.startswith("ENGINE_")}
    clean.pop("PYTHONDONTWRITEBYTECODE", None)
    ours = {
        "PYTHONPATH": str(ROOT),
        FILE: str(home / "marks"),
        # How RQ's worker is told.
        "RQ_REDIS_URL": servers[REDIS],
    }
    environment = {**clean, **servers, **ours, **peer.environment}
    ledger = environment.get("BENCH_LEDGER")
    if ledger is not None:
        (home / "jobs").mkdir()
        (home / "jobs" / "__init__.py").touch()
        (home / "jobs" / "bench.py").write_text(by_engine.JOBS)
        environment["ENGINE_HOME"] = str(home)
        environment["ENGINE_QUEUE_URL"] = servers[REDIS]
        if ledger == "postgres":
            environment["ENGINE_DATABASE_URL"] = servers[POSTGRES]
    return environment


@contextmanager
def _running(
    commands: Sequence[Sequence[str]], environment: Mapping[str, str], log: IO[bytes]
) -> Iterator[list[int]]:
    """The workers, by their processes; they are ended and waited for."""
    running: list[subprocess.Popen[bytes]] = []
    try:
        for command in commands:
            started = subprocess.Popen(command, env=environment, stdout=log, stderr=log)  # noqa: S603
            running.append(started)
        yield [process.pid for process in running]
    finally:
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _measured(
    peer: Peer, workers: Sequence[int], environment: Mapping[str, str], home: Path, runs: int
) -> Figures:
    marks = home / "marks"
    marks.touch()
    command = python("benchmarks.queue_peers.producer", peer.module, str(runs), str(WARM))
    with subprocess.Popen(  # noqa: S603 - our own
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as producer:
        if producer.stdin is None or producer.stdout is None:
            raise RuntimeError("the producer has no pipes")
        try:
            _await(peer, marks, WARM, workers, home)
            before = _processor(workers)
            producer.stdin.write(b"go\n")
            producer.stdin.flush()
            ended_at, peak = _await(peer, marks, WARM + runs, workers, home)
            after = _processor(workers)
            told = json.loads(producer.stdout.readline())
        finally:
            producer.kill()
    return Figures(
        rate=runs / (ended_at - told["began_at"]),
        p50=told["p50"],
        p99=told["p99"],
        processor=(after - before) / runs,
        megabytes=peak / 1e6,
    )


def _await(
    peer: Peer, marks: Path, count: int, workers: Sequence[int], home: Path
) -> tuple[float, int]:
    """Wait for so many runs; when that was, and the most memory that the workers had."""
    give_up_at = time.monotonic() + GIVE_UP_SECONDS
    peak, memory_at = 0, 0.0
    while (size := marks.stat().st_size) < count:
        now = time.monotonic()
        if now > give_up_at:
            said = (home / "log").read_text(errors="replace")[-2000:]
            sys.exit(f"{peer.name} carried out {size} of {count} runs:\n{said}")
        if now >= memory_at:
            memory_at = now + MEMORY_EVERY
            processes = read_tree()
            peak = max(peak, sum(processes.memory(pid) for pid in workers))
        time.sleep(LOOK_EVERY)
    return time.monotonic(), peak


def _processor(workers: Sequence[int]) -> float:
    """Seconds of processor that the workers and all below them have used, the dead included."""
    processes = read_tree()
    every = {each for pid in workers for each in (pid, *processes.descendants(pid))}
    ticks = 0
    for pid in every:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        # utime, stime, and those of children that were waited for.
        ticks += sum(map(int, stat.rpartition(")")[2].split()[11:15]))
    return ticks / TICKS


def _require_in_the_ledger(environment: Mapping[str, str], runs: int) -> None:
    done = subprocess.run(  # noqa: S603 - our own
        python(by_engine.__name__), env=environment, check=True, capture_output=True, text=True
    )
    if int(done.stdout) != runs:
        sys.exit(f"the ledger has {done.stdout.strip()} successes for {runs} runs")


def _middle(kept: Sequence[Figures]) -> Figures:
    names = Figures.__dataclass_fields__
    middle: dict[str, Any] = {
        name: statistics.median(getattr(each, name) for each in kept) for name in names
    }
    return Figures(**middle)


def show(kept: Sequence[tuple[Peer, Sequence[Figures]]]) -> None:
    """The table, what each side promises, and whether the aims are met."""
    middles = {peer.name: _middle(figures) for peer, figures in kept}
    beside = [name for name in ("Celery", "Dramatiq", "RQ, forking") if name in middles]
    head = f"{'':28}{'runs/s':>8}{'enqueue p50':>12}{'p99 ms':>8}{'CPU ms':>8}{'peak MB':>9}"
    print(head, *(f"{'x ' + name:>13}" for name in beside), "  all rounds")
    for peer, figures in kept:
        mid = middles[peer.name]
        enqueue = f"{mid.p50 * 1000:12.2f}{mid.p99 * 1000:8.2f}"
        line = (
            f"{peer.name:28}{mid.rate:8.0f}{enqueue}{mid.processor * 1000:8.2f}{mid.megabytes:9.0f}"
        )
        ratios = (f"{mid.rate / middles[name].rate:13.2f}" for name in beside)
        print(line, *ratios, "  " + ", ".join(f"{each.rate:.0f}" for each in figures))
    print("\nWhat a crash costs")
    for peer, _ in kept:
        print(f"{peer.name:28}{peer.durability}")
    print("\nWhat a power cut costs")
    for peer, _ in kept:
        print(f"{peer.name:28}{peer.power_cut}")
    print()
    for ours, theirs in AIMS:
        if ours in middles and theirs in middles:
            met = "met" if middles[ours].rate > middles[theirs].rate else "MISSED"
            print(f"aim: {ours} ahead of {theirs}: {met}")


def main() -> None:
    """Read the arguments; everybody in turn, round after round."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", action="append", default=[], help="sides whose name has this")
    options = parser.parse_args()
    chosen = [
        peer
        for peer in PEERS
        if not options.only or any(part in peer.name for part in options.only)
    ]
    kept: dict[str, list[Figures]] = {peer.name: [] for peer in chosen}
    WHERE.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=WHERE) as folder:
        redis = start_redis(Path(folder, "redis"))
        synced = SyncedRedis(Path(folder, "synced"))
        postgres = LastingPostgres()
        servers = Servers(redis, synced, postgres)
        try:
            synced.start()
            postgres.start()
            for number in range(options.rounds):
                for peer in chosen:
                    figures = measure(peer, servers, options.runs)
                    kept[peer.name].append(figures)
                    said = f"round {number + 1}: {peer.name}: {figures.rate:.0f} runs/s"
                    print(said, file=sys.stderr, flush=True)
        finally:
            redis.stop()
            synced.stop()
            postgres.remove()
    print(f"median of {options.rounds}; {options.runs:,} runs, two workers\n")
    show([(peer, kept[peer.name]) for peer in chosen])


if __name__ == "__main__":
    main()
