"""The known name that a misspelt one was probably meant to be."""

from collections.abc import Iterable
from difflib import get_close_matches
from functools import lru_cache

CUTOFF = 0.65  # difflib's own 0.6 finds `every` in `retry`


def closest(name: str, known: Iterable[str]) -> str | None:
    """The most similar of the known names, or None if none is similar enough to suggest."""
    return _closest(name, tuple(sorted(known)))


@lru_cache(maxsize=512)  # one misspelt name is often used on many lines
def _closest(name: str, known: tuple[str, ...]) -> str | None:
    folded = {candidate.casefold(): candidate for candidate in reversed(known)}
    matches = get_close_matches(name[:200].casefold(), folded, n=1, cutoff=CUTOFF)
    return folded[matches[0]] if matches else None


def suggestion(name: str, known: Iterable[str]) -> str:
    """What to say after "there is no ...": the closest known name, or what is known."""
    names = sorted(known)
    if (match := closest(name, names)) is not None:
        return f"did you mean {match!r}?"
    if not names:
        return "none are known"
    shown = ", ".join(names[:12])
    return f"known: {shown}" + (", ..." if len(names) > 12 else "")
