"""Reconciling wallets in SQLite and PostgreSQL: our checks, beside others for `balance` alone.

    python -m benchmarks.reconciliation [--wallets N] [--entries N] [--runs N] [--only DATABASE]

Each side runs in a process of its own that has imported nothing yet, one after the other in turn;
all read the same ledger, which was made once and is in the page cache. Beside us are `read_sql`
and a groupby of pandas as its manual shows them, polars over ADBC, and one SQL statement tuned by
hand over a covering index. All must find the same drifts, and we must find everything else that
was planted; otherwise the benchmark fails.
"""

import argparse
import sqlite3
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.canteen.ledger import CUT_OFF, make_postgres, make_sqlite
from benchmarks.canteen.measured import HOME, Measured, measure, medians, tell
from benchmarks.canteen.peers import pandas_on_sqlite, polars_over_adbc, tuned_sql

_DEFINITION = """
title: Benchmark
currency: SAR
source: bench
sides:
  wallets:
    query: SELECT id, opening_minor, balance_minor FROM wallets
    columns: {{wallet: id, opening: opening_minor, balance: balance_minor}}
  entries:
    query: >
      SELECT id, wallet_id, type, amount_minor, balance_after_minor, posted_at{more} FROM entries
    columns: {{wallet: wallet_id, entry: id, amount: amount_minor,
              balance_after: balance_after_minor, posted_at: posted_at{mapped}}}
sign: {{column: type, plus: [topup, refund], minus: [purchase, withdrawal]}}
staging: {staging}
checks: {checks}
"""
_BALANCE_AND_CHAIN = {"more": "", "mapped": "", "checks": "{balance: {}, chain: {}}"}
_FOUR = {
    "more": ", reference",
    "mapped": ", reference: reference",
    "checks": "{balance: {}, chain: {}, duplicate: {}, orphan: {}}",
}
_ENGINE = {
    "engine, balance + chain": _DEFINITION.format(**_BALANCE_AND_CHAIN, staging="memory"),
    "engine, four checks": _DEFINITION.format(**_FOUR, staging="memory"),
    "engine, four checks on disk": _DEFINITION.format(**_FOUR, staging="disk"),
}
_PEERS = {
    "pandas, balance": pandas_on_sqlite,
    "polars over ADBC, balance": polars_over_adbc,
    "tuned SQL, balance": tuned_sql,
}
_SIDES: Mapping[str, Sequence[str]] = {
    "sqlite": [*_ENGINE, *_PEERS],
    "postgres": [*_ENGINE, *(peer for peer in _PEERS if not peer.startswith("pandas"))],
}
_MEMORY_LIMIT = "700MB"


def ours(side: str, url: str) -> dict[str, Any]:
    """What the engine finds, by code."""
    from engine.clock import SystemClock
    from engine.reconciliation.definitions import Definitions
    from engine.reconciliation.reconcile import Reconciler
    from engine.sources.catalog import Sources

    with TemporaryDirectory() as folder:
        (Path(folder) / "bench.yaml").write_text(_ENGINE[side], encoding="utf-8")
        definitions = Definitions(Path(folder), Sources({"bench": url}, HOME))
        reconciler = Reconciler(
            definitions=definitions, clock=SystemClock(), memory_limit=_MEMORY_LIMIT
        )
        cut_off = datetime.fromisoformat(CUT_OFF).replace(tzinfo=UTC)
        result = reconciler.find("bench", cut_off=cut_off)
    found: dict[str, Any] = {"drift": {}}
    for each in result.differences:
        if each.check == "balance":
            found["drift"][each.wallet] = each.amount_minor
        else:
            found.setdefault(each.check, []).append([int(each.wallet), each.entry])
    return found


