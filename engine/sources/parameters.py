"""Parameters: typed values that a query's `:names` stand for; a driver binds them, never a text."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, TypeAlias

ParameterType = Literal["text", "integer", "decimal", "date", "datetime", "boolean"]
Value: TypeAlias = str | int | Decimal | date | datetime | bool | None

_CLASSES: Mapping[ParameterType, type] = {
    "text": str,
    "integer": int,
    "decimal": Decimal,
    "date": date,
    "datetime": datetime,
    "boolean": bool,
}
_LARGEST = 2**63


@dataclass(frozen=True)
class Parameter:
    """A value and its type, which is told even where there is no value.

    An instant is aware; a whole number has 64 bits; a decimal is finite.
    """

    type: ParameterType
    value: Value = None

    def __post_init__(self) -> None:
        """Refuse a value of another type: nothing is cast on its way to a database."""
        value = self.value
        if value is None:
            return
        wrong = type(value) is not _CLASSES[self.type]
        if isinstance(value, datetime):
            wrong = wrong or value.utcoffset() is None
        if isinstance(value, int) and not isinstance(value, bool):
            wrong = wrong or not -_LARGEST <= value < _LARGEST
        if isinstance(value, Decimal):
            wrong = wrong or not value.is_finite()
        if wrong:
            raise ValueError(f"{value!r} is no {self.type} for a query")


Params: TypeAlias = Mapping[str, Parameter]
"""Parameters by the names that the query gives them, without the colon."""
