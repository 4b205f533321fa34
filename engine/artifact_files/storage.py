"""The protocol of the family: what every kind of storage promises."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol

from engine.artifact_files.spool import SpooledFile


@dataclass(frozen=True, kw_only=True)
class FoundFile:
    """A file on the storage, and when it was last written."""

    path: str
    modified_at: datetime


class Storage(Protocol):
    """Files by their path below a root; nobody ever sees half of one.

    What goes wrong is raised as an error of `engine.artifact_files.faults`; those named
    StorageUnreachable are worth another try.
    """

    @property
    def shown(self) -> str:
        """The root, as it may be printed."""

    def put(self, file: SpooledFile, path: str) -> None:
        """Copy a whole file to `path`; it is there as it was written, or not at all."""

    def open(self, path: str) -> BinaryIO:
        """The file for reading, a piece at a time; the caller closes it. Raises FileMissing."""

    def delete(self, path: str) -> None:
        """Remove the file; nothing happens if it is not there."""

    def found(self) -> Iterator[FoundFile]:
        """Every whole file, read a page at a time."""

    def delete_unfinished(self, begun_before: datetime) -> int:
        """Remove what killed processes left half written before that instant; how many."""

    def close(self) -> None:
        """Let go of connections; the next use makes another."""
