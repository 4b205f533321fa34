"""The parts of a workbook: inflated a piece at a time, each against its length and checksum."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any, Self
from xml.etree import ElementTree as ET
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from engine.exporters.recount.recount import Unreadable

_PIECE = 1024 * 1024  # of a part, inflated
_READ = 256 * 1024
_LOCAL_HEADER = 30
_LARGEST_TREE = 256 * 1024 * 1024
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A sheet of a workbook: its name, and the part that holds its cells."""

    name: str
    part: str


class Workbook:
    """A workbook's parts; to be used as a context."""

    def __init__(self, file: Path) -> None:
        try:
            self._zip = ZipFile(file)
        except (BadZipFile, OSError) as error:
            raise Unreadable(format="XLSX", problem=error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._zip.close()

    def sheets(self) -> Sequence[Sheet]:
        """Its sheets of cells, in their order."""
        parts = {
            each.get("Id"): each.get("Target", "")
            for each in self._tree("xl/_rels/workbook.xml.rels")
            if each.get("Type", "").endswith("/worksheet")
        }
        return [
            Sheet(
                name=each.get("name", ""),
                part=str(PurePosixPath("xl") / parts[each.get(_RELATION)]).lstrip("/"),
            )
            for each in self._tree("xl/workbook.xml").iter()
            if each.tag.endswith("}sheet") and each.get(_RELATION) in parts
        ]

    def shared_strings(self) -> Sequence[str]:
        """The texts that cells name by their number."""
        # As many as the cells of small workbooks: a large one has its texts in its cells.
        return [text_of(each) for each in self._tree("xl/sharedStrings.xml")]

    def pieces(self, part: str) -> Iterator[bytes]:
        """A part, piece by piece; raises Unreadable at its end if it is not what was packed."""
        from isal import igzip_lib, isal_zlib

        broken: type[Exception] = isal_zlib.error  # type: ignore[assignment]
        known = self._known(part)
        found = checksum = 0
        try:
            for piece in self._unpacked(known, igzip_lib):
                found += len(piece)
                if found > known.file_size:
                    break
                checksum = isal_zlib.crc32(piece, checksum)
                yield piece
        except (broken, EOFError, OSError) as error:
            raise Unreadable(format="XLSX", problem=f"{part} is damaged: {error}") from error
        if (found, checksum) != (known.file_size, known.CRC):
            raise Unreadable(format="XLSX", problem=f"{part} is damaged: its checksum differs")

    def _unpacked(self, known: ZipInfo, igzip_lib: Any) -> Iterator[bytes]:
        inflater = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_DEFLATE)
        for packed in self._packed(known):
            if known.compress_type == ZIP_STORED:
                yield packed
                continue
            data = packed
            while data or not (inflater.needs_input or inflater.eof):
                yield inflater.decompress(data, _PIECE)
                data = b""
        if known.compress_type == ZIP_DEFLATED and not inflater.eof:
            raise EOFError("it ends too early")

    def _packed(self, known: ZipInfo) -> Iterator[bytes]:
        """The bytes of a part as they lie in the file."""
        source = self._zip.fp
        if source is None or known.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise Unreadable(format="XLSX", problem=f"{known.filename} is packed otherwise")
        at = known.header_offset
        source.seek(at)
        header = source.read(_LOCAL_HEADER)
        if len(header) != _LOCAL_HEADER or header[:4] != b"PK\3\4":
            raise EOFError("its header is not there")
        names = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        at += _LOCAL_HEADER + names
        left = known.compress_size
        while left:
            source.seek(at)  # others may have read another part meanwhile
            packed = source.read(min(left, _READ))
            if not packed:
                raise EOFError("it ends too early")
            at, left = at + len(packed), left - len(packed)
            yield packed

    def _known(self, part: str) -> ZipInfo:
        try:
            return self._zip.getinfo(part)
        except KeyError as error:
            raise Unreadable(format="XLSX", problem=f"it has no part {part}") from error

    def _tree(self, part: str) -> ET.Element:
        if self._known(part).file_size > _LARGEST_TREE:
            raise Unreadable(format="XLSX", problem=f"{part} is too large to be read at once")
        try:
            # Entities that grow are refused by expat itself.
            return ET.fromstring(b"".join(self.pieces(part)))  # noqa: S314
        except ET.ParseError as error:
            raise Unreadable(format="XLSX", problem=f"{part} is damaged: {error}") from error


_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


def text_of(element: ET.Element) -> str:
    """The text of a shared or inline string, its runs joined, readings of it left out."""
    parts: list[str] = []
    for child in element:
        tag = child.tag.rpartition("}")[2]
        if tag == "t":
            parts.append(child.text or "")
        elif tag == "r":
            parts += [each.text or "" for each in child if each.tag.rpartition("}")[2] == "t"]
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), "".join(parts))
