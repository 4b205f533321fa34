"""The artifacts' files: what is stored is whole, and a storage that stumbles is asked again."""

import logging
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import BinaryIO, TypeVar

from engine.artifact_files.faults import PathEscapes, StorageUnreachable
from engine.artifact_files.spool import SpooledFile
from engine.artifact_files.storage import FoundFile, Storage
from engine.retry import RetryPolicy

logger = logging.getLogger("engine.storage")

# Enough for a connection that broke or a server that is busy; an outage is the run's own retries'.
PATIENCE = RetryPolicy(
    attempts=5, first_wait=timedelta(seconds=0.5), longest_wait=timedelta(seconds=8)
)

Answer = TypeVar("Answer")
Tell = Callable[[str], None]


def _silent(note: str) -> None:
    """Nobody is watching."""


@dataclass(frozen=True, kw_only=True)
class ArtifactFiles:
    """Files by their path on one storage."""

    storage: Storage
    patience: RetryPolicy = PATIENCE
    sleep: Callable[[float], None] = time.sleep

    def put(self, file: SpooledFile, path: str, *, tell: Tell = _silent) -> None:
        """Store a whole file under `path`; nobody sees half of it.

        Tried again, from the spool, while the storage may recover; StorageUnreachable in the end.
        """
        self._patiently(lambda: self.storage.put(file, _inside(path)), tell)

    def open(self, path: str) -> BinaryIO:
        """The file for reading, a piece at a time; the caller closes it. Raises FileMissing."""
        return self._patiently(lambda: self.storage.open(_inside(path)), _silent)

    def delete(self, path: str) -> None:
        """Remove the file; nothing happens if it is not there."""
        self._patiently(lambda: self.storage.delete(_inside(path)), _silent)

    def found(self) -> Iterator[FoundFile]:
        """Every whole file, read a page at a time."""
        return self.storage.found()

    def delete_unfinished(self, begun_before: datetime) -> int:
        """Remove what killed attempts left half written before that instant; how many."""
        return self.storage.delete_unfinished(begun_before)

    def close(self) -> None:
        """Let go of connections."""
        self.storage.close()

    def _patiently(self, ask: Callable[[], Answer], tell: Tell) -> Answer:
        number = 0
        while True:
            number += 1
            try:
                return ask()
            except StorageUnreachable as error:
                allowed = self.patience.total_attempts
                wait = self.patience.next_wait(
                    failures=number, attempt=number, attempts_allowed=allowed
                )
                if wait is None:
                    raise
                # Half of it at least, and by chance: whoever fails together does not come back so.
                seconds = wait.total_seconds() * random.uniform(0.5, 1)  # noqa: S311
                tell(f"the storage does not answer; try {number + 1} of {allowed}")
                facts = {"error": str(error), "tries": number, "again_in": round(seconds, 1)}
                logger.info("the storage is tried again", extra=facts)
                self.sleep(seconds)


def _inside(path: str) -> str:
    """`path`, if it leads nowhere but below the storage's root."""
    parts = PurePosixPath(path).parts
    plain = path and "\0" not in path and "\\" not in path and not path.startswith("/")
    if not plain or ".." in parts or path.endswith("/") or parts == ():
        raise PathEscapes(path=path)
    return path
