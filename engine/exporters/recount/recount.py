"""The protocol of the family: what reading a file again promises."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from engine.errors import EngineError
from engine.exporters.recount.figures import Figures
from engine.exporters.recount.layout import Layout


class Unreadable(EngineError):
    """A file cannot be read again as what it should be."""

    message = "the {format} file cannot be read again: {problem}"


class Recount(Protocol):
    """Counts what a file holds, from its bytes, in memory that does not grow with the file.

    It shares no code with who wrote the file, so that a mistake of one is no mistake of both.
    """

    def count(self, file: Path, layouts: Sequence[Layout]) -> Sequence[Figures]:
        """The figures of the file's tables: of each layout, or of the first alone.

        Raises Unreadable for what is no such file, or holds what a column cannot.
        """
