"""The guard: a small process above the fork server that cleans up after it."""

import os
import signal
import time
from typing import NoReturn

from engine.attempt import prctl, tree

LOOK_EVERY = 0.5
TIME_TO_LEAVE = 1.0


def stand_guard(server: int, lifeline: int, worker: int) -> NoReturn:
    """Wait for the end of `server`, kill every process it left behind, exit as it did.

    The server's children die with it by the kernel's hand, but theirs do not: they become ours.
    `lifeline` is a pipe that the server watches: it ends all attempts, then itself, when the pipe
    closes. That happens when this process ends, or when `worker` is gone while something
    keeps the server's socket open, such as a process the worker forked.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    prctl.show_as("attempts guard")
    kill_at: float | None = None
    while (status := _ended(server)) is None:
        signal.sigtimedwait({signal.SIGCHLD}, LOOK_EVERY)
        if kill_at is None and os.getppid() != worker:
            os.close(lifeline)
            kill_at = time.monotonic() + TIME_TO_LEAVE
        elif kill_at is not None and time.monotonic() >= kill_at:
            # Still loading modules, perhaps.
            os.kill(server, signal.SIGKILL)
    tree.kill_all_descendants()
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def _ended(server: int) -> int | None:
    """Reap what has ended; the status of `server` if it is among it."""
    while True:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == server:
            return status
        if pid == 0:
            return None
