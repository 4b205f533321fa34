"""Temporary files of the tests, in memory where there is room: no commit waits for a disk.

What is tested are kills of processes, which lose nothing that was written, and no power cuts.
"""

import os
import shutil
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108 - Linux keeps it in memory; it has the rights of /tmp
_ENOUGH = 4 * 1024**3


def pytest_configure() -> None:
    """Whoever names a folder in TMPDIR gets that one."""
    if "TMPDIR" not in os.environ and _is_of_use(_MEMORY):
        # For the processes that tests start as well.
        os.environ["TMPDIR"] = str(_MEMORY)
        tempfile.tempdir = None


def _is_of_use(folder: Path) -> bool:
    if not os.access(folder, os.W_OK):
        return False
    may_execute = not os.statvfs(folder).f_flag & os.ST_NOEXEC
    return may_execute and shutil.disk_usage(folder).free >= _ENOUGH
