"""The header and the footer of drawn pages, where the style sheet has those of designed ones."""

from engine.exporters.pdf.sheet import MILLIMETRE, Leaf, Sheet, at
from engine.exporters.pdf.typesetter import Line
from engine.exporters.pdf.typography import Typography
from engine.exporters.shown import Shown

_ABOVE_TEXT = 3 * MILLIMETRE
_MOST = 0.46  # of the width, for each half of a line


class Running:
    """What stands on every page of a document."""

    def __init__(self, sheet: Sheet, shown: Shown, typography: Typography) -> None:
        self._sheet, self._shown = sheet, shown
        self._setter = setter = typography.of("regular", sheet.theme.running_size)
        half, document = sheet.width * _MOST, shown.document
        self._title = setter.lines(shown.sentence(document.title), half, 1)
        self._subtitle = setter.lines(shown.sentence(document.subtitle), half, 1)
        self._made = setter.lines(shown.made(), half, 1)
        self._secret = setter.lines(shown.sentence(document.confidentiality), half, 1)

    def draw(self, leaf: Leaf) -> None:
        """All but the number of the page, which nobody knows yet."""
        header, footer = self._sheet.top + _ABOVE_TEXT, self._footer()
        for lines, baseline, place in (
            (self._title, header, "start"),
            (self._subtitle, header, "end"),
            (self._made, footer, "start"),
            (self._secret, footer, "middle"),
        ):
            for line in lines:
                self._set(leaf, line, baseline, place)

    def number(self, leaf: Leaf, page: int, pages: int) -> None:
        """The number of the page."""
        for line in self._setter.lines(self._shown.page(page, pages), self._sheet.width, 1):
            self._set(leaf, line, self._footer(), "end")

    def _footer(self) -> float:
        return (self._sheet.bottom - self._setter.size * 0.7) / 2

    def _set(self, leaf: Leaf, line: Line, baseline: float, place: str) -> None:
        sheet, setter = self._sheet, self._setter
        if place == "middle":
            left = sheet.left + (sheet.width - line.width) / 2
        else:
            right = (place == "end") != sheet.rtl
            left = sheet.left + sheet.width - line.width if right else sheet.left
        texts = leaf.texts(setter.face.name, setter.size, sheet.theme.muted)
        texts.append(at(left, baseline, line.operators))
