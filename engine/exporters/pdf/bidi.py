"""Which way each letter of a mixed text goes, by FriBidi: the library that Pango asks as well."""

import ctypes
import ctypes.util
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeVar

from engine.exporters.pdf.unavailable import PdfUnavailable

T = TypeVar("T")

_TO_THE_RIGHT, _TO_THE_LEFT = 0x110, 0x111  # FRIBIDI_PAR_LTR and _RTL
_RTL = "\u0590-\u065f\u066a-\u06ef\u06fa-\u08ff\ufb1d-\ufdff\ufe70-\ufeff"
_CONTROLS = "\u200e\u200f\u202a-\u202e\u2066-\u2069"
_MIXED_IN_LTR = re.compile(f"[{_RTL}{_CONTROLS}\u0660-\u0669\u06f0-\u06f9]")
# What has no letter or digit of another direction beside it goes with its paragraph.
_PLAIN_RTL = re.compile(f"[{_RTL}\\s!-/:-@\\[-`{{-~«»…]*")
INVISIBLE = re.compile(f"[{_CONTROLS}\u061c\u200b-\u200d\u2060\ufeff]")


def levels_of(text: str, *, rtl: bool) -> bytes:
    """The level of each letter in a paragraph of that direction: even ones go to the right."""
    if rtl:
        if _PLAIN_RTL.fullmatch(text):
            return b"\1" * len(text)
    elif not _MIXED_IN_LTR.search(text):
        return bytes(len(text))
    fribidi, many = _fribidi(), len(text)
    letters = text.encode("utf-32-le", "replace")
    types, brackets = (ctypes.c_uint32 * many)(), (ctypes.c_uint32 * many)()
    levels = (ctypes.c_int8 * many)()
    base = ctypes.c_uint32(_TO_THE_LEFT if rtl else _TO_THE_RIGHT)
    fribidi.fribidi_get_bidi_types(letters, many, types)
    fribidi.fribidi_get_bracket_types(letters, many, types, brackets)
    fribidi.fribidi_get_par_embedding_levels_ex(types, brackets, many, ctypes.byref(base), levels)
    return bytes(levels)


def as_seen(pieces: Sequence[T], levels: Sequence[int]) -> list[T]:
    """Pieces of a line from left to right: rule L2 of the Unicode bidirectional algorithm."""
    seen, high = list(range(len(pieces))), max(levels, default=0)
    if high == 0:
        return list(pieces)
    for level in range(high, 0, -1):
        place = 0
        while place < len(seen):
            end = place
            while end < len(seen) and levels[seen[end]] >= level:
                end += 1
            seen[place:end] = reversed(seen[place:end])
            place = max(end, place + 1)
    return [pieces[place] for place in seen]


@lru_cache(maxsize=1)
def _fribidi() -> ctypes.CDLL:
    try:
        return ctypes.CDLL("libfribidi.so.0")
    except OSError as error:
        if (found := ctypes.util.find_library("fribidi")) is None:
            raise PdfUnavailable(problem=str(error)) from error
        return ctypes.CDLL(found)
