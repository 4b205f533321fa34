"""A household: processes that live and end together under one foreground process."""

import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence

logger = logging.getLogger("engine.up")

_LOOK_SECONDS = 0.2
_RESTART_SECONDS = 2.0
# A process that ends sooner than this after its start will not do better at the next one.
_SETTLED_SECONDS = 10.0


class Household:
    """Keeps engine processes running, each by its arguments, until a signal."""

    def __init__(self, commands: Mapping[str, Sequence[str]], *, grace_seconds: float) -> None:
        self._commands = commands
        self._grace_seconds = grace_seconds
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._started_at: dict[str, float] = {}
        self._stopped = threading.Event()

    def run(self) -> int:
        """Run until a signal; 0 then, 1 if a process cannot be kept running."""
        for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(signum, lambda *_: self._stopped.set())
        for name in self._commands:
            self._start(name)
        code = 0
        while not self._stopped.wait(_LOOK_SECONDS):
            if not self._keep_running():
                code = 1
                break
        logger.info("draining")
        return code if self._end() else 1

    def _start(self, name: str) -> None:
        # -P: the folder we were started in may hold packages called `jobs` or `engine` too.
        command = [sys.executable, "-P", "-m", "engine", *self._commands[name]]
        # A group of its own: Ctrl-C in the terminal reaches us alone, and we pass it on once.
        self._processes[name] = subprocess.Popen(command, process_group=0)  # noqa: S603 - our own
        self._started_at[name] = time.monotonic()
        logger.info("started", extra={"part": name, "pid": self._processes[name].pid})

    def _keep_running(self) -> bool:
        for name, process in list(self._processes.items()):
            code = process.poll()
            if code is None:
                continue
            facts = {"part": name, "exit_code": code}
            if time.monotonic() - self._started_at[name] < _SETTLED_SECONDS:
                logger.error("a process does not stay up; ending the others", extra=facts)
                return False
            logger.warning("a process ended and is started again", extra=facts)
            self._stopped.wait(_RESTART_SECONDS)
            self._start(name)
        return True

    def _end(self) -> bool:
        """Drain every process; False if one had to be killed."""
        for process in self._processes.values():
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + self._grace_seconds + 10
        clean = True
        for process in self._processes.values():
            try:
                process.wait(max(deadline - time.monotonic(), 0))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                clean = False
        return clean
