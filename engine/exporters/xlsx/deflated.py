"""Rows on their way into a sheet: deflated as they come, and what an archive must know of them."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

_LEVEL = 2  # of ISA-L: as small as zlib's fourth, at five times its speed


class DeflatedRows:
    """A file of rows as a piece of a deflated part: others may come before it and after it."""

    def __init__(self, path: Path) -> None:
        from isal import isal_zlib

        self.path = path
        self.length = self.checksum = 0
        self._crc32 = isal_zlib.crc32
        self._flush = isal_zlib.Z_SYNC_FLUSH
        self._deflate = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, -15)
        self._file = path.open("wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    @property
    def size(self) -> int:
        """How many bytes the file has."""
        return self.path.stat().st_size

    def add(self, data: Any) -> None:
        """Append rows."""
        self.length += len(data)
        self.checksum = self._crc32(data, self.checksum)
        self._file.write(self._deflate.compress(data))

    def end(self) -> None:
        """No further rows come; the file ends where a byte does, and does not end the part."""
        self._file.write(self._deflate.flush(self._flush))
        self._file.close()
