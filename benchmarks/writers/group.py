"""What a command and all that it starts took: by the clock, by the processor, in memory."""

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.canteen.measured import HOME

_EVERY = 0.01  # seconds


@dataclass(frozen=True)
class Taken:
    """One command: seconds by the clock and the processor, and the peak of the group's memory."""

    seconds: float
    processor: float
    megabytes: float


def taken_by(command: Sequence[str], target: Path | None = None) -> Taken:
    """Run a command to its end, its output into `target`, and say what it took."""
    environment = {**os.environ, "PYTHONPATH": str(HOME), "PGTZ": "UTC"}
    with (target or Path(os.devnull)).open("wb") as output:
        began = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stdout=output)  # noqa: S603
        peak = 0
        while True:
            done, status, usage = os.wait4(process.pid, os.WNOHANG)
            if done:
                break
            peak = max(peak, _memory(process.pid))
            time.sleep(_EVERY)
        seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Taken(seconds, usage.ru_utime + usage.ru_stime, peak / 1024)


def _memory(leader: int) -> int:
    """Kilobytes that a process and all below it have now, or that the first alone had at most."""
    now = most = 0
    for pid in _below(leader):
        # One that has just ended has nothing.
        with suppress(OSError, ValueError):
            lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
            of = {name: value for name, _, value in (line.partition(":") for line in lines)}
            now += int(of["VmRSS"].split()[0]) if "VmRSS" in of else 0
            most = max(most, int(of["VmHWM"].split()[0]) if "VmHWM" in of else 0)
    return max(now, most)


def _below(pid: int) -> Iterator[int]:
    yield pid
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text(encoding="ascii").split():
                yield from _below(int(child))
