"""The ledger of a wallet system as PDF: ours beside WeasyPrint, typst, Chromium and two drawers.

    python -m benchmarks.pdf [--rows N ...] [--runs N] [--only NAME] [--most-weasyprint N]

Each writes a table of ten mixed columns in a process of its own that has imported nothing yet, one
after the other in turn, English and Arabic. Processor and memory are those of the process and all
that it starts. Poppler counts the rows of every file; one that lacks any fails the benchmark.
WeasyPrint stops at 5,000 rows, where it takes a minute.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.canteen.measured import HOME
from benchmarks.page_writers import WRITERS
from benchmarks.writers.group import Taken, taken_by

_ROWS = (100, 1_000, 5_000, 10_000, 50_000)
_MOST_MEGABYTES, _AHEAD, _ARABIC = 250, 10, 1.5


@dataclass(frozen=True)
class Line:
    """One writer, language and size, and what each of its runs took."""

    side: str
    language: str
    rows: int
    taken: Sequence[Taken]
    size: int

    def middle(self, figure: str) -> float:
        """The median of one figure."""
        figures: list[float] = [getattr(each, figure) for each in self.taken]
        return statistics.median(figures)


def measure(side: str, language: str, rows: int, runs: int) -> Line:
    """One writer at one size, checked."""
    where = HOME / "var" / "bench"
    where.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=where) as folder:
        file = Path(folder) / "ledger.pdf"
        module = [sys.executable, "-m", "benchmarks.page_writers"]
        command = [*module, side, language, str(rows), str(file)]
        taken = [taken_by(command) for _ in range(runs)]
        size = file.stat().st_size
        found = _rows_in(file)
        if found != rows:
            sys.exit(f"{side}, {language}: {found} rows of {rows}")
    return Line(side, language, rows, taken, size)


def _rows_in(file: Path) -> int:
    poppler = shutil.which("pdftotext") or sys.exit("there is no pdftotext")
    command = [poppler, "-raw", str(file), "-"]
    text = subprocess.run(command, check=True, capture_output=True).stdout  # noqa: S603
    return text.count(b"E-0")


def show(line: Line) -> None:
    """One line of the table."""
    every = ", ".join(f"{each.seconds:.1f}" for each in line.taken)
    print(
        f"{line.side:11} {line.language} {line.rows:8,} {line.middle('seconds'):8.2f} "
        f"{line.middle('processor'):10.2f} {line.middle('megabytes'):8.0f} "
        f"{line.size / 2**20:8.1f}   {every}",
        flush=True,
    )


def judge(lines: Sequence[Line]) -> None:
    """Where something is asked for, how far it is met."""
    by_side = {(line.side, line.language, line.rows): line for line in lines}
    print()
    for (side, language, rows), line in by_side.items():
        ours = by_side.get(("engine", language, rows))
        if ours and side != "engine":
            times = line.middle("processor") / ours.middle("processor")
            memory = line.middle("megabytes") / ours.middle("megabytes")
            print(
                f"{rows:,} {language}: {side} takes {times:.1f} x processor, {memory:.1f} x memory"
            )
    for (side, language, rows), line in by_side.items():
        english = by_side.get((side, "en", rows))
        if side == "engine" and language == "ar" and english:
            times = line.middle("processor") / english.middle("processor")
            print(f"{rows:,}: Arabic takes {times:.2f} x English (aim: {_ARABIC})")
    most = max((line.middle("megabytes") for line in lines if line.side == "engine"), default=0)
    print(f"the engine's peak is {most:.0f} MB (aim: {_MOST_MEGABYTES})")
    print(f"(aim: {_AHEAD} x the speed of WeasyPrint at 5,000 rows)")


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="*", default=_ROWS)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--most-weasyprint", type=int, default=5_000)
    chosen = parser.parse_args()
    print(f"{'':14} {'rows':>8} {'seconds':>8} {'processor':>10} {'peak MB':>8} {'file MB':>8}")
    lines = []
    for rows in chosen.rows:
        for side in WRITERS:
            if side == "WeasyPrint" and rows > chosen.most_weasyprint:
                continue
            if side == "Chromium" and not shutil.which("chromium"):
                continue
            # ReportLab has no bidi here, so its Arabic would not be any.
            for language in ("en",) if side == "ReportLab" else ("en", "ar"):
                if chosen.only in side:
                    lines.append(measure(side, language, rows, chosen.runs))
                    show(lines[-1])
    judge(lines)


if __name__ == "__main__":
    main()
