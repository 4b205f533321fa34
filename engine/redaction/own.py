"""Own secrets: those of the attempt that goes on in this thread, hidden in what is said here."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_HIDE: ContextVar[Callable[[str], str] | None] = ContextVar("hide", default=None)


def hidden_here(text: str) -> str:
    """The text without the secrets of the attempt in this thread, if there is one."""
    hide = _HIDE.get()
    return text if hide is None else hide(text)


@contextmanager
def hiding(hide: Callable[[str], str]) -> Iterator[None]:
    """Have `hidden_here` hide what this hides, in this thread, for a while."""
    token = _HIDE.set(hide)
    try:
        yield
    finally:
        _HIDE.reset(token)
