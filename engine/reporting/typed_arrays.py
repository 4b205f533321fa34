"""Typed arrays: whole columns of the usual types, read as `typed_cells` reads their values.

A column that is not wholly as usual is left to that: ArrowInvalid, or None.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from engine.exporters.document import Kind
from engine.money import minor_digits
from engine.reporting.typed_cells import FIRST_YEAR, LAST_YEAR, Asked
from engine.sources.instants import MICROSECONDS, MILLISECONDS, micros

_PLAIN = r"^[+-]?[0-9]+(\.[0-9]+)?$"  # Arrow would read 1e2 as well
_MONEY_SIGNS, _PERCENT_SIGNS = 28, 38  # of texts whose digits surely fit
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896  # of the years 1 and 9999, counted from 1970
_IN_TABLES = micros(datetime(1970, 1, 1, tzinfo=UTC)), micros(datetime(2037, 1, 1, tzinfo=UTC))


def read_array(array: Any, asked: Asked) -> Any:
    """The column as an array of its kind's type; raises ArrowInvalid, or returns None."""
    return _READERS[asked.kind](array, asked)


def _text(array: Any, asked: Asked) -> Any:
    import pyarrow as pa

    if pa.types.is_string(array.type):
        if asked.untyped:
            array.validate(full=True)  # elsewhere the server has seen to it
        return array
    return array.cast(pa.string()) if pa.types.is_integer(array.type) else None


def _whole(array: Any, asked: Asked) -> Any:
    import pyarrow as pa

    kind = array.type
    if pa.types.is_string(kind) and asked.exact:
        if not _is_short(array, _MONEY_SIGNS):
            return None
        # Safe casts refuse what has a fraction.
        return array.cast(pa.decimal128(38, 9)).cast(pa.int64())
    return array.cast(pa.int64()) if pa.types.is_integer(kind) else None


def _money(array: Any, asked: Asked) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if asked.currency is None:
        return None
    if asked.unit == "minor":
        return _whole(array, asked)
    if pa.types.is_string(array.type) and (asked.exact or asked.untyped):
        if asked.untyped and pc.all(pc.match_substring_regex(array, _PLAIN)).as_py() is False:
            return None
        if not _is_short(array, _MONEY_SIGNS):
            return None
        decimals = array.cast(pa.decimal128(38, 9))
    elif pa.types.is_integer(array.type):
        decimals = array.cast(pa.int64()).cast(pa.decimal128(38, 9))
    else:
        return None
    # Fewer places, or an error if one is lost; then the same digits without a point.
    exact = decimals.cast(pa.decimal128(38, minor_digits(asked.currency)))
    digits = pa.Array.from_buffers(
        pa.decimal128(38, 0), len(exact), exact.buffers(), offset=exact.offset
    )
    return _whole(digits.cast(pa.int64()), asked)


def _percent(array: Any, asked: Asked) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    due = pa.decimal128(28, 9)
    if pa.types.is_floating(array.type):
        largest = pc.max(pc.abs(array)).as_py()
        if largest is not None and largest >= 1e19:
            return None
        array = array.cast(pa.string())  # the shortest that means the same number
    elif pa.types.is_integer(array.type):
        return array.cast(pa.int64()).cast(due)
    elif not (pa.types.is_string(array.type) and asked.exact):
        return None
    if not _is_short(array, _PERCENT_SIGNS):
        return None
    many = array.cast(pa.decimal256(76, 38))
    return pc.round(many, 9, round_mode="half_to_even").cast(due)


def _flag(array: Any, _: Asked) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    from engine.exporters.arrays import texts_of

    if pa.types.is_boolean(array.type):
        return array
    if pa.types.is_string(array.type):
        words = pc.utf8_lower(array)
        yes, no = (pc.is_in(words, texts_of(each)) for each in (["true", "1"], ["false", "0"]))
        read = pc.if_else(pc.is_valid(words), yes, pa.nulls(1, pa.bool_())[0])
        return read if pc.all(pc.or_kleene(pc.or_(yes, no), pc.is_null(words))).as_py() else None
    if not pa.types.is_integer(array.type):
        return None
    return array.cast(pa.bool_()) if _is_between(array.cast(pa.int64()), 0, 1) else None


def _day(array: Any, _: Asked) -> Any:
    import pyarrow as pa

    if pa.types.is_string(array.type):
        array = array.cast(pa.date32())
    if not pa.types.is_date32(array.type):
        return None
    return array if _is_between(array.cast(pa.int32()), _FIRST_DAY, _LAST_DAY) else None


def _instant(array: Any, asked: Asked) -> Any:
    import pyarrow as pa

    due, local = pa.timestamp("us", "UTC"), pa.timestamp("us")
    if pa.types.is_integer(array.type):
        found = _scaled(array.cast(pa.int64())).cast(due)
    elif pa.types.is_string(array.type):
        first = next((text for text in array.slice(0, 16).to_pylist() if text is not None), None)
        if first is None or ((first[-1:] == "Z" or first[-6:-5] in ("+", "-")) and ":" in first):
            found = array.cast(due)
        else:
            found = _in_zone(array.cast(local), asked.zone)
    elif pa.types.is_timestamp(array.type) and array.type.tz is not None:
        found = array.cast(due)
    elif pa.types.is_timestamp(array.type) or pa.types.is_date32(array.type):
        found = _in_zone(array.cast(local), asked.zone)
    else:
        return None
    if found is None:
        return None
    first_, last = micros(FIRST_YEAR), micros(LAST_YEAR)
    return found if _is_between(found.cast(pa.int64()), first_, last - 1) else None


def _in_zone(local: Any, zone: str) -> Any:
    """Local times as instants; None if Arrow does not know the zone's clock at all of them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    # It reads a zone's table of changes, and not the rule for the years behind the table.
    if zone != "UTC" and not _is_between(local.cast(pa.int64()), *_IN_TABLES):
        return None
    return pc.assume_timezone(local, zone).cast(pa.timestamp("us", "UTC"))


def _scaled(numbers: Any) -> Any:
    """Seconds, milliseconds or microseconds as microseconds, told apart by their size."""
    import pyarrow.compute as pc

    size = pc.abs_checked(numbers)
    seconds = pc.less(size, MILLISECONDS)
    milliseconds = pc.less(size, MICROSECONDS)
    factor = pc.if_else(seconds, 1_000_000, pc.if_else(milliseconds, 1_000, 1))
    return pc.multiply_checked(numbers, factor)


def _is_short(texts: Any, most: int) -> bool:
    """Whether no text is longer; of more digits than fit, Arrow makes a wrong number."""
    import pyarrow.compute as pc

    longest = pc.max(pc.binary_length(texts)).as_py()
    return longest is None or longest <= most


def _is_between(numbers: Any, least: int, most: int) -> bool:
    import pyarrow.compute as pc

    ends = pc.min_max(numbers).as_py()
    return ends["min"] is None or (ends["min"] >= least and ends["max"] <= most)


_READERS: Mapping[Kind, Callable[[Any, Asked], Any]] = {
    Kind.TEXT: _text,
    Kind.INTEGER: _whole,
    Kind.MONEY: _money,
    Kind.PERCENT: _percent,
    Kind.BOOLEAN: _flag,
    Kind.DATE: _day,
    Kind.DATETIME: _instant,
}
