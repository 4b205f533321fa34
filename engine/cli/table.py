"""A table laid out for a terminal: whole if it fits, else wrapped, else one fact a line."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import zip_longest

_GAP = "  "
# Text of this width or more is prose. It is wrapped first, into no less than so much.
_PROSE = 25
_NARROWEST_PROSE = 12
# Then all are, but none is made narrower than this; no cell fills more lines.
_NARROWEST = 10
_MOST_LINES = 4
_MORE = "…"
# Where a word may be broken, after the sign, when it is longer than its column. A run's reference
# stays whole: people copy it.
_PIECES = re.compile(
    r"[A-Z]{2}-[0-9]{8}-[0-9A-Z]{5}|[^\s/,;:._=-]*[/,;:._=-]+|[^\s/,;:._=-]+", re.ASCII
)

Line = Sequence[str]


def lay_out(
    heads: Line,
    lines: Sequence[Line],
    right: Sequence[bool],
    width: int | None,
    *,
    most_lines: int = _MOST_LINES,
) -> Iterator[str]:
    """The table's lines, none wider than `width`; None is as wide as it takes.

    `right` says which columns are aligned to the right; no cell fills more than `most_lines`.
    """
    widths = _widths(heads, lines)
    if width is not None:
        floors = [*map(_floor, heads, zip(*lines, strict=True), widths)]
        fitting = _prose_wrapped(widths, width) or _narrowed(widths, floors, width)
        if fitting is None:
            yield from _as_facts(heads, lines, width)
            return
        widths = fitting
    for line in (heads, *lines):
        cells = [
            wrapped(text, at_most, most_lines=most_lines)
            for text, at_most in zip(line, widths, strict=True)
        ]
        for parts in zip_longest(*cells, fillvalue=""):
            padded = map(_padded, parts, widths, right)
            yield _GAP.join(padded).rstrip()


def fits(heads: Line, lines: Sequence[Line], width: int) -> bool:
    """Whether no more than prose has to be wrapped."""
    return _prose_wrapped(_widths(heads, lines), width) is not None


def wrapped(text: str, width: int, *, most_lines: int = _MOST_LINES) -> list[str]:
    """The text in lines of at most this width; `…` stands for what does not fit in all of them."""
    if width_of(text) <= width:
        return [text]
    lines: list[str] = []
    for word in text.split():
        if lines and width_of(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        elif width_of(word) <= width:
            lines.append(word)
        else:
            lines += _broken(word, width)
    if len(lines) > most_lines:
        lines = lines[:most_lines]
        lines[-1] = _cut(lines[-1], width - 1)[0].rstrip() + _MORE
    return lines


def width_of(text: str) -> int:
    """How many columns of a terminal the text takes."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(bool(unicodedata.combining(letter)) for letter in text)


def _widths(heads: Line, lines: Sequence[Line]) -> list[int]:
    return [max(map(width_of, column)) for column in zip(heads, *lines, strict=True)]


def _prose_wrapped(widths: Sequence[int], width: int) -> list[int] | None:
    return _narrowed(widths, [own if own < _PROSE else _NARROWEST_PROSE for own in widths], width)


def _floor(head: str, column: Line, own: int) -> int:
    """As narrow as no heading and no part of a name is broken, unless that is as long as prose."""
    parts = (width_of(piece) for text in column for piece in _PIECES.findall(text))
    longest = max((part for part in parts if part < _PROSE), default=0)
    return min(max(width_of(head), longest, _NARROWEST), own)


def _narrowed(widths: Sequence[int], floors: Sequence[int], width: int) -> list[int] | None:
    """The widths, the widest ones made narrower until all fit; None if they cannot."""
    narrowed = list(widths)
    too_much = sum(narrowed) + len(_GAP) * (len(narrowed) - 1) - width
    while too_much > 0:
        wide = [at for at, own in enumerate(narrowed) if own > floors[at]]
        if not wide:
            return None
        narrowed[max(wide, key=lambda at: narrowed[at])] -= 1
        too_much -= 1
    return narrowed


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


def _broken(word: str, width: int) -> list[str]:
    """A word in lines, broken after its signs if that will do."""
    lines = [""]
    for piece in _PIECES.findall(word):
        if width_of(lines[-1] + piece) <= width:
            lines[-1] += piece
        else:
            lines += _cut(piece, width)
    return [line for line in lines if line]


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
