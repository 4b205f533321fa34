"""The spool: drawn pages on the disk until it is known how many there are in all."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from engine.exporters.pdf.sheet import Leaf, Link


class Spooled(NamedTuple):
    """A drawn page: its compressed content, and its links."""

    content: bytes
    links: list[Link]


class Spool:
    """Pages in the order they were drawn, in a file of which nothing is kept in memory."""

    def __init__(self, path: Path) -> None:
        self.pages = 0
        self._path = path
        self._file = path.open("wb")

    def add(self, leaf: Leaf) -> None:
        """Put down a page that is drawn."""
        content, links = packed(leaf.content()), json.dumps(leaf.links).encode()
        self._file.write(len(content).to_bytes(4) + len(links).to_bytes(4))
        self._file.write(content)
        self._file.write(links)
        self.pages += 1

    def close(self) -> None:
        """All is drawn, or nothing more will be."""
        self._file.close()

    def __iter__(self) -> Iterator[Spooled]:
        """Read the pages back."""
        self._file.flush()
        with self._path.open("rb") as file:
            while sizes := file.read(8):
                content = file.read(int.from_bytes(sizes[:4]))
                links = json.loads(file.read(int.from_bytes(sizes[4:])))
                yield Spooled(content, [Link(*link) for link in links])


def packed(content: bytes) -> bytes:
    """Content as a page holds it, by Flate."""
    from isal import isal_zlib

    return bytes(isal_zlib.compress(content, 1))
