"""A table laid out for a terminal: whole if it fits, else wrapped, else one fact a line."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import zip_longest

_GAP = "  "
# No column is made narrower than this, or than its heading; nor does a cell fill more lines.
_NARROWEST = 10
_MOST_LINES = 4
_MORE = "…"
# Where a word may be broken, after the sign, when it is longer than its column.
_PIECES = re.compile(r"[^\s/,;:._=-]*[/,;:._=-]+|[^\s/,;:._=-]+")

Line = Sequence[str]


def lay_out(
    heads: Line, lines: Sequence[Line], right: Sequence[bool], width: int | None
) -> Iterator[str]:
    """The table's lines, none wider than `width`; None is as wide as it takes.

    `right` says which columns are aligned to the right.
    """
    widths = [max(map(width_of, column)) for column in zip(heads, *lines, strict=True)]
    if width is not None:
        fitting = _fitting(widths, [*map(width_of, heads)], width)
        if fitting is None:
            yield from _as_facts(heads, lines, width)
            return
        widths = fitting
    for line in (heads, *lines):
        cells = [wrapped(text, at_most) for text, at_most in zip(line, widths, strict=True)]
        for parts in zip_longest(*cells, fillvalue=""):
            padded = map(_padded, parts, widths, right)
            yield _GAP.join(padded).rstrip()


def wrapped(text: str, width: int, *, most_lines: int = _MOST_LINES) -> list[str]:
    """The text in lines of at most this width; `…` stands for what does not fit in all of them."""
    if width_of(text) <= width:
        return [text]
    lines = [""]
    for piece, starts_a_word in _pieces(text):
        space = " " if starts_a_word and lines[-1] else ""
        if width_of(lines[-1] + space + piece) <= width:
            lines[-1] += space + piece
            continue
        *whole, rest = _cut(piece, width)
        if not lines[-1]:
            lines.pop()
        lines += [*whole, rest]
    if len(lines) > most_lines:
        lines = lines[:most_lines]
        lines[-1] = _cut(lines[-1], width - 1)[0].rstrip() + _MORE
    return lines


def width_of(text: str) -> int:
    """How many columns of a terminal the text takes."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(bool(unicodedata.combining(letter)) for letter in text)


def _fitting(widths: Sequence[int], heads: Sequence[int], width: int) -> list[int] | None:
    """The widths, the widest ones made narrower until all fit; None if they cannot."""
    floors = [min(max(head, _NARROWEST), own) for own, head in zip(widths, heads, strict=True)]
    fitting = list(widths)
    too_much = sum(fitting) + len(_GAP) * (len(fitting) - 1) - width
    while too_much > 0:
        room = [own - floor for own, floor in zip(fitting, floors, strict=True)]
        if not any(room):
            return None
        widest = max((at for at, each in enumerate(room) if each), key=lambda at: fitting[at])
        fitting[widest] -= 1
        too_much -= 1
    return fitting


def _as_facts(heads: Line, lines: Sequence[Line], width: int) -> Iterator[str]:
    margin = max(map(width_of, heads)) + len(_GAP)
    for number, line in enumerate(lines):
        if number:
            yield ""
        for head, text in zip(heads, line, strict=True):
            if text:
                first, *rest = wrapped(text, max(width - margin, 1), most_lines=1_000)
                yield _padded(head, margin, False) + first
                yield from (" " * margin + each for each in rest)


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    for word in text.split():
        for at, piece in enumerate(_PIECES.findall(word)):
            yield piece, at == 0


def _cut(text: str, width: int) -> list[str]:
    """The text in parts of at most this width, but for a letter that is wider by itself."""
    parts = [""]
    for letter in text:
        if parts[-1] and width_of(parts[-1] + letter) > width:
            parts.append("")
        parts[-1] += letter
    return parts


def _padded(text: str, width: int, right: bool) -> str:
    space = " " * (width - width_of(text))
    return space + text if right else text + space
