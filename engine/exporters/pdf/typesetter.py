"""A typesetter: texts of one size and weight become lines, in any mixture of directions."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from engine.exporters.arabic import direction, isolated
from engine.exporters.pdf.bidi import as_seen
from engine.exporters.pdf.terms import Piece, Term, Terms
from engine.exporters.pdf.typeface import Typeface

_TEXTS_KEPT = 20_000
_LONGEST = 4_000  # letters looked at; no cell of a page has room for as many
_RISE = re.compile(r"\{(-?\d+)\}")
_ELLIPSIS = "…"
_LEADING = 1.35


class Line(NamedTuple):
    """What stands in a line: the operators that show it, and how wide that is in points."""

    operators: str
    width: float


class Typesetter:
    """Sets texts in the first of its typefaces, and what that lacks in the others."""

    def __init__(self, faces: Sequence[Typeface], size: float) -> None:
        self.face, self.size, self.leading = faces[0], size, size * _LEADING
        self._terms = Terms(faces)
        self._scale = size / 1_000
        self._kept: dict[tuple[str, float, int], Sequence[Line]] = {}
        above, below = self.face.measures()
        # How far the baseline is below the top of a line.
        self.baseline = (self.leading + (above + below) * size) / 2

    def width(self, text: str) -> float:
        """How wide a text is in one line."""
        return sum(line.width for line in self.lines(text, 1e6, 1))

    def number(self, text: str, limit: float = 1e6) -> Line:
        """A number or a date, from left to right in one line; one too wide is set narrower."""
        word = self.face.figures(text)
        if word is None:
            line = self._line(list(self._terms.upright(text)))
        else:
            line = Line(f"[{word.glyphs}]TJ", word.width * self._scale)
        if line.width <= limit:
            return line
        narrower = limit / line.width * 100
        return Line(f"{narrower:.1f} Tz {line.operators} 100 Tz", limit)

    def lines(self, text: str, limit: float, most: int) -> Sequence[Line]:
        """A text in at most so many lines; what does not fit ends with an ellipsis."""
        key = (text, limit, most)
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= _TEXTS_KEPT:
                self._kept.clear()
            found = self._kept[key] = self._set(" ".join(text.split()), limit, most)
        return found

    def _set(self, text: str, limit: float, most: int) -> Sequence[Line]:
        rtl = direction(text) == "rtl"
        if len(text) > _LONGEST:
            text = text[:_LONGEST]
        terms = self._terms.of(isolated(text) if rtl else text, rtl=rtl)
        lines = list(self._filled(terms, limit / self._scale, most, rtl))
        return [self._line(_with_spaces(line)) for line in lines]

    def _filled(
        self, terms: Sequence[Term], limit: float, most: int, rtl: bool
    ) -> Iterator[list[Term]]:
        """The terms in lines."""
        line: list[Term] = []
        across, filled = 0.0, 0
        for whole in terms:
            wide = whole.width > limit
            for term in self._terms.broken(whole, limit, rtl=rtl) if wide else (whole,):
                gap = term.space.word.width if term.space and line else 0.0
                if line and across + gap + term.width > limit:
                    filled += 1
                    if filled == most:
                        self._end(line, limit, rtl)
                        yield line
                        return
                    yield line
                    line, across, gap = [], 0.0, 0.0
                line.append(term)
                across += gap + term.width
        if line:
            yield line

    def _end(self, line: list[Term], limit: float, rtl: bool) -> None:
        """Make room for an ellipsis at the end of a line, and set it there."""
        (ellipsis,) = self._terms.of(_ELLIPSIS, rtl=rtl)
        while line and _across(line) + ellipsis.width > limit:
            last = line.pop()
            if not line and len(last.text) > 1:
                line += self._terms.of(last.text[:-1], rtl=rtl)
        line.append(ellipsis._replace(space=None))

    def _line(self, pieces: Sequence[Piece]) -> Line:
        face, parts = self.face, []
        for piece in as_seen(pieces, [piece.level for piece in pieces]):
            if piece.face is not face:
                face = piece.face
                parts.append(f"]TJ /{face.name} {self.size:g} Tf[")
            parts.append(piece.word.glyphs)
        end = "" if face is self.face else f" /{self.face.name} {self.size:g} Tf"
        glyphs = "".join(parts).replace("><", "")
        if "{" in glyphs:
            glyphs = _RISE.sub(lambda rise: f"{int(rise[1]) * self._scale:.2f}", glyphs)
        width = sum(piece.word.width for piece in pieces) * self._scale
        return Line(f"[{glyphs}]TJ{end}", width)


def _with_spaces(line: Sequence[Term]) -> list[Piece]:
    pieces: list[Piece] = []
    for term in line:
        if pieces and term.space is not None:
            pieces.append(term.space)
        pieces += term.pieces
    return pieces


def _across(line: Sequence[Term]) -> float:
    spaces = sum(term.space.word.width for term in line[1:] if term.space)
    return spaces + sum(term.width for term in line)
