"""Reconciling wallets in SQLite: `balance` and `chain` by us, beside pandas for `balance` alone.

    python benchmarks/reconciliation.py [--wallets N] [--entries N] [--runs N]

Each side runs in a process of its own that has imported nothing yet; both read the same file,
which was made once and is in the page cache. Pandas does what its manual shows: `read_sql` of the
columns it needs through a plain `sqlite3` connection (the faster of the two it takes), a filter
on the cut-off, a groupby. The drifting wallets and their amounts must be equal, and our breaks
of the chain must be those that were planted; else the benchmark fails.
"""

import argparse
import json
import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

HOME = Path(__file__).parents[1]
CUT_OFF = "2026-04-01 00:00:00"
PLANTED = 200  # of each kind
START = 1_767_225_600  # 2026-01-01T00:00:00Z
SECONDS = 90 * 86_400

DEFINITION = """
title: Benchmark
currency: SAR
source: bench
sides:
  wallets:
    query: SELECT id, opening_minor, balance_minor FROM wallets
    columns: {wallet: id, opening: opening_minor, balance: balance_minor}
  entries:
    query: SELECT id, wallet_id, type, amount_minor, balance_after_minor, posted_at FROM entries
    columns: {wallet: wallet_id, entry: id, amount: amount_minor,
              balance_after: balance_after_minor, posted_at: posted_at}
sign: {column: type, plus: [topup, refund], minus: [purchase, withdrawal]}
checks:
  balance: {tolerance: 0}
  chain: {tolerance: 0}
"""

SCHEMA = """
CREATE TABLE wallets (
    id INTEGER PRIMARY KEY, currency TEXT NOT NULL,
    opening_minor INTEGER NOT NULL, balance_minor INTEGER NOT NULL
);
CREATE TABLE entries (
    id INTEGER PRIMARY KEY, wallet_id INTEGER NOT NULL, reference TEXT NOT NULL,
    type TEXT NOT NULL, amount_minor INTEGER NOT NULL, currency TEXT NOT NULL,
    balance_after_minor INTEGER NOT NULL, posted_at TEXT NOT NULL, status TEXT NOT NULL
);
"""


def make(path: Path, wallets: int, entries: int) -> None:
    """A ledger in the order of time, with planted drifts and broken chains in `planted`."""
    import numpy as np

    random = np.random.default_rng(7)
    wallet = random.integers(1, wallets + 1, size=entries)
    kind = np.searchsorted([0.12, 0.96, 0.98], random.random(entries))
    amount = np.where(
        kind == 0,
        random.integers(2_000, 20_000, size=entries),
        random.integers(100, 3_000, size=entries),
    )
    signed = np.where((kind == 0) | (kind == 2), amount, -amount)
    opening = random.integers(5_000, 50_000, size=wallets + 1)
    posted = np.sort(random.integers(0, SECONDS, size=entries)) + START
    by_wallet = np.argsort(wallet, kind="stable")
    running = np.cumsum(signed[by_wallet])
    firsts = np.r_[True, np.diff(wallet[by_wallet]) != 0]
    base = np.maximum.accumulate(np.where(firsts, np.arange(entries), 0))
    after = np.empty(entries, dtype=np.int64)
    after[by_wallet] = running - (running - signed[by_wallet])[base] + opening[wallet[by_wallet]]
    balance = opening.copy()
    np.add.at(balance, wallet, signed)
    drifting = random.choice(np.arange(1, wallets + 1), size=PLANTED, replace=False)
    balance[drifting] += random.integers(1, 5_000, size=PLANTED)
    # One wrong balance in mid-life breaks its chain going in and coming out.
    last = np.r_[np.diff(wallet[by_wallet]) != 0, True]
    inner = by_wallet[~firsts & ~last]
    chosen = random.choice(inner, size=PLANTED, replace=False)
    _, once = np.unique(wallet[chosen], return_index=True)
    broken = [int(at) for at in chosen[once]]
    after[broken] += 1
    names = np.array(["topup", "purchase", "refund", "withdrawal"])
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + SCHEMA)
        connection.executemany(
            "INSERT INTO wallets VALUES (?, 'SAR', ?, ?)",
            zip(range(1, wallets + 1), opening[1:].tolist(), balance[1:].tolist(), strict=True),
        )
        for start in range(0, entries, 500_000):
            part = slice(start, min(start + 500_000, entries))
            texts = np.datetime_as_string(posted[part].astype("datetime64[s]")).tolist()
            connection.executemany(
                "INSERT INTO entries VALUES (?, ?, 'E' || ?1, ?, ?, 'SAR', ?, ?, 'posted')",
                zip(
                    range(part.start + 1, part.stop + 1),
                    wallet[part].tolist(),
                    names[kind[part]].tolist(),
                    amount[part].tolist(),
                    after[part].tolist(),
                    [text.replace("T", " ") for text in texts],
                    strict=True,
                ),
            )
        connection.execute("CREATE TABLE planted (wallet INTEGER)")
        connection.executemany(
            "INSERT INTO planted VALUES (?)", [(int(wallet[at]),) for at in broken]
        )
        connection.commit()


