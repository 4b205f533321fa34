"""Text at rest, whatever it was read from."""

from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator

_NUL = "\N{NULL}"
_SHOWN_NUL = "\N{SYMBOL FOR NULL}"


class Words(TypeDecorator[str]):
    """Text of any length that every database takes: what is no text is written visibly.

    A job's output, a file's name or a row of somebody's table may hold a NUL, which PostgreSQL
    refuses, or half a character, which no database takes.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """NUL as U+2400, half a character as its escape."""
        return None if value is None else plain(value)


def plain(text: str) -> str:
    """The text as it is stored."""
    return text.replace(_NUL, _SHOWN_NUL).encode("utf-8", "backslashreplace").decode()
