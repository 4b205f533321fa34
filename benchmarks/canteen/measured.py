"""What one process took: by the clock, by the processor, in memory."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOME = Path(__file__).parents[2]


@dataclass(frozen=True)
class Measured:
    """One process: how long it took by the clock and the processor, and its peak of memory."""

    seconds: float
    processor: float
    megabytes: float
    found: Any


def measure(module: str, *arguments: str) -> Measured:
    """Run `python -m module arguments` in a process of its own, which must `tell` at its end."""
    environment = {**os.environ, "PYTHONPATH": str(HOME)}
    command = [sys.executable, "-m", module, *arguments]
    began = time.perf_counter()
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)  # noqa: S603
    seconds = time.perf_counter() - began
    told = json.loads(done.stdout)
    return Measured(seconds, told["processor"], told["megabytes"], told["found"])


def tell(found: Any) -> None:
    """Say what this process found, and what it took so far."""
    # Not of getrusage, whose peak a process has from its parent.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (peak,) = (int(line.split()[1]) / 1024 for line in status.splitlines() if "VmHWM" in line)
    print(json.dumps({"processor": time.process_time(), "megabytes": peak, "found": found}))


def medians(kept: Sequence[Measured]) -> Measured:
    """The middle of several runs, each figure by itself."""

    def middle(figure: Callable[[Measured], float]) -> float:
        return statistics.median(map(figure, kept))

    return Measured(
        middle(lambda each: each.seconds),
        middle(lambda each: each.processor),
        middle(lambda each: each.megabytes),
        kept[0].found,
    )
