"""Columns of a batch as texts, all cells at once: what `cells` says of one cell, said by Arrow.

What is empty stays empty. Numbers become digits by arithmetic on whole columns, so that no cell
passes through Python.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.exporters.arrays import (
    Numbers,
    Texts,
    array_of,
    bytes_of,
    ends_of,
    fixed_texts,
    mask_of,
    numbers,
    one,
    texts_of,
    varying_texts,
    which_are,
)
from engine.exporters.cells import PERCENT_PLACES, percent_plain, percent_text
from engine.money import minor_digits


def integer_texts(column: Any) -> Texts:
    """Whole numbers as digits."""
    return column.cast(pa.string())


def boolean_texts(column: Any, yes: str = "true", no: str = "false") -> Texts:
    """What is so and what is not, in a word each."""
    return pc.if_else(column, one(yes), one(no))


def money_texts(column: Any, currency: str | Any) -> Texts:
    """Amounts as digits and a point; `currency` is a code, or the column of each row's code."""
    minor = numbers(column)
    return emptied(by_places(currency, lambda places: decimal_texts(minor, places)), column)


def by_places(currency: str | Any, make: Callable[[int], Any]) -> Any:
    """What is made for the decimals of each row's currency, in one array."""
    if isinstance(currency, str):
        return make(minor_digits(currency))
    codes = currency.dictionary_encode(null_encoding="encode")
    known = codes.dictionary.to_pylist()
    digits = np.array([minor_digits(code or "") for code in known], np.int64)
    first, *others = np.unique(digits).tolist() or [2]
    made = make(first)
    for places in others:
        here = mask_of(digits[numbers(codes.indices)] == places)
        made = pc.if_else(here, make(places), made)
    return made


def percent_texts(column: Any, *, people: bool = False) -> Texts:
    """Fractions by their shortest digits: 0.125, or 12.5% for people."""
    halves = np.frombuffer(column.buffers()[1] or b"", np.int64).reshape(-1, 2)
    halves = halves[column.offset : column.offset + len(column)]
    if column.null_count:
        halves = halves * which_are(column.is_valid())[:, np.newaxis]
    low, high = halves.T
    if not np.array_equal(high, low >> 63):
        # More than nine thousand million: nobody's share, but exact.
        say = percent_text if people else percent_plain
        return texts_of([None if cell is None else say(cell) for cell in column.to_pylist()])
    texts = decimal_texts(np.ascontiguousarray(low), PERCENT_PLACES - (2 if people else 0))
    texts = pc.utf8_rtrim(pc.utf8_rtrim(texts, "0"), ".")
    return emptied(joined(texts, "%") if people else texts, column)


def decimal_texts(numerators: Numbers, places: int) -> Texts:
    """Whole numbers of 64 bits with a point before the last `places` digits."""
    if not places:
        return array_of(numerators).cast(pa.string())
    # The least number has no opposite in 64 bits, but its size is right without a sign.
    sizes = np.abs(numerators).view(np.uint64)
    whole = sizes // np.uint64(10**places)
    part = (sizes - whole * np.uint64(10**places)).astype(np.uint32)
    digits = np.empty((len(part), places + 1), np.uint8)
    digits[:, 0] = ord(".")
    for place in range(places, 0, -1):
        rest = part // np.uint32(10)
        digits[:, place] = part - rest * np.uint32(10) + np.uint32(ord("0"))
        part = rest
    pieces = [array_of(whole).cast(pa.string()), fixed_texts(digits)]
    negative = numerators < 0
    if negative.any():
        pieces.insert(0, varying_texts(negative, b"-" * int(negative.sum())))
    return joined(*pieces)


def joined(*pieces: Any, between: str = "", null: str | None = None) -> Texts:
    """Texts side by side; an empty one counts as `null`, or makes the whole empty."""
    columns = [one(piece) if isinstance(piece, str) else piece for piece in pieces]
    if null is None:
        return pc.binary_join_element_wise(*columns, one(between))
    return pc.binary_join_element_wise(
        *columns, one(between), null_handling="replace", null_replacement=null
    )


def emptied(made: Any, column: Any) -> Any:
    """What was made of a column, empty again where the column is."""
    if not column.null_count:
        return made
    nothing = one(None) if made.type == pa.string() else pa.nulls(1, made.type)[0]
    return pc.if_else(column.is_valid(), made, nothing)


def which_hold(texts: Texts, letters: bytes) -> Numbers | None:
    """Which texts hold one of these bytes; None if none does, as most often."""
    wanted = np.zeros(256, bool)
    wanted[list(letters)] = True
    found = np.flatnonzero(wanted[np.frombuffer(bytes_of(texts), np.uint8)])
    if not len(found):
        return None
    mask = np.zeros(len(texts), bool)
    mask[np.searchsorted(ends_of(texts), found, side="right") - 1] = True
    return mask


def which_begin(texts: Texts, letters: bytes) -> Numbers | None:
    """Which texts begin with one of these bytes; None if none does."""
    data, ends = np.frombuffer(bytes_of(texts), np.uint8), ends_of(texts)
    if not len(data):
        return None
    wanted = np.zeros(256, bool)
    wanted[list(letters)] = True
    mask = wanted[data[np.minimum(ends[:-1], len(data) - 1)]] & (np.diff(ends) > 0)
    return mask if mask.any() else None


def rewritten(texts: Texts, which: Numbers | None, rewrite: Callable[[Texts], Texts]) -> Texts:
    """The same texts, some of them written anew."""
    if which is None:
        return texts
    mask = mask_of(which)
    return pc.replace_with_mask(texts, mask, rewrite(texts.filter(mask)))


def each(rewrite: Callable[[str], str]) -> Callable[[Texts], Texts]:
    """Write texts anew one by one, for what is rare."""
    return lambda texts: texts_of(
        [None if text is None else rewrite(text) for text in texts.to_pylist()]
    )
