"""Typed cells: what a value of a database is in a report's column, or why it is nothing there.

This is what counts; `typed_arrays` does the same for whole columns of the usual types. Nothing is
cast: a floating number is no amount, and no text is taken for a number where a database has types.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from engine.errors import EngineError
from engine.exporters.document import Kind
from engine.money import to_minor
from engine.sources.instants import micros, read_instant

LEAST, LARGEST = -(2**63), 2**63 - 1
FIRST_YEAR, LAST_YEAR = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)

_PLAIN = re.compile(r"[+-]?[0-9]{1,38}(\.[0-9]{1,38})?", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_PLACES = Decimal("1e-9")
_MOST_PERCENT = Decimal(10) ** 19
_FLAGS = {"true": True, "false": False, "1": True, "0": False}
_BITS = {b"\x01": True, b"\x00": False}


class Wrong(Exception):
    """A value is nothing that its column can hold; it says what is due."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a column is to be read as.

    `untyped`: the database has no types for columns, so a number may come as a text. `exact`: its
    texts are the digits of decimals. `currency` is that of this value.
    """

    kind: Kind
    unit: Literal["minor", "major"] = "minor"
    currency: str | None = None
    zone: str = "UTC"
    untyped: bool = False
    exact: bool = False

    def read(self, value: Any) -> Any:
        """The cell, as its kind has it; an instant in microseconds. Raises Wrong."""
        if value is None:
            return None
        if self.exact and isinstance(value, str):
            value = Decimal(value)
        return _READERS[self.kind](value, self)


def _text(value: Any, _: Asked) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | UUID():
            return str(value)
        case float():
            return f"{Decimal(repr(value)):f}"
        case Decimal():
            return f"{value:f}"
        case datetime():
            if value.tzinfo is None:
                return value.isoformat(" ")
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date() | time():
            return value.isoformat()
    raise Wrong("have the query make a text of it")


def _whole(value: Any, _: Asked) -> int:
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and LEAST <= value <= LARGEST:
        return value
    raise Wrong("a whole number of 64 bits is due")


def _money(value: Any, asked: Asked) -> int:
    if asked.currency is None:
        raise Wrong("its currency is not told")
    if asked.unit == "minor":
        try:
            return _whole(value, asked)
        except Wrong:
            due = "a whole number of the minor unit is due; decimals are read with `unit: major`"
            raise Wrong(due) from None
    if isinstance(value, str) and asked.untyped and _PLAIN.fullmatch(value):
        value = Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Wrong("an exact decimal is due; a floating number is none, and neither is a text")
    try:
        return _whole(to_minor(value, asked.currency), asked)
    except EngineError as error:
        raise Wrong(f"an exact decimal is due: {error}") from None


def _percent(value: Any, _: Asked) -> Decimal:
    fraction = _fraction(value)
    if fraction is None or not fraction.is_finite() or abs(fraction) >= _MOST_PERCENT:
        raise Wrong("a fraction is due, 0.125 for 12.5 %")
    return fraction.quantize(_PLACES, ROUND_HALF_EVEN)


def _fraction(value: Any) -> Decimal | None:
    match value:
        case bool():
            return None
        case float():
            return Decimal(repr(value))
        case int() | Decimal():
            return Decimal(value)
    return None


def _flag(value: Any, _: Asked) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | Decimal) and value in (0, 1):
        return bool(value)
    found = _BITS.get(value) if isinstance(value, bytes) else None
    found = _FLAGS.get(value.lower()) if isinstance(value, str) else found
    if found is None:
        raise Wrong("true or false is due, or 1 or 0")
    return found


def _day(value: Any, asked: Asked) -> date:
    if isinstance(value, datetime):
        local = value.astimezone(ZoneInfo(asked.zone)) if value.tzinfo else value
        if local.time() == time():
            return local.date()
    elif isinstance(value, date):
        return value
    elif isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise Wrong("a date is due (2026-01-31)")


def _instant(value: Any, asked: Asked) -> int:
    found = None
    if isinstance(value, datetime):
        found = micros(value if value.tzinfo else value.replace(tzinfo=ZoneInfo(asked.zone)))
    elif isinstance(value, date):
        midnight = datetime.combine(value, time(), tzinfo=ZoneInfo(asked.zone))
        found = micros(midnight)
    elif isinstance(value, str | int) and not isinstance(value, bool):
        found = read_instant(str(value), asked.zone)
    if found is None or not micros(FIRST_YEAR) <= found < micros(LAST_YEAR):
        raise Wrong("an instant is due (2026-01-31T18:00:00+03:00)")
    return found


_READERS: Mapping[Kind, Callable[[Any, Asked], Any]] = {
    Kind.TEXT: _text,
    Kind.INTEGER: _whole,
    Kind.MONEY: _money,
    Kind.PERCENT: _percent,
    Kind.BOOLEAN: _flag,
    Kind.DATE: _day,
    Kind.DATETIME: _instant,
}
