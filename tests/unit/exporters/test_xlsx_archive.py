"""Archives: parts that are packed already, of any size, as other readers of ZIP find them."""

import io
import zlib
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import pytest

from engine.exporters.xlsx.archive import Archive, Part

TEXT = b"a text that is packed " * 50


def a_part(name: str = "text", data: bytes = TEXT) -> tuple[Part, list[bytes]]:
    deflate = zlib.compressobj(wbits=-15)
    packed = deflate.compress(data) + deflate.flush()
    part = Part(
        name=name,
        method=ZIP_DEFLATED,
        checksum=zlib.crc32(data),
        size=len(data),
        packed_size=len(packed),
    )
    return part, [packed[:7], packed[7:]]


class Hole(bytes):
    """So many bytes as nobody wants to write."""

    def __len__(self) -> int:
        return 2**32 + 5


class SparseFile(io.FileIO):
    def write(self, data: Any) -> int:
        if isinstance(data, Hole):
            return self.seek(len(data), io.SEEK_CUR)
        return super().write(data)


def test_parts_read_back_as_they_were() -> None:
    target = io.BytesIO()
    archive = Archive(target)
    archive.add(*a_part())
    archive.add(*a_part("folder/empty", b""))
    archive.end()
    with ZipFile(target) as read:
        assert read.namelist() == ["text", "folder/empty"]
        assert read.testzip() is None
        assert read.read("text") == TEXT


def test_a_part_of_another_size_than_said_is_refused() -> None:
    part, pieces = a_part()
    with pytest.raises(ValueError, match="text: 7 bytes of"):
        Archive(io.BytesIO()).add(part, pieces[:1])


def test_parts_beyond_four_gigabytes_are_found(tmp_path: Path) -> None:
    path, size = tmp_path / "large.zip", len(Hole())
    large = Part(name="large", method=ZIP_STORED, checksum=0, size=size, packed_size=size)
    with SparseFile(path, "wb") as target:
        archive = Archive(target)
        archive.add(*a_part("before"))
        archive.add(large, [Hole()])
        archive.add(*a_part("after"))
        archive.end()
    with ZipFile(path) as read:
        assert read.namelist() == ["before", "large", "after"]
        found = read.getinfo("large")
        assert (found.file_size, found.compress_size) == (size, size)
        assert read.getinfo("after").header_offset > 2**32
        assert read.read("after") == read.read("before") == TEXT
        with read.open("large") as piece:
            assert piece.read(10) == bytes(10)


def test_a_small_archive_needs_no_zip64() -> None:
    target = io.BytesIO()
    archive = Archive(target)
    archive.add(*a_part())
    archive.end()
    assert b"PK\6\6" not in target.getvalue()
    with ZipFile(target) as read:
        assert read.infolist()[0].extract_version == 20
