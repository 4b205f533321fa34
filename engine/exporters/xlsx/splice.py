"""Puts rows that were deflated apart into the sheets of a workbook that XlsxWriter made."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from engine.exporters.xlsx.archive import Archive, Part
from engine.exporters.xlsx.deflated import DeflatedRows

_PIECE = 1024 * 1024
_LOCAL_HEADER = 30
_END = b"</sheetData>"
_DIMENSION = re.compile(rb'<dimension ref="[^"]*"/>')


@dataclass(frozen=True, kw_only=True)
class Filling:
    """Rows that belong into a sheet: before its row number `before`, or at its end.

    `area` are the cells of the whole sheet, such as A1:C9.
    """

    rows: DeflatedRows
    area: str
    before: int | None


def splice(workbook: Path, fillings: Mapping[int, Filling], target: BinaryIO) -> None:
    """Write the workbook to `target` with its sheets filled, which are named by their number."""
    names = {f"xl/worksheets/sheet{number}.xml": each for number, each in fillings.items()}
    with ZipFile(workbook) as source, workbook.open("rb") as packed:
        archive = Archive(target)
        for known in source.infolist():
            if filling := names.get(known.filename):
                _fill(archive, known.filename, source.read(known), filling)
            else:
                archive.add(_as_it_is(known), _pieces(packed, *_place(packed, known)))
        archive.end()


def _fill(archive: Archive, name: str, sheet: bytes, filling: Filling) -> None:
    """Add a sheet: what comes before the rows, the rows as they lie deflated, what comes after."""
    from isal import isal_zlib

    sheet = _DIMENSION.sub(b'<dimension ref="%b"/>' % filling.area.encode(), sheet, count=1)
    first = _END if filling.before is None else b'<row r="%d"' % filling.before
    cut = sheet.rindex(first)
    head, tail, rows = sheet[:cut], sheet[cut:], filling.rows
    checksum = isal_zlib.crc32(head)
    checksum = isal_zlib.crc32_combine(checksum, rows.checksum, rows.length)
    checksum = isal_zlib.crc32_combine(checksum, isal_zlib.crc32(tail), len(tail))
    before, after = _deflated(head, end=False), _deflated(tail, end=True)
    part = Part(
        name=name,
        method=ZIP_DEFLATED,
        checksum=checksum,
        size=len(sheet) + rows.length,
        packed_size=len(before) + rows.size + len(after),
    )

    def pieces() -> Iterator[bytes]:
        yield before
        with rows.path.open("rb") as file:
            yield from _pieces(file, 0, rows.size)
        yield after

    archive.add(part, pieces())


def _deflated(data: bytes, *, end: bool) -> bytes:
    from isal import isal_zlib

    deflate = isal_zlib.compressobj(wbits=-15)
    last = isal_zlib.Z_FINISH if end else isal_zlib.Z_SYNC_FLUSH
    return bytes(deflate.compress(data) + deflate.flush(last))


def _as_it_is(known: ZipInfo) -> Part:
    return Part(
        name=known.filename,
        method=known.compress_type,
        checksum=known.CRC,
        size=known.file_size,
        packed_size=known.compress_size,
        attributes=known.external_attr,
    )


def _place(packed: BinaryIO, known: ZipInfo) -> tuple[int, int]:
    """Where the bytes of a part begin in its archive, and how many they are."""
    packed.seek(known.header_offset)
    header = packed.read(_LOCAL_HEADER)
    names = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    return known.header_offset + _LOCAL_HEADER + names, known.compress_size


def _pieces(file: BinaryIO, begin: int, size: int) -> Iterator[bytes]:
    file.seek(begin)
    while size and (piece := file.read(min(size, _PIECE))):
        size -= len(piece)
        yield piece