def ours(path: Path) -> dict[str, Any]:
    """Both checks, by the engine."""
    from engine.clock import SystemClock
    from engine.reconciliation.definitions import Definitions
    from engine.reconciliation.reconcile import Reconciler
    from engine.sources.catalog import Sources

    with TemporaryDirectory() as folder:
        (Path(folder) / "bench.yaml").write_text(DEFINITION, encoding="utf-8")
        definitions = Definitions(Path(folder), Sources({"bench": f"sqlite:///{path}"}, HOME))
        reconciler = Reconciler(
            definitions=definitions, clock=SystemClock(), memory_limit=MEMORY_LIMIT
        )
        cut_off = datetime.fromisoformat(CUT_OFF).replace(tzinfo=UTC)
        result = reconciler.find("bench", cut_off=cut_off)
    drifts = [each for each in result.differences if each.check == "balance"]
    chains = [each for each in result.differences if each.check == "chain"]
    return {
        "drifts": {each.wallet: each.amount_minor for each in drifts},
        "chains": sorted({int(each.wallet) for each in chains}),
    }


def pandas(path: Path) -> dict[str, Any]:
    """The balance check, as the manual would have it."""
    import pandas as pd

    with closing(sqlite3.connect(path)) as connection:
        entries = pd.read_sql(
            "SELECT wallet_id, type, amount_minor, posted_at FROM entries", connection
        )
        wallets = pd.read_sql("SELECT id, opening_minor, balance_minor FROM wallets", connection)
    entries = entries[entries["posted_at"] < CUT_OFF]
    sign = entries["type"].map({"topup": 1, "refund": 1, "purchase": -1, "withdrawal": -1})
    sums = (entries["amount_minor"] * sign).groupby(entries["wallet_id"]).sum()
    moved = wallets["id"].map(sums).fillna(0).astype("int64")
    drift = wallets["balance_minor"] - wallets["opening_minor"] - moved
    found = wallets[drift != 0]
    return {
        "drifts": {
            str(wallet): int(amount)
            for wallet, amount in zip(found["id"], drift[drift != 0], strict=True)
        }
    }


MEMORY_LIMIT = "850MB"
SIDES: Mapping[str, Callable[[Path], dict[str, Any]]] = {"engine": ours, "pandas": pandas}


@dataclass(frozen=True)
class Measured:
    """One process: how long it took by the clock and the processor, and its peak of memory."""

    seconds: float
    processor: float
    megabytes: float
    found: dict[str, Any]


def measure(side: str, path: Path) -> Measured:
    """Run one side in a process of its own."""
    command = [sys.executable, __file__, "--side", side, "--database", str(path)]
    environment = {**os.environ, "PYTHONPATH": str(HOME)}
    began = time.perf_counter()
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)  # noqa: S603
    seconds = time.perf_counter() - began
    told = json.loads(done.stdout)
    return Measured(seconds, told["processor"], told["megabytes"], told["found"])


def compare(path: Path, runs: int) -> None:
    """Both sides in turn, compared and shown."""
    measured: dict[str, list[Measured]] = {side: [] for side in SIDES}
    for _ in range(runs):
        for side, kept in measured.items():
            kept.append(measure(side, path))
    with closing(sqlite3.connect(path)) as connection:
        planted = [row[0] for row in connection.execute("SELECT wallet FROM planted ORDER BY 1")]
    engine, peer = measured["engine"][0].found, measured["pandas"][0].found
    if engine["drifts"] != peer["drifts"] or len(peer["drifts"]) != PLANTED:
        sys.exit("the two do not find the same drifts")
    if engine["chains"] != planted:
        sys.exit("the chains that were found broken are not those that were broken")
    print(f"{'':8} {'what':17} {'seconds':>8} {'processor':>10} {'peak MB':>8}   all runs")
    medians = {}
    for side, kept in measured.items():
        what = "balance + chain" if side == "engine" else "balance alone"
        medians[side] = (
            statistics.median(each.seconds for each in kept),
            statistics.median(each.processor for each in kept),
            statistics.median(each.megabytes for each in kept),
        )
        seconds, processor, megabytes = medians[side]
        every = ", ".join(f"{each.seconds:.1f}" for each in kept)
        print(f"{side:8} {what:17} {seconds:8.2f} {processor:10.2f} {megabytes:8.0f}   {every}")
    faster, cheaper, smaller = (
        theirs / mine for theirs, mine in zip(medians["pandas"], medians["engine"], strict=True)
    )
    print(f"{'ratio':8} {'':17} {faster:7.1f}x {cheaper:9.1f}x {smaller:7.1f}x")
    print(f"equal: {len(peer['drifts'])} drifts; {len(planted)} broken chains, all planted")


def main() -> None:
    """Read the arguments; make the ledger if it is not there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wallets", type=int, default=1_000_000)
    parser.add_argument("--entries", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--database", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.side:
        found = SIDES[asked.side](asked.database)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        told = {"processor": time.process_time(), "megabytes": peak, "found": found}
        print(json.dumps(told))
        return
    path = HOME / "var" / "bench" / f"wallets-{asked.wallets}-{asked.entries}.db"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        print(f"making {path.relative_to(HOME)} once")
        partial = path.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        make(partial, asked.wallets, asked.entries)
        partial.rename(path)
    print(f"{asked.wallets:,} wallets, {asked.entries:,} entries, median of {asked.runs}")
    compare(path, asked.runs)


if __name__ == "__main__":
    main()
