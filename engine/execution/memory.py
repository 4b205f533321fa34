"""The memory of processes, as /proc tells it."""

import os

_PAGE = os.sysconf("SC_PAGE_SIZE")
_LONGEST_FILE = 16_384


def proportional_memory(pid: int) -> int:
    """The bytes of a process, swap included, each shared page divided by those who share it.

    0 for a process that has ended. Where the kernel does not tell, its resident set.
    """
    if rollup := proc_file(f"/proc/{pid}/smaps_rollup"):
        fields = (line.split() for line in rollup.splitlines()[1:])
        return sum(int(f[1]) for f in fields if f[0] in (b"Pss:", b"SwapPss:")) * 1024
    if statm := proc_file(f"/proc/{pid}/statm"):
        return int(statm.split()[1]) * _PAGE
    return 0


def proc_file(path: str) -> bytes | None:
    """A file of /proc, or None if its process has ended or is not ours to look at."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)  # half the cost of an open file object
    except OSError:
        return None
    try:
        return os.read(file, _LONGEST_FILE)
    except OSError:
        return None
    finally:
        os.close(file)
