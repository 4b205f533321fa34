"""PostgreSQL's marks for parameters, each with its type."""

from collections.abc import Mapping

from engine.sources.marks import Bound, Quoting, bound
from engine.sources.parameters import Parameter, ParameterType, Params
from engine.sources.postgres_words import QUOTED, end_of_comment

QUOTING = Quoting(QUOTED, end_of_comment)
_TYPES: Mapping[ParameterType, str] = {
    "text": "text",
    "integer": "int8",
    "decimal": "numeric",
    "date": "date",
    "datetime": "timestamptz",
    "boolean": "bool",
}


def marked(query: str, params: Params | None, *, source: str) -> Bound:
    """The query with PostgreSQL's marks, and what is bound to them."""
    return bound(query, params, source=source, quoting=QUOTING, mark=_mark)


def _mark(number: int, parameter: Parameter) -> str:
    # One without a value has a type nevertheless, and all drivers mean the same by it.
    return f"${number}::{_TYPES[parameter.type]}"
