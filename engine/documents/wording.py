"""What pydantic finds wrong with a value, in words for the person who wrote it."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from pydantic_core import ErrorDetails

from engine.documents.closest import closest


def described(value: object) -> str:
    """A value as its writer would call it."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            return f"the number {value}"
        case str():
            return repr(value) if len(value) <= 60 else f"{value[:57]!r}..."
        case Mapping():
            return "a mapping"
        case list() | tuple():
            return "a list"
    return f"a {type(value).__name__}"


def wanted(error: ErrorDetails) -> str | None:
    """The kind of value that was due, if that is what the error says."""
    if error["type"] in _CHOICES:
        return str(error.get("ctx", {})["expected"])
    return _WANTED.get(error["type"])


def refused(errors: Iterable[ErrorDetails]) -> str:
    """One value that is of none of the kinds wanted, each by a member of a union."""
    kinds = {str(wanted(error)): error for error in errors}
    value = next(iter(kinds.values()))["input"]
    message = f"must be {' or '.join(kinds)}, not {described(value)}"
    names = [name for error in kinds.values() for name in _choices(error)]
    if isinstance(value, str) and (near := closest(value, names)):
        return f"{message}; did you mean {near!r}?"
    if list(kinds) == ["text"] and isinstance(value, int | Decimal):
        return f"{message}; put it in quotes if it is text"
    return message


def worded(error: ErrorDetails) -> str:
    """The message for one error; pydantic's own where nothing better is known."""
    kind, context = error["type"], error.get("ctx", {})
    if kind in _SENTENCES:
        return _SENTENCES[kind](context, error["input"])
    message = error["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return message[:1].lower() + message[1:] if message[1:2].islower() else message


def _choices(error: ErrorDetails) -> list[str]:
    if error["type"] not in _CHOICES:
        return []
    expected = str(error.get("ctx", {})["expected"])
    return expected.replace(" or ", ", ").replace("'", "").split(", ")


_CHOICES = ("literal_error", "enum")

_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "decimal_type": "a number",
    "decimal_parsing": "a number",
    "float_type": "a number",
    "float_parsing": "a number",
    "dict_type": "a mapping (key: value)",
    "mapping_type": "a mapping (key: value)",
    "model_type": "a mapping (key: value)",
    "model_attributes_type": "a mapping (key: value)",
    "dataclass_type": "a mapping (key: value)",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "none_required": "left out",
    "date_type": "a date (2026-01-31)",
    "date_parsing": "a date (2026-01-31)",
    "date_from_datetime_parsing": "a date (2026-01-31)",
    "date_from_datetime_inexact": "a date (2026-01-31)",
    "datetime_type": "a date and time (2026-01-31T18:00:00+03:00)",
    "datetime_parsing": "a date and time (2026-01-31T18:00:00+03:00)",
    "datetime_from_date_parsing": "a date and time (2026-01-31T18:00:00+03:00)",
}

Sentence = Callable[[dict[str, Any], Any], str]


def _tag(context: dict[str, Any], value: Any) -> str:
    names = context["expected_tags"].replace("'", "").split(", ")
    near = closest(context["tag"], names)
    hint = f"; did you mean {near!r}?" if near else ""
    return f"must be {' or '.join(map(repr, names))}, not {context['tag']!r}{hint}"


_SENTENCES: dict[str, Sentence] = {
    "union_tag_invalid": _tag,
    "union_tag_not_found": lambda c, v: f"the key {c['discriminator']} is missing",
    "greater_than": lambda c, v: f"must be greater than {c['gt']}, not {v}",
    "greater_than_equal": lambda c, v: f"must be at least {c['ge']}, not {v}",
    "less_than": lambda c, v: f"must be less than {c['lt']}, not {v}",
    "less_than_equal": lambda c, v: f"must be at most {c['le']}, not {v}",
    "string_pattern_mismatch": lambda c, v: f"{described(v)} must match {c['pattern']}",
    "string_too_short": lambda c, v: (
        "must not be empty" if c["min_length"] == 1 else f"must have {c['min_length']} characters"
    ),
    "string_too_long": lambda c, v: f"must have at most {c['max_length']} characters",
    "too_short": lambda c, v: (
        "must not be empty"
        if c["min_length"] == 1
        else f"must have at least {c['min_length']} entries, not {c['actual_length']}"
    ),
    "too_long": lambda c, v: f"must have at most {c['max_length']} entries",
    "finite_number": lambda c, v: "must be a finite number",
    "timezone_aware": lambda c, v: f"{described(v)} lacks its offset, such as Z or +03:00",
}
