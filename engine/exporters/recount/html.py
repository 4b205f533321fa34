"""HTML, read again: the rows of its tables. Its amounts are as people read them: not added up."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.exporters.recount.figures import Figures
from engine.exporters.recount.layout import Layout
from engine.exporters.recount.recount import Unreadable

_PIECE = 1024 * 1024
_BODY, _BODY_END, _ROW, _NONE = b"<tbody>", b"</tbody>", b"<tr>", b'<tr><td class="none"'
_END = b"</html>"


class HtmlRecount:
    """Reads the tables of a page: the last ones are the report's, those before are summaries."""

    def count(self, file: Path, layouts: Sequence[Layout]) -> Sequence[Figures]:
        """How many rows stand in the body of each table; no sums."""
        rows = list(_rows(file))
        if len(rows) < len(layouts):
            problem = f"it has {len(rows)} tables and should have {len(layouts)}"
            raise Unreadable(format="HTML", problem=problem)
        return [Figures(rows=each) for each in rows[-len(layouts) :]]


def _rows(file: Path) -> Iterator[int]:
    """The number of rows of each table, in their order."""
    rest, rows, inside, ended = b"", 0, False, False
    with file.open("rb") as source:
        while piece := source.read(_PIECE):
            rest += piece
            ended = ended or _END in rest
            while True:
                place = rest.find(_BODY_END if inside else _BODY)
                if place < 0:
                    break
                if inside:
                    yield rows + _counted(rest[:place])
                rest = rest[place + len(_BODY) :]
                rows, inside = 0, not inside
            # What is left may end within a tag.
            cut = max(rest.rfind(b"\n"), 0)
            rows += _counted(rest[:cut]) if inside else 0
            rest = rest[cut:]
    if inside or not ended:
        raise Unreadable(format="HTML", problem="it is cut off")


def _counted(text: bytes) -> int:
    return text.count(_ROW) - text.count(_NONE)
