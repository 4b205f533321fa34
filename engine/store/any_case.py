"""Whether a text has another one in it, capital or small; each database's module says how."""

from typing import Any

from sqlalchemy import Boolean
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.visitors import InternalTraversal


class holds_in_any_case(ColumnElement[bool]):  # noqa: N801 - reads as an SQL function
    """Whether `part` is in `text`, both spelt small by one and the same hand.

    A part that was spelt small elsewhere is not found in what the database spells otherwise:
    SQLite's own lower() knows the 26 letters only.
    """

    inherit_cache = True
    _traverse_internals = [  # noqa: RUF012 - as SQLAlchemy declares it
        ("text", InternalTraversal.dp_clauseelement),
        ("part", InternalTraversal.dp_clauseelement),
    ]
    type = Boolean()

    def __init__(self, text: ColumnElement[Any], part: ColumnElement[Any]) -> None:
        self.text = text
        self.part = part