def compare(
    database: str, url: str, planted: Mapping[str, list[tuple[int, int | None]]], runs: int
) -> None:
    """Every side in turn, compared and shown."""
    kept: dict[str, list[Measured]] = {side: [] for side in _SIDES[database]}
    for _ in range(runs):
        for side, measured in kept.items():
            measured.append(measure("benchmarks.reconciliation", "--side", side, "--url", url))
    results = {side: medians(measured) for side, measured in kept.items()}
    # A second copy of an entry makes its wallet drift, for whoever does not ask for duplicates.
    drifting = {str(wallet) for kind in ("drift", "duplicate") for wallet, _ in planted[kind]}
    for side, result in results.items():
        _require(side, result.found, drifting, planted)
    print(f"{'':28} {'seconds':>8} {'processor':>10} {'peak MB':>8}   all runs")
    for side, result in results.items():
        every = ", ".join(f"{each.seconds:.1f}" for each in kept[side])
        figures = f"{result.seconds:8.2f} {result.processor:10.2f} {result.megabytes:8.0f}"
        print(f"{side:28} {figures}   {every}")
    peers = {side: result for side, result in results.items() if side not in _ENGINE}
    print(
        f"{'times as fast as, and times less memory than':44}", *(f"{peer:>26}" for peer in peers)
    )
    for side in _ENGINE:
        mine = results[side]
        beside = (
            f"{other.seconds / mine.seconds:16.2f} {other.megabytes / mine.megabytes:9.2f}"
            for other in peers.values()
        )
        print(f"{side:44}", *beside)


def _require(
    side: str,
    found: Any,
    drifting: set[str],
    planted: Mapping[str, list[tuple[int, int | None]]],
) -> None:
    if not side.startswith("engine"):
        if set(found) != drifting:
            sys.exit(f"{side} does not find the drifts that were planted")
        return
    if set(found["drift"]) != drifting:
        sys.exit(f"{side} does not find the drifts that were planted")
    broken = {wallet for wallet, _ in found["chain"]}
    due = {wallet for wallet, _ in planted["chain"]}
    if not due <= broken <= due | {wallet for wallet, _ in planted["duplicate"]}:
        sys.exit(f"{side} does not find the broken chains that were planted")
    if "four checks" in side:
        for check in ("duplicate", "orphan"):
            if {entry for _, entry in found[check]} != {str(entry) for _, entry in planted[check]}:
                sys.exit(f"{side} does not find what was planted for {check}")


@contextmanager
def _sqlite(wallets: int, entries: int) -> Iterator[tuple[str, list[tuple[str, int, int | None]]]]:
    path = HOME / "var" / "bench" / f"ledger-{wallets}-{entries}.db"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        print(f"making {path.relative_to(HOME)} once")
        partial = path.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        make_sqlite(partial, wallets, entries)
        partial.rename(path)
    with closing(sqlite3.connect(path)) as connection:
        yield f"sqlite:///{path}", connection.execute("SELECT * FROM planted").fetchall()


@contextmanager
def _postgres(
    wallets: int, entries: int
) -> Iterator[tuple[str, list[tuple[str, int, int | None]]]]:
    import psycopg

    from tests.builders.postgres import start_postgres

    server = start_postgres()
    try:
        make_postgres(server.url, wallets, entries)
        with psycopg.connect(server.url) as connection:
            planted = connection.execute("SELECT * FROM planted").fetchall()
        yield server.url_of("postgres", role="reader"), planted
    finally:
        server.remove()


_DATABASES = {"sqlite": _sqlite, "postgres": _postgres}


def main() -> None:
    """Read the arguments; make the ledgers that are not there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wallets", type=int, default=1_000_000)
    parser.add_argument("--entries", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", choices=_DATABASES)
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.side in _PEERS:
        tell(_PEERS[asked.side](asked.url))
        return
    if asked.side:
        tell(ours(asked.side, asked.url))
        return
    for database in [asked.only] if asked.only else _DATABASES:
        with _DATABASES[database](asked.wallets, asked.entries) as (url, rows):
            planted: dict[str, list[tuple[int, int | None]]] = {}
            for kind, wallet, entry in rows:
                planted.setdefault(kind, []).append((wallet, entry))
            sizes = f"{asked.wallets:,} wallets, {asked.entries:,} entries"
            print(f"{database}: {sizes}, median of {asked.runs}")
            compare(database, url, planted, asked.runs)


if __name__ == "__main__":
    main()
