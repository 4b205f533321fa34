"""What an attempt writes, cut into lines and bounded."""

from datetime import datetime

from engine.clock import Clock
from engine.execution.orders import Line, Stream

LONGEST_LINE = 16_384
_NEAR = 1_024
LINE_COST = 24  # bytes that a line costs beside its text: its instant


class Output:
    """Bytes in, lines out, until the limit; from there on only counted.

    Nothing after the first line that did not fit is kept, so that what is kept has no holes.
    """

    def __init__(self, limit: int, clock: Clock) -> None:
        self._limit = limit
        self._clock = clock
        self._kept_bytes = 0
        self._lines: list[Line] = []
        self._begun = {Stream.STDOUT: b"", Stream.STDERR: b""}
        self._full = False
        self._lost_lines = 0
        self._lost_bytes = 0
        self.pending_bytes = 0

    def feed(self, stream: Stream, data: bytes) -> None:
        """Bytes as they came from a pipe; a line may be spread over many calls."""
        if self._full:
            self._count(stream, data)
            return
        at = self._clock.now()
        *whole, begun = (self._begun[stream] + data).split(b"\n")
        self._begun[stream] = b""
        for number, line in enumerate(whole):
            self._keep(at, stream, line)
            if self._full:
                self._count(stream, b"\n".join([*whole[number + 1 :], begun]))
                return
        while len(begun) > LONGEST_LINE:
            piece, begun = _cut(begun)
            self._keep(at, stream, piece)
            if self._full:
                self._count(stream, begun)
                return
        self._begun[stream] = begun

    def record(self, at: datetime, text: str) -> None:
        """A log record."""
        # A lone surrogate is valid in JSON, but no database takes it.
        self._keep(at, Stream.LOG, text.encode("utf-8", "backslashreplace"))

    def take(self) -> tuple[Line, ...]:
        """The lines since the last call."""
        lines, self._lines = tuple(self._lines), []
        self.pending_bytes = 0
        return lines

    def close(self) -> None:
        """The attempt is over: lines without an end are lines, and what was lost is said."""
        for stream in self._begun:
            begun, self._begun[stream] = self._begun[stream], b""
            if begun and self._full:
                self._lost_lines += 1
            elif begun:
                self._keep(self._clock.now(), stream, begun)
        if self._lost_bytes:
            text = (
                f"{self._lost_lines:,} more lines ({self._lost_bytes:,} bytes) were not kept; "
                f"an attempt may write {self._limit:,} bytes"
            )
            self._lines.append(Line(self._clock.now(), Stream.LOG, text))

    def _keep(self, at: datetime, stream: Stream, line: bytes) -> None:
        while len(line) > LONGEST_LINE and not self._full:
            piece, line = _cut(line)
            self._keep(at, stream, piece)
        cost = len(line) + LINE_COST
        if not self._full and self._kept_bytes + cost > self._limit:
            self._full = True
            self._lost_bytes += sum(map(len, self._begun.values()))
        if self._full:
            self._lost_lines += 1
            self._lost_bytes += len(line)
            return
        self._kept_bytes += cost
        self.pending_bytes += cost
        # PostgreSQL's text takes no NUL.
        text = line.decode("utf-8", "backslashreplace").rstrip("\r").replace("\0", "\\0")
        self._lines.append(Line(at, stream, text))

    def _count(self, stream: Stream, data: bytes) -> None:
        self._lost_bytes += len(data)
        self._lost_lines += data.count(b"\n")
        # One byte is enough to remember that a line has begun.
        self._begun[stream] = (self._begun[stream] + data).rpartition(b"\n")[2][:1]


def _cut(line: bytes) -> tuple[bytes, bytes]:
    """The longest piece that may be kept as a line, not ending inside a character; the rest.

    It ends at a blank if there is one near: what is to be hidden in it is not cut in two then.
    """
    blank = line.rfind(b" ", LONGEST_LINE - _NEAR, LONGEST_LINE)
    if blank >= 0:
        return line[: blank + 1], line[blank + 1 :]
    at = LONGEST_LINE
    while at > LONGEST_LINE - 4 and line[at] & 0xC0 == 0x80:
        at -= 1
    return line[:at], line[at:]
