"""An increment: objects put behind a finished file, as PDF foresees it for later changes.

A library that holds the objects of a file needs some gigabytes for the links of a long table. This
writes them as they come: streams by themselves, all else packed, some hundred in a stream, and at
the end where everything is.
"""

from pathlib import Path
from types import TracebackType

from engine.exporters.pdf.spool import packed

_TOGETHER = 200  # objects of one stream
_FREE, _PLAIN, _PACKED = 0, 1, 2  # kinds of entries of a cross-reference stream


class Increment:
    """Adds to the file at `path`, whose objects are numbered below `size`."""

    def __init__(self, path: Path, size: int) -> None:
        self._file = path.open("r+b")
        self._before = _last_index(path)
        self._file.seek(0, 2)
        self._next = size
        self._places: dict[int, tuple[int, int, int]] = {}
        self._together: list[tuple[int, bytes]] = []

    def number(self) -> int:
        """The number of an object that is still to be written."""
        self._next += 1
        return self._next - 1

    def stream(self, content: bytes) -> int:
        """Write packed content of a page; return its number."""
        number = self.number()
        self._plain(number, b"/Filter/FlateDecode", content)
        return number

    def add(self, number: int, text: str) -> None:
        """Write a dictionary or a list; under a number of the file it takes the place of that."""
        self._together.append((number, text.encode("ascii")))
        if len(self._together) == _TOGETHER:
            self._pack()

    def finish(self, root: int, information: int, identity: tuple[bytes, bytes]) -> None:
        """Write where all is."""
        self._pack()
        number = self.number()
        start = self._file.tell()
        self._places[number] = (_PLAIN, start, 0)
        runs: list[list[int]] = []
        entries = bytearray()
        for each in sorted(self._places):
            if not runs or each != runs[-1][0] + runs[-1][1]:
                runs.append([each, 0])
            runs[-1][1] += 1
            kind, first, second = self._places[each]
            entries += bytes([kind]) + first.to_bytes(8) + second.to_bytes(2)
        index = " ".join(f"{first} {many}" for first, many in runs)
        keys = (
            f"/Type/XRef/Size {self._next}/W[1 8 2]/Index[{index}]/Prev {self._before}"
            f"/Root {root} 0 R/Info {information} 0 R"
            f"/ID[<{identity[0].hex()}><{identity[1].hex()}>]/Filter/FlateDecode"
        )
        self._plain(number, keys.encode("ascii"), packed(bytes(entries)))
        self._file.write(b"startxref\n%d\n%%%%EOF\n" % start)

    def _pack(self) -> None:
        if not self._together:
            return
        number, offsets, body = self.number(), [], bytearray()
        for place, (each, text) in enumerate(self._together):
            offsets.append(f"{each} {len(body)}")
            body += text + b"\n"
            self._places[each] = (_PACKED, number, place)
        head = f"{' '.join(offsets)}\n".encode("ascii")
        keys = f"/Type/ObjStm/N {len(self._together)}/First {len(head)}/Filter/FlateDecode"
        self._plain(number, keys.encode("ascii"), packed(head + body))
        self._together = []

    def _plain(self, number: int, keys: bytes, content: bytes) -> None:
        self._places[number] = (_PLAIN, self._file.tell(), 0)
        self._file.write(b"%d 0 obj\n<<%b/Length %d>>\nstream\n" % (number, keys, len(content)))
        self._file.write(content)
        self._file.write(b"\nendstream\nendobj\n")

    def __enter__(self) -> "Increment":
        """Use it in a `with`, which closes the file."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._file.close()


def _last_index(path: Path) -> int:
    """Where the file says that its own list of objects is."""
    with path.open("rb") as file:
        file.seek(-min(path.stat().st_size, 1_024), 2)
        return int(file.read().rpartition(b"startxref")[2].split()[0])
