"""A disk so small that a test can fill it: a tmpfs of a few megabytes, really mounted.

Whoever may not mount does so in a namespace of a helper's own, whose files are at /proc/<pid>/root.
"""

import os
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_FILLER = "filler"
_PIECE = 64 * 4096


@dataclass(frozen=True)
class SmallDisk:
    """What is mounted at `folder`."""

    folder: Path

    def free(self) -> int:
        """The bytes that are left."""
        about = os.statvfs(self.folder)
        return about.f_bavail * about.f_frsize

    def fill(self) -> None:
        """Leave no byte free."""
        with (self.folder / _FILLER).open("ab", buffering=0) as filler, suppress(OSError):
            while room := self.free():
                filler.write(b"\0" * min(room, _PIECE))

    def make_room(self) -> None:
        """Free what `fill` took."""
        (self.folder / _FILLER).unlink(missing_ok=True)


@contextmanager
def a_small_disk(folder: Path, *, megabytes: int) -> Iterator[SmallDisk]:
    """A disk at `folder`, which is new or empty; gone with all it holds at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0777", "tmpfs")
    if subprocess.run([*mount, folder], check=False, capture_output=True).returncode == 0:  # noqa: S603
        try:
            yield SmallDisk(folder)
        finally:
            # Lazily: a process of the test may still be there.
            subprocess.run(["umount", "--lazy", folder], check=True)  # noqa: S603, S607
        return
    aside = folder.with_name(f"{folder.name}-aside")
    folder.rename(aside)
    with _helper([*mount, str(aside)]) as pid:
        folder.symlink_to(Path(f"/proc/{pid}/root", *aside.parts[1:]))
        yield SmallDisk(folder)
        folder.unlink()


@contextmanager
def _helper(mount: Sequence[str]) -> Iterator[int]:
    """A process in a namespace in which it may mount, and did."""
    script = f"{shlex.join(mount)} && echo mounted && exec sleep 3600"
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as helper:  # noqa: S603
        try:
            assert helper.stdout is not None
            said = helper.stdout.readline()
            assert said == b"mounted\n", "a test of full disks must mount a tmpfs, and may not"
            yield helper.pid
        finally:
            helper.kill()
