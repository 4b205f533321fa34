"""Terms: what stands between two spaces of a text, in pieces of one direction and typeface."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from engine.exporters.arabic import as_it_stands, direction
from engine.exporters.pdf.bidi import INVISIBLE, as_seen, levels_of
from engine.exporters.pdf.typeface import Typeface, Word


class Piece(NamedTuple):
    """A stretch of one word."""

    face: Typeface
    word: Word
    level: int


class Term(NamedTuple):
    """A word, or a part of one that is too long for a line; measured like a Word."""

    text: str
    pieces: Sequence[Piece]
    width: float
    space: Piece | None  # before it, unless it goes on where another was broken


class Terms:
    """Takes texts apart; what the first typeface lacks comes from the others."""

    def __init__(self, faces: Sequence[Typeface]) -> None:
        self.face = faces[0]
        self._faces = faces

    def of(self, text: str, *, rtl: bool) -> list[Term]:
        """The words of a paragraph of that direction."""
        levels, terms, place = levels_of(text, rtl=rtl), [], 0
        for word in text.split(" "):
            held = levels[place : place + len(word)]
            space = Piece(self.face, self.face.space, levels[place - 1] if place else 0)
            place += len(word) + 1
            pieces = self._pieces(word, held)
            if pieces:
                width = sum(piece.word.width for piece in pieces)
                terms.append(Term(word, pieces, width, space))
        return terms

    def upright(self, text: str) -> Iterator[Piece]:
        """Figures from left to right; words among them each in its own direction."""
        for number, word in enumerate(as_it_stands(text).split(" ")):
            if number:
                yield Piece(self.face, self.face.space, 0)
            if (figures := self.face.figures(word)) is not None:
                yield Piece(self.face, figures, 0)
                continue
            held = self._pieces(word, levels_of(word, rtl=direction(word) == "rtl"))
            for piece in as_seen(held, [piece.level for piece in held]):
                yield piece._replace(level=0)

    def broken(self, term: Term, limit: float, *, rtl: bool) -> Iterator[Term]:
        """A term in parts that are no wider than a line, or one letter each."""
        rest, first = term.text, True
        while rest:
            many = max(min(int(len(rest) * limit / term.width) + 1, len(rest)), 1)
            while many > 1 and self._width(rest[:many], rtl=rtl) > limit:
                many -= 1
            part, rest = rest[:many], rest[many:]
            pieces = self._pieces(part, levels_of(part, rtl=rtl))
            if pieces:
                width = sum(piece.word.width for piece in pieces)
                yield Term(part, pieces, width, term.space if first else None)
                first = False

    def _width(self, text: str, *, rtl: bool) -> float:
        return sum(piece.word.width for piece in self._pieces(text, levels_of(text, rtl=rtl)))

    def _pieces(self, word: str, levels: bytes) -> list[Piece]:
        if levels and levels.count(levels[0]) == len(levels) and self.face.has(word):
            return [self._piece(self.face, word, levels[0])]
        faces = [self._face_of(letter) for letter in word]
        pieces, place = [], 0
        for (level, face), run in groupby(zip(levels, faces, strict=True)):
            many = len(list(run))
            if stretch := INVISIBLE.sub("", word[place : place + many]):
                pieces.append(self._piece(face, stretch, level))
            place += many
        return pieces

    def _piece(self, face: Typeface, text: str, level: int) -> Piece:
        rtl = level % 2 == 1
        # A code is one of a kind: shaping it is slow, and keeping it is of no use.
        code = None if rtl or text.isalpha() else face.figures(text)
        return Piece(face, code or face.shaped(text, rtl=rtl), level)

    def _face_of(self, letter: str) -> Typeface:
        return next((face for face in self._faces if face.has(letter)), self.face)
