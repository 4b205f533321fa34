"""A disk so small that a test can fill it: a tmpfs of a few megabytes, really mounted."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_FILLER = "filler"
_PIECE = 4096


@dataclass(frozen=True)
class SmallDisk:
    """What is mounted at `folder`."""

    folder: Path

    def free(self) -> int:
        """The bytes that are left."""
        about = os.statvfs(self.folder)
        return about.f_bavail * about.f_frsize

    def fill(self, *, leave: int = 0) -> None:
        """Leave so many bytes free, or none."""
        with (self.folder / _FILLER).open("ab", buffering=0) as filler, suppress(OSError):
            while (room := self.free() - leave) > 0:
                filler.write(b"\0" * min(room, 64 * _PIECE))

    def make_room(self) -> None:
        """Free what `fill` took."""
        (self.folder / _FILLER).unlink(missing_ok=True)


@contextmanager
def a_small_disk(folder: Path, *, megabytes: int) -> Iterator[SmallDisk]:
    """A disk at `folder`, gone with all it holds at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder))
    try:
        yield SmallDisk(folder)
    finally:
        # Lazily: a process of the test may still be there.
        _run("umount", "--lazy", str(folder))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - the system's own
