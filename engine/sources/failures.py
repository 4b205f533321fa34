"""What went wrong while rows were taken, kept: whoever takes them may tell it in other words.

DuckDB and Arrow turn an error of a reader's into one of their own, with its text at best.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any


class Failures:
    """The errors of one reading."""

    def __init__(self) -> None:
        self._first: Exception | None = None

    def noted(self, batches: Iterable[Any]) -> Iterator[Any]:
        """The same batches; an error on the way is kept."""
        try:
            yield from batches
        except Exception as error:
            self._first = self._first or error
            raise

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Raise what was kept, in place of what was made of it."""
        try:
            yield
        except Exception as error:
            if self._first is None or error is self._first:
                raise
            raise self._first from error
