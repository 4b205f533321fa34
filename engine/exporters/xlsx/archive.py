"""A ZIP archive of parts that are packed already: written front to back, of any size.

The standard library's writes only what it packs itself. The parts here come from an archive of
XlsxWriter, as they are, or out of pieces that were deflated apart.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

_MOST = 0xFFFF_FFFF  # what 32 bits hold; beyond, ZIP64's fields say more
_LOCAL, _CENTRAL, _END = b"PK\3\4", b"PK\1\2", b"PK\5\6"
_END_64, _LOCATOR_64 = b"PK\6\6", b"PK\6\7"
_VERSION, _VERSION_64 = 20, 45
_UNIX = 3 << 8
_EPOCH = (0, 33)  # the time and the day that ZIP begins at: the same file is the same bytes


@dataclass(frozen=True, kw_only=True)
class Part:
    """What an archive has to know of a part."""

    name: str
    method: int
    checksum: int
    size: int
    packed_size: int
    attributes: int = 0o600 << 16


class Archive:
    """Writes parts to `target` and, at the end, where they are."""

    def __init__(self, target: BinaryIO) -> None:
        self._target = target
        self._at = 0
        self._central: list[bytes] = []

    def add(self, part: Part, pieces: Iterable[bytes]) -> None:
        """Write a part, whose packed bytes come in pieces."""
        begin, name = self._at, part.name.encode()
        self._write(_local(part, name) + name + _sizes(part))
        before = self._at
        for piece in pieces:
            self._write(piece)
        if self._at - before != part.packed_size:
            raise ValueError(f"{part.name}: {self._at - before} bytes of {part.packed_size}")
        self._central.append(_central(part, name, begin))

    def end(self) -> None:
        """Write the directory of all parts."""
        begin, count = self._at, len(self._central)
        self._write(b"".join(self._central))
        size, end = self._at - begin, self._at
        if begin >= _MOST:
            large = (44, _VERSION_64, _VERSION_64, 0, 0, count, count, size, begin)
            self._write(_END_64 + struct.pack("<QHHIIQQQQ", *large))
            self._write(_LOCATOR_64 + struct.pack("<IQI", 0, end, 1))
        fields = (0, 0, count, count, size, min(begin, _MOST), 0)
        self._write(_END + struct.pack("<HHHHIIH", *fields))

    def _write(self, data: bytes) -> None:
        self._target.write(data)
        self._at += len(data)


def _is_large(part: Part) -> bool:
    return max(part.size, part.packed_size) >= _MOST


def _common(part: Part, extra: int, name: bytes) -> bytes:
    """The fields that stand both before a part and in the directory."""
    large = _is_large(part)
    return struct.pack(
        "<HHHHHIIIHH",
        _VERSION_64 if extra else _VERSION,
        0,
        part.method,
        *_EPOCH,
        part.checksum,
        _MOST if large else part.packed_size,
        _MOST if large else part.size,
        len(name),
        extra,
    )


def _sizes(part: Part) -> bytes:
    """ZIP64's field of the sizes, if they need it."""
    if not _is_large(part):
        return b""
    return struct.pack("<HHQQ", 1, 16, part.size, part.packed_size)


def _local(part: Part, name: bytes) -> bytes:
    return _LOCAL + _common(part, len(_sizes(part)), name)


def _central(part: Part, name: bytes, begin: int) -> bytes:
    sizes = _sizes(part)
    if begin >= _MOST:
        more = (sizes[4:] if sizes else b"") + struct.pack("<Q", begin)
        sizes = struct.pack("<HH", 1, len(more)) + more
    return b"".join(
        (
            _CENTRAL,
            struct.pack("<H", _UNIX | (_VERSION_64 if sizes else _VERSION)),
            _common(part, len(sizes), name),
            struct.pack("<HHHII", 0, 0, 0, part.attributes, min(begin, _MOST)),
            name,
            sizes,
        )
    )
