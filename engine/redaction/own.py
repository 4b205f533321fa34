"""Own secrets: those of the attempt that goes on here, which nothing that it says may tell."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from engine.redaction.known import Secrets

_HERE: ContextVar[Secrets | None] = ContextVar("own", default=None)
# Those of all threads that have none of their own.
_everywhere: Secrets | None = None


def hidden_here(text: str) -> str:
    """The text without the secrets of the attempt that goes on here, and what looks like one."""
    own = _HERE.get() or _everywhere
    return text if own is None else own.hidden_in(text)


def without_own(text: str) -> str:
    """The text without the secrets of the attempt that goes on here; all else stays."""
    own = _HERE.get() or _everywhere
    return text if own is None else own.without_known(text)


@contextmanager
def hiding(secrets: Secrets, *, in_all_threads: bool = False) -> Iterator[None]:
    """Have these hidden here for a while; `in_all_threads` if this process is one attempt's."""
    global _everywhere
    token, before = _HERE.set(secrets), _everywhere
    if in_all_threads:
        _everywhere = secrets
    try:
        yield
    finally:
        _HERE.reset(token)
        _everywhere = before
