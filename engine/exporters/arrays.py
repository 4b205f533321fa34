"""Arrow's arrays, made of numbers and texts and read as numbers, without pandas.

`pyarrow.array`, `pyarrow.scalar` and `to_numpy` load pandas, to see whether it is meant: 40 MB and
a third of a second, which an export does not need.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

Numbers: TypeAlias = Any  # numpy array
Texts: TypeAlias = Any  # pyarrow.StringArray

_ARROW: Mapping[Any, Any] = {
    np.dtype(np.int32): pa.int32(),
    np.dtype(np.int64): pa.int64(),
    np.dtype(np.uint64): pa.uint64(),
}
_NUMPY: Mapping[Any, Any] = {kind: dtype for dtype, kind in _ARROW.items()}


def numbers(column: Any) -> Numbers:
    """The numbers of a column of integers; those that are empty are 0."""
    if not len(column):
        return np.zeros(0, _NUMPY[column.type])
    held = np.frombuffer(column.buffers()[1], _NUMPY[column.type])
    held = held[column.offset : column.offset + len(column)]
    return held * which_are(column.is_valid()) if column.null_count else held


def array_of(values: Numbers) -> Any:
    """A column of these numbers."""
    data = pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(_ARROW[values.dtype], len(values), [None, data])


def mask_of(which: Numbers) -> Any:
    """A column of what is so and what is not."""
    return pa.Array.from_buffers(pa.bool_(), len(which), [None, _bits(which)])


def which_are(mask: Any) -> Numbers:
    """The same the other way; nothing of it may be empty."""
    if not len(mask):
        return np.zeros(0, bool)
    bits = np.frombuffer(mask.buffers()[1], np.uint8)
    end = mask.offset + len(mask)
    return np.unpackbits(bits, count=end, bitorder="little")[mask.offset :].view(bool)


def texts_of(texts: Sequence[str | None]) -> Texts:
    """A column of these texts."""
    parts = [b"" if text is None else text.encode() for text in texts]
    made = varying_texts(np.array([len(part) for part in parts], np.int64), b"".join(parts))
    if None not in texts:
        return made
    valid = _bits(np.array([text is not None for text in texts], bool))
    return pa.StringArray.from_buffers(len(made), *made.buffers()[1:], valid)


@lru_cache(maxsize=1_024)
def one(text: str | None) -> Any:
    """A text that stands for a whole column of it."""
    return texts_of([text])[0]


@lru_cache(maxsize=64)
def one_number(number: int) -> Any:
    """A whole number of 64 bits that stands for a whole column of it."""
    return array_of(np.array([number], np.int64))[0]


def fixed_texts(letters: Numbers) -> Texts:
    """Texts of one length: a row of bytes is one."""
    how_many, length = letters.shape
    ends = np.arange(how_many + 1, dtype=np.int32) * np.int32(length)
    data = pa.py_buffer(np.ascontiguousarray(letters))
    return pa.StringArray.from_buffers(how_many, pa.py_buffer(ends), data)


def varying_texts(lengths: Numbers, data: Any) -> Texts:
    """Texts that lie one after the other in `data`."""
    ends = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=ends[1:])
    return pa.StringArray.from_buffers(len(lengths), pa.py_buffer(ends), pa.py_buffer(data))


def bytes_of(texts: Texts) -> Any:
    """All texts of a column one after the other, without a copy."""
    _, ends, data = texts.buffers()
    if data is None or not len(texts):
        return b""
    places = np.frombuffer(ends, np.int32)
    return memoryview(data)[places[texts.offset] : places[texts.offset + len(texts)]]


def ends_of(texts: Texts) -> Numbers:
    """Where each text begins in `bytes_of`, and at last where all end."""
    if not len(texts):
        return np.zeros(1, np.int32)
    ends = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return ends - ends[0]


def _bits(which: Numbers) -> Any:
    return pa.py_buffer(np.packbits(which, bitorder="little"))
