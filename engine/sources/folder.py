"""A folder of files as a source; no name leads out of it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from engine.sources.faults import SourceUnreachable, UnreadableFile


@dataclass(frozen=True)
class Folder:
    """A folder by its name; the files in it are read, never written."""

    name: str
    path: Path

    def require_reachable(self) -> None:
        """Raise SourceUnreachable unless the folder is there."""
        if not self.path.is_dir():
            raise SourceUnreachable(name=self.name, reason=f"there is no folder {self.path}")

    def file(self, name: str) -> Path:
        """The path of one file; raises if it is missing or, through `..` or a link, outside."""
        self.require_reachable()
        if "\0" in name:
            raise UnreadableFile(file=name, source=self.name, reason="a name holds no NUL")
        path = (self.path / name).resolve()
        if not path.is_relative_to(self.path.resolve()):
            raise UnreadableFile(file=name, source=self.name, reason="it is outside the folder")
        if not path.is_file():
            raise UnreadableFile(file=name, source=self.name, reason="there is no such file")
        return path


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
