"""The standard streams as they are found: closed, full, or with a reader that has seen enough."""

import errno
import io
import os
import sys
from contextlib import suppress

from engine.cli.plain import plain

# What a shell says of a program that SIGPIPE ended.
READER_LEFT = 141


class _Outlet(io.FileIO):
    """A file descriptor that remembers why it took nothing."""

    fault: OSError | None = None

    def write(self, data: object) -> int | None:  # type: ignore[override]
        """Write, as FileIO does."""
        try:
            return super().write(data)  # type: ignore[arg-type]
        except OSError as error:
            self.fault = error
            raise


class _Discreet(io.TextIOWrapper):
    """Complaints, tracebacks and log lines, which end up in files: without a secret in them."""

    def write(self, text: str) -> int:
        """Write it as it may be read; how much was given."""
        # Most commands have nothing to complain about.
        from engine.redaction.hiding import hidden

        super().write(hidden(text))
        return len(text)


class Streams:
    """Puts our own stdout and stderr in the place of Python's, and looks after them at the end."""

    def __init__(self) -> None:
        # A file that is opened while one of the three is closed would take its place, and get
        # what is meant for it.
        for number in (0, 1, 2):
            try:
                os.fstat(number)
            except OSError:
                os.open(os.devnull, os.O_RDWR)
        self._outlets = {"stdout": _Outlet(1, "wb", closefd=False)}
        self._outlets["stderr"] = _Outlet(2, "wb", closefd=False)
        for name, outlet in self._outlets.items():
            # None if it was closed.
            found = getattr(sys, name)
            kind = _Discreet if name == "stderr" else io.TextIOWrapper
            stream = kind(
                io.BufferedWriter(outlet),
                encoding=getattr(found, "encoding", "utf-8"),
                # A name that the terminal's encoding does not have is no reason to end.
                errors="backslashreplace",
                line_buffering=getattr(found, "line_buffering", False)
                or getattr(found, "write_through", False),
            )
            setattr(sys, name, stream)

    @property
    def are_broken(self) -> bool:
        """Whether one of them takes nothing any more."""
        return any(outlet.fault for outlet in self._outlets.values())

    def end(self, code: int) -> int:
        """Bring out what was printed; the exit code, changed from 0 if it could not be."""
        for name, outlet in self._outlets.items():
            # Typer puts something else into the place of a stream whose reader has left.
            stream = getattr(sys, name)
            with suppress(OSError):
                stream.flush()
            if outlet.fault is None:
                continue
            # The interpreter flushes at its end too, and would complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), outlet.fileno())
            if outlet.fault.errno == errno.EPIPE:
                code = READER_LEFT if code in {0, 1} else code
            else:
                self.complain(f"{name} cannot be written to: {outlet.fault.strerror}")
                code = code or 1
        return code

    def complain(self, text: str) -> None:
        """One line on stderr; nobody can be told if it does not take it."""
        with suppress(OSError):
            sys.stderr.write(f"engine: {plain(text)}\n")
            sys.stderr.flush()
