"""Processes and what they started."""

import os
import signal
from contextlib import suppress
from pathlib import Path


def everything_below(pid: int) -> list[int]:
    """The process, and every process below it, the upper ones first."""
    found = [pid]
    for each in found:
        found += _children(each)
    return found


def _children(pid: int) -> list[int]:
    try:
        return [
            int(child)
            for thread in Path(f"/proc/{pid}/task").iterdir()
            for child in (thread / "children").read_text().split()
        ]
    except OSError:
        return []


def kill_process(pid: int) -> None:
    """`kill -9`; nothing happens if it has ended."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
