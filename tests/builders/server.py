"""A server of the tests' own: a process on a port of its own that is started, killed, restarted."""

import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(kw_only=True)
class Server(ABC):
    """What each kind of server is made of: a command, a log, and a question that it answers."""

    port: int = field(default_factory=_free_port)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    starts_within: ClassVar = 30.0

    @property
    @abstractmethod
    def _command(self) -> Sequence[str]:
        """The program and its arguments."""

    @property
    @abstractmethod
    def _log(self) -> Path:
        """Where everything goes that it says."""

    @property
    def _surroundings(self) -> Mapping[str, Any]:
        """What else its process is started with."""
        return {}

    @abstractmethod
    def _answers(self) -> bool:
        """Whether it can be used."""

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - a program of our own wheels, or Debian's
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._surroundings,
            )
        deadline = time.monotonic() + self.starts_within
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"{self._command[0]} did not start: {self._log.read_text()}")
            time.sleep(0.02)

    def kill(self) -> None:
        """End it at once, as a power cut would; twice does no harm."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """End it; whatever cannot be ended in order is killed."""
        self.kill()

    def restart(self) -> None:
        """Come back on the same port."""
        self.stop()
        self.start()
