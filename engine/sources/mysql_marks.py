"""MySQL's marks for parameters, and how a query with some is carried out.

PyMySQL would write the values into the query. Here the server prepares the query, and is given the
values in variables of the session.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from engine.sources.marks import Bound, Quoting, bound
from engine.sources.mysql_words import QUOTED
from engine.sources.parameters import Parameter, ParameterType, Params

_QUOTING = Quoting(QUOTED)
# A variable is no date: it is a text, which is to be read as one.
_MARKS: Mapping[ParameterType, str] = {
    "date": "CAST(? AS DATE)",
    "datetime": "CAST(? AS DATETIME(6))",
}


def marked(query: str, params: Params | None, *, source: str) -> Bound:
    """The query with MySQL's marks, and what is bound to them."""
    return bound(
        query,
        params,
        source=source,
        quoting=_QUOTING,
        mark=lambda _, parameter: _MARKS.get(parameter.type, "?"),
        numbered=False,
    )


def prepare(cursor: Any, query: str) -> None:
    """Have the server prepare a statement as `engine`."""
    cursor.execute(f"SET @engine = {_text(query)}")
    cursor.execute("PREPARE engine FROM @engine")


def carry_out(cursor: Any, asked: Bound) -> None:
    """Have the server carry out a query, with what is bound to its marks."""
    if not asked.parameters:
        cursor.execute(asked.query)
        return
    prepare(cursor, asked.query)
    names = [f"@engine_{at}" for at in range(len(asked.parameters))]
    values = map(_value, asked.parameters)
    given = ", ".join(f"{name} = {value}" for name, value in zip(names, values, strict=True))
    cursor.execute(f"SET {given}")
    cursor.execute(f"EXECUTE engine USING {', '.join(names)}")


def _value(parameter: Parameter) -> str:
    """As a literal; instants are in UTC, as the session is."""
    value = parameter.value
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, datetime):
        return f"'{value.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}'"
    if isinstance(value, date):
        return f"'{value.isoformat()}'"
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:f}" if parameter.type == "decimal" else str(value)


def _text(text: str) -> str:
    # In hex, which no `sql_mode` reads in another way.
    return f"CONVERT(X'{text.encode().hex()}' USING utf8mb4)"
