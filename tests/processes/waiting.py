"""Waiting for facts about processes, never for time."""

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


# For what was promised no time: a busy machine takes some seconds to start a process.
PATIENCE = 30


def until(fact: Callable[[], T], within: float = PATIENCE) -> T:
    """The first true value of `fact`; fails when there is none in time."""
    deadline = time.monotonic() + within
    while not (value := fact()):
        assert time.monotonic() < deadline, f"not within {within} s"
        time.sleep(0.01)
    return value


def is_gone(pid: int) -> bool:
    """Neither alive nor a zombie."""
    return not Path(f"/proc/{pid}").exists()


def all_gone(pids: Iterable[int]) -> bool:
    """None of them is left."""
    return all(map(is_gone, pids))


def noted(path: Path, count: int, within: float = PATIENCE) -> list[int]:
    """The pids that processes noted in a file, once there are `count` of them."""

    def lines() -> list[int]:
        words = path.read_text().split("\n")[:-1] if path.exists() else []
        return [int(word) for word in words] if len(words) >= count else []

    return until(lines, within)


def note(path: str, pid: int | None = None) -> None:
    """Add a pid (this process's own) to a file, in one write."""
    append(path, str(os.getpid() if pid is None else pid))


def append(path: str, line: str) -> None:
    """Add a line to a file, in one write."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, f"{line}\n".encode())
    os.close(file)
