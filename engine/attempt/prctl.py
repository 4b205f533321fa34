"""Requests to the Linux kernel about the calling process, which Python has no names for."""

import ctypes
import os
import signal

_SET_PDEATHSIG = 1
_SET_NAME = 15
_SET_CHILD_SUBREAPER = 36

_prctl = ctypes.CDLL(None, use_errno=True).prctl


def adopt_orphans() -> None:
    """From now on, a descendant that loses its parent becomes a child of this process."""
    _call(_SET_CHILD_SUBREAPER, 1)


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when `parent` ends, or end now if it already has."""
    _call(_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != parent:
        os._exit(1)


def end_with_parent(parent: int) -> None:
    """Have the kernel ask this process to end (SIGTERM) when `parent` does."""
    _call(_SET_PDEATHSIG, int(signal.SIGTERM))
    if os.getppid() != parent:
        os._exit(1)


def show_as(name: str) -> None:
    """The name that `ps` and `top` show; the kernel keeps 15 bytes of it."""
    _call(_SET_NAME, ctypes.c_char_p(name.encode()))


def _call(option: int, value: object) -> None:
    argument = value if isinstance(value, ctypes.c_char_p) else ctypes.c_ulong(value)  # type: ignore[arg-type]
    if _prctl(ctypes.c_int(option), argument, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl({option}): {os.strerror(number)}")
