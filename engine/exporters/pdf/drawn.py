"""Drawn pages as objects of a file: numbered, linked, and hung into the tree of its pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.exporters.pdf.increment import Increment
from engine.exporters.pdf.running import Running
from engine.exporters.pdf.sheet import Leaf, Link, Sheet
from engine.exporters.pdf.spool import Spool, packed
from engine.exporters.pdf.typography import Typography
from engine.exporters.shown import Shown

_BRANCH = 200  # pages of one branch of the tree


@dataclass
class DrawnPages:
    """The pages of a spool on their way into a file."""

    spool: Spool
    sheet: Sheet
    shown: Shown
    typography: Typography
    designed: int = 0
    _size: int = 0
    _tree: int = 0
    _root: int = 0
    _information: int = 0
    _identity: tuple[bytes, bytes] = (b"", b"")
    _resources: int = 0
    _before: Sequence[int] = ()
    _reserved: Mapping[int, int] = field(default_factory=dict)

    def learn(self) -> None:
        """Use all letters of page numbers once, before the typefaces go into the file."""
        for page in range(10):
            self._number(page * 1_111, page * 11_111)
        self._number(1, self.designed + self.spool.pages)

    def take_places(self, pdf: Any, chapters: Mapping[int, int]) -> None:
        """Note the objects of a file that the drawn pages hang on or take the place of."""
        pages = [page.obj for page in pdf.pages]
        blank = pages[self.designed :]
        self._size = int(pdf.trailer.Size)
        self._tree = pdf.Root.Pages.objgen[0]
        self._root, self._information = pdf.Root.objgen[0], pdf.docinfo.objgen[0]
        first, second = pdf.trailer.ID
        self._identity = (bytes(first), bytes(second))
        self._resources = blank[0].Resources.objgen[0]
        self._before = [page.objgen[0] for page in pages[: self.designed]]
        self._reserved = {page: blank[at].objgen[0] for page, at in chapters.items()}

    def append_to(self, path: Path) -> None:
        """Write the pages behind the file's own."""
        total = self.designed + self.spool.pages
        with Increment(path, self._size) as increment:
            branches, kids, branch = [], [], increment.number()
            for at, page in enumerate(self.spool):
                number = self._reserved.get(at) or increment.number()
                kids.append(number)
                content = increment.stream(page.content)
                numbering = increment.stream(
                    packed(self._number(self.designed + at + 1, total).content())
                )
                links = "".join(map(_annotation, page.links))
                width, height = self.sheet.size
                increment.add(
                    number,
                    f"<</Type/Page/Parent {branch} 0 R/MediaBox[0 0 {width:g} {height:g}]"
                    f"/Resources {self._resources} 0 R/Contents[{content} 0 R {numbering} 0 R]"
                    f"{f'/Annots[{links}]' if links else ''}>>",
                )
                if len(kids) == _BRANCH or at + 1 == self.spool.pages:
                    increment.add(branch, self._node(kids, len(kids), self._tree))
                    branches.append(branch)
                    kids, branch = [], increment.number()
            increment.add(self._tree, self._node([*self._before, *branches], total, None))
            increment.finish(self._root, self._information, self._identity)

    def _node(self, kids: Sequence[int], count: int, parent: int | None) -> str:
        named = " ".join(f"{kid} 0 R" for kid in kids)
        up = f"/Parent {parent} 0 R" if parent else ""
        return f"<</Type/Pages{up}/Count {count}/Kids[{named}]>>"

    def _number(self, page: int, pages: int) -> Leaf:
        leaf = Leaf(self.sheet)
        Running(self.sheet, self.shown, self.typography).number(leaf, page, pages)
        return leaf


def _annotation(link: Link) -> str:
    corners = " ".join(f"{each:.2f}" for each in link[:4])
    address = link.address.encode("ascii", "replace").hex()
    return f"<</Subtype/Link/F 4/Border[0 0 0]/Rect[{corners}]/A<</S/URI/URI<{address}>>>>>"
