"""Cells of one column, read all together: numbers of up to 14 digits, and codes of three letters.

The text of each cell is one or two words of eight bytes, and all words are worked on at once: what
does not belong to the text is replaced by noughts, the point is taken out, and the digits are added
up in pairs, fours and eights.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.exporters.recount.xlsx_rows import Cells, Flags, Ints, Rows, word

Words = npt.NDArray[np.uint64]

_MOST = 10**14  # ten thousand times that still fits 64 bits
_LONGEST_TAG = 24  # <c r="XFD1048576" s="99">, in the three words that are looked at


def _each(letter: str) -> np.uint64:
    """The word that has the letter in each of its bytes."""
    return word(letter.encode("latin-1") * 8)


_VALUE_END, _TEXT_END = word(b"</v></c>"), word(b"/is></c>")
_CODE, _CODE_FRAME = word(b">\0\0\0</t>"), word(b"\xff\0\0\0\xff\xff\xff\xff")
_ALL, _NONE, _ONE, _BYTE = (np.uint64(each) for each in (2**64 - 1, 0, 1, 255))
_TOPS, _LOWS, _NOUGHTS = _each("\x80"), _each("\x7f"), _each("0")
_MINUSES, _POINTS, _CLOSINGS, _TYPES = _each("-"), _each("."), _each(">"), _each("t")
_OVER_NINE = _each("\x46")  # what lifts a digit to the top bit, if it is more than 9
_MINUS_TO_NOUGHT = np.uint64(ord("-") ^ ord("0"))
_SEVEN, _EIGHT, _SIXTEEN, _THIRTY_TWO, _CODE_BITS = (
    np.uint64(each) for each in (7, 8, 16, 32, 2**24 - 1)
)
_PAIRS, _FOURS, _EIGHTS = (np.uint64(each) for each in (2561, 6553601, 42949672960001))
_DIGITS, _OF_PAIRS, _OF_FOURS = _each("\x0f"), word(b"\xff\0" * 4), word(b"\xff\xff\0\0" * 2)


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """What cells hold: `plain` ones a value over ten to the decimals, the others something else."""

    value: Ints
    decimals: Ints
    plain: Flags


def numbers(rows: Rows, cells: Cells) -> Numbers:
    """Read the cells' numbers."""
    words = rows.words
    high, low = words[cells.ends - 16], words[cells.ends - 24]
    in_high, in_low = _behind_last(high), _behind_last(low)
    # A tag that ends within the later word leaves nothing of the earlier one.
    in_low = np.where(in_high == _ALL, in_low, _NONE)
    good = (words[cells.ends - 8] == _VALUE_END) & (in_low != _ALL)
    length = (np.bitwise_count(in_high) + np.bitwise_count(in_low)) >> 3
    high = (high & in_high) | (_NOUGHTS & ~in_high)
    low = (low & in_low) | (_NOUGHTS & ~in_low)

    first_low, first_high = in_low & (~in_low + _ONE), in_high & (~in_high + _ONE)
    minus_low = (_same(low, _MINUSES) >> _SEVEN) & first_low
    minus_high = (_same(high, _MINUSES) >> _SEVEN) & np.where(in_low == _NONE, first_high, _NONE)
    low ^= minus_low * _MINUS_TO_NOUGHT
    high ^= minus_high * _MINUS_TO_NOUGHT
    negative = (minus_low | minus_high) != 0

    point = _same(high, _POINTS) >> _SEVEN
    pointed = point != 0
    before = point - _ONE  # all of the word, where there is no point
    behind = ~(before | (point * _BYTE))
    high = (high & behind) | ((high & before) << (pointed * _EIGHT))
    high = np.where(pointed, high | np.uint64(ord("0")), high)

    good &= (_other_than_digits(high) | _other_than_digits(low)) == 0
    value = _of_digits(low) * np.where(pointed, np.uint64(10**7), np.uint64(10**8))
    value = (value + _of_digits(high)).astype(np.int64)
    good &= (value < _MOST) & (length > negative.astype(np.uint8) + pointed)
    good &= _is_untyped(rows, cells, cells.ends - 8 - length.astype(np.int64))
    return Numbers(
        value=np.where(negative, -value, value),
        decimals=(np.bitwise_count(behind) >> 3).astype(np.int64),
        plain=good,
    )


def codes(rows: Rows, cells: Cells) -> tuple[Words, Flags]:
    """Inline texts of three letters as numbers of three bytes; and which cells are no such."""
    text = rows.words[cells.ends - 17]
    framed = ((text & _CODE_FRAME) == _CODE) & (rows.words[cells.ends - 8] == _TEXT_END)
    return (text >> _EIGHT) & _CODE_BITS, ~framed


def _is_untyped(rows: Rows, cells: Cells, texts: Ints) -> Flags:
    """Whether cells begin `<c ...><v>`, and nothing in the first tag says that it is no number."""
    letters, words = rows.letters, rows.words
    good: Flags = (letters[texts - 2] == ord("v")) & (letters[texts - 3] == ord("<"))
    tag_ends = texts - 3
    good &= (letters[tag_ends - 1] == ord(">")) & (tag_ends - cells.starts <= _LONGEST_TAG)
    for places in (cells.starts, tag_ends - 16, tag_ends - 8):
        good &= _same(words[places], _TYPES) == 0
    return good


def _same(text: Words, letters: np.uint64) -> Words:
    """The top bit of each byte that is the letter of which there are eight."""
    other = text ^ letters
    return ~(((other & _LOWS) + _LOWS) | other | _LOWS)


def _behind_last(text: Words) -> Words:
    """All bits of the bytes behind the last `>`; of all bytes, if there is none."""
    found = _same(text, _CLOSINGS)
    for shift in (_EIGHT, _SIXTEEN, _THIRTY_TWO):
        found = found | (found >> shift)
    return ~((found >> _SEVEN) * _BYTE)


def _other_than_digits(text: Words) -> Words:
    """Not nought if one of the eight bytes is no digit."""
    return ((text + _OVER_NINE) | (text - _NOUGHTS)) & _TOPS


def _of_digits(text: Words) -> Words:
    """The number that eight digits are."""
    pairs = ((text & _DIGITS) * _PAIRS) >> _EIGHT
    fours = ((pairs & _OF_PAIRS) * _FOURS) >> _SIXTEEN
    return ((fours & _OF_FOURS) * _EIGHTS) >> _THIRTY_TWO
