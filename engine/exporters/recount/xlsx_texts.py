"""The texts of cells: as they stand there, or shared and named by a number."""

from collections.abc import Callable, Sequence
from functools import cached_property

from engine.exporters.recount.recount import Unreadable


class Texts:
    """Says the text of a cell; the shared ones are read when the first is asked for."""

    def __init__(self, read: Callable[[], Sequence[str]]) -> None:
        self._read = read

    @cached_property
    def shared(self) -> Sequence[str]:
        """The shared texts."""
        return self._read()

    def of(self, kind: str, text: str) -> str:
        """The text of a cell of that type in the file."""
        if kind != "s":
            return text
        try:
            return self.shared[int(text)]
        except (ValueError, IndexError) as error:
            problem = f"a cell names the shared text {text!r}, and there is none"
            raise Unreadable(format="XLSX", problem=problem) from error
