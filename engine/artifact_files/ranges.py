"""Reading a file that is elsewhere: a range at a time, however long it is."""

import io
from collections.abc import Callable
from typing import BinaryIO

_RANGE = 4 * 1024 * 1024


class _Ranges(io.RawIOBase):
    """`read(start, length)` returns so many bytes, or raises."""

    def __init__(
        self, size: int, read: Callable[[int, int], bytes], close: Callable[[], None]
    ) -> None:
        self._size = size
        self._read = read
        self._close = close
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(start + offset, 0)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        length = min(len(buffer), self._size - self._at)
        if length <= 0:
            return 0
        piece = self._read(self._at, length)
        buffer[:length] = piece
        self._at += length
        return length

    def readall(self) -> bytes:
        # Python's own would ask for a few kilobytes at a time.
        pieces = []
        while length := min(_RANGE, max(self._size - self._at, 0)):
            pieces.append(self._read(self._at, length))
            self._at += length
        return b"".join(pieces)

    def close(self) -> None:
        if not self.closed:
            self._close()
        super().close()


def open_ranges(
    size: int, read: Callable[[int, int], bytes], close: Callable[[], None] = lambda: None
) -> BinaryIO:
    """A file of `size` bytes whose `read(start, length)` returns that many, or raises."""
    return io.BufferedReader(_Ranges(size, read, close), buffer_size=_RANGE)
