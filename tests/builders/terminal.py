"""A terminal of a width that the engine's commands print to."""

import fcntl
import os
import pty
import re
import struct
import sys
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Screen:
    """What a command printed to a terminal, and its exit code."""

    text: str
    code: int

    @property
    def is_coloured(self) -> bool:
        """Whether anything was printed in colour."""
        return _COLOURS.search(self.text) is not None

    @property
    def lines(self) -> Sequence[str]:
        """The lines, without their colours."""
        return _COLOURS.sub("", self.text).splitlines()


def on_a_terminal(
    *arguments: str, environment: Mapping[str, str], columns: int, rows: int = 24
) -> Screen:
    """Run a command of the engine to its end."""
    # The terminal's own width counts, not what one of the tests' processes was told.
    own = {name: value for name, value in environment.items() if name not in ("COLUMNS", "LINES")}
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        command = [sys.executable, "-m", "engine", *arguments]
        os.execve(sys.executable, command, {"TERM": "xterm", **own})  # noqa: S606
    said = b""
    try:
        while piece := os.read(terminal, 65_536):
            said += piece
    except OSError:
        # Linux says so when the other end is closed.
        pass
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    return Screen(said.decode().replace("\r\n", "\n"), os.waitstatus_to_exitcode(status))
