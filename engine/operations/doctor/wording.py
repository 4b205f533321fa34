"""Numbers and names as findings say them."""

from collections.abc import Iterable
from datetime import timedelta


def counted(number: int, noun: str) -> str:
    """`1 run`, `2 runs`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def listed(names: Iterable[str], *, most: int = 5) -> str:
    """`a, b and c`; with too many of them, how many more there are."""
    every = list(names)
    shown = every[:most]
    if len(every) > most:
        return f"{', '.join(shown)} and {len(every) - most} more"
    return " and ".join([*([", ".join(shown[:-1])] if shown[1:] else []), *shown[-1:]])


def lasting(span: timedelta) -> str:
    """`0.3 s`, `12 s`, `5 min`, `3 h`, `2 days`."""
    seconds = span.total_seconds()
    for unit, size, upto in (("s", 1, 120), ("min", 60, 7_200), ("h", 3_600, 172_800)):
        if seconds < upto:
            amount = seconds / size
            return f"{amount:.2g} {unit}" if amount < 10 else f"{amount:.0f} {unit}"
    return f"{seconds / 86_400:.0f} days"


def sized(size: float) -> str:
    """`12 kB`, `1.5 MB`, `2.0 GB`."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size:.0f} bytes"
