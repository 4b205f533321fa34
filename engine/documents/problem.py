"""What is wrong with a document, and where."""

from collections.abc import Iterable
from dataclasses import dataclass

from engine.errors import Invalid

KeyPath = tuple[str | int, ...]
"""The way to a value: mapping keys, and positions in lists."""


def dotted(path: KeyPath) -> str:
    """`("sides", "wallets", "plus", 0)` as `sides.wallets.plus[0]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong; ordered by file, line and column."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}"
        return f"{where} {self.path}: {self.message}" if self.path else f"{where}: {self.message}"


class InvalidDocument(Invalid):
    """A document cannot be used; `problems` says why, in the order of its lines."""

    message = "{text}"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__(text="\n".join(map(str, self.problems)))
