"""Texts of a column as the XML of cells, all at once: the same as `texts` escapes one by one."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.exporters.arrays import Numbers, Texts, bytes_of, ends_of, mask_of, which_are
from engine.exporters.column_texts import each, rewritten, which_hold
from engine.exporters.xlsx.texts import escaped

_CONTROLS = bytes(set(range(32)) - set(b"\t\n"))
_MARKUP = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))
_NONCHARACTERS = "[\ufffe\uffff]"
_ESCAPE = "_x[0-9A-Fa-f]{4}_"
_SPACE = ord(" ")


def escaped_texts(texts: Texts) -> Texts:
    """Texts with what XML cannot hold as Excel writes it, and their markup escaped."""
    held = which_hold(texts, _CONTROLS + b"&<>")  # at once, as most often there is none
    texts = rewritten(texts, _odd(texts, held), each(escaped))
    return rewritten(texts, held, _without_markup)


def has_outer_spaces(texts: Texts) -> bool:
    """Whether a text begins or ends with a space, which readers would leave out unless told."""
    data, ends = np.frombuffer(bytes_of(texts), np.uint8), ends_of(texts)
    some = np.diff(ends) > 0
    outer = data[ends[:-1][some]], data[ends[1:][some] - 1]
    return any(bool((letters <= _SPACE).any()) for letters in outer)


def _odd(texts: Texts, held: Numbers | None) -> Numbers | None:
    """Which texts have something to be written as `_xHHHH_`; None if none has, as most often."""
    odd = None if held is None else which_hold(texts, _CONTROLS)
    data = bytes(bytes_of(texts))
    for sign, pattern in ((b"_x", _ESCAPE), (b"\xef\xbf", _NONCHARACTERS)):
        if sign in data:
            found = pc.match_substring_regex(texts, pattern)
            mask = which_are(pc.coalesce(found, mask_of(np.zeros(len(texts), bool))))
            odd = mask if odd is None else odd | mask
    return odd if odd is not None and odd.any() else None


def _without_markup(texts: Texts) -> Texts:
    for sign, instead in _MARKUP:
        texts = pc.replace_substring(texts, sign, instead)
    return texts.cast(pa.string())
