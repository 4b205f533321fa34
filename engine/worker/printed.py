"""Printed: what a job in a thread of the worker prints are lines of its run, not the worker's own.

Not what threads print that the job starts itself, nor what is written to the files 1 and 2.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TextIO, cast

from engine.execution.orders import Stream

# Letters; a longer line is several.
LONGEST_LINE = 16_384
_TOO_MUCH = "what follows is not kept: it is too much"

OnLine = Callable[[Stream, str], None]


class _Ears:
    """Makes lines of what is written, for one attempt, up to a limit in letters."""

    def __init__(self, on_line: OnLine, limit: int) -> None:
        self._on_line = on_line
        self._left = limit
        self._begun = {Stream.STDOUT: "", Stream.STDERR: ""}

    def hear(self, stream: Stream, text: str) -> None:
        """Say the lines that are whole now."""
        *lines, rest = (self._begun[stream] + text).split("\n")
        while len(rest) > LONGEST_LINE:
            lines.append(rest[:LONGEST_LINE])
            rest = rest[LONGEST_LINE:]
        self._begun[stream] = rest
        for line in lines:
            self._say(stream, line)

    def end(self) -> None:
        """Say what was begun."""
        for stream, text in self._begun.items():
            if text:
                self._say(stream, text)

    def _say(self, stream: Stream, line: str) -> None:
        if self._left <= 0:
            return
        self._left -= len(line) + 1
        self._on_line(stream, line if self._left > 0 else _TOO_MUCH)


_EARS: ContextVar[_Ears | None] = ContextVar("ears", default=None)
_turns = threading.Lock()
_users = 0
_before: tuple[TextIO, TextIO] | None = None


class _Printed:
    """In place of a stream: what an attempt writes there is heard, all else goes through."""

    def __init__(self, own: Any, stream: Stream) -> None:
        self._own = own
        self._stream = stream

    def write(self, text: Any) -> int:
        """Write, as text or as bytes."""
        ears = _EARS.get()
        if ears is None:
            return int(self._own.write(text))
        said = text if isinstance(text, str) else bytes(text).decode("utf-8", "backslashreplace")
        ears.hear(self._stream, said)
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write one after the other."""
        for line in lines:
            self.write(line)

    @property
    def buffer(self) -> Any:
        """The same for bytes."""
        return _Printed(self._own.buffer, self._stream) if _EARS.get() else self._own.buffer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._own, name)


@contextmanager
def printing_to(on_line: OnLine, limit: int = 1_000_000) -> Iterator[None]:
    """Have `on_line` told what this thread prints, for a while; up to `limit` letters of it."""
    ears = _Ears(on_line, limit)
    _put()
    token = _EARS.set(ears)
    try:
        yield
    finally:
        _EARS.reset(token)
        _take_away()
        ears.end()


def _put() -> None:
    global _users, _before
    with _turns:
        _users += 1
        if _users == 1:
            _before = sys.stdout, sys.stderr
            sys.stdout = cast("TextIO", _Printed(sys.stdout, Stream.STDOUT))
            sys.stderr = cast("TextIO", _Printed(sys.stderr, Stream.STDERR))


def _take_away() -> None:
    global _users, _before
    with _turns:
        _users -= 1
        if _users == 0 and _before is not None:
            sys.stdout, sys.stderr = _before
            _before = None
