"""Lengths of time as people write them: 30s, 15m, 6h, 1d, 1h30m."""

import re
from datetime import timedelta

LONGEST = timedelta(days=3660)

_WRITTEN = re.compile(r"(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?")


def duration(text: str) -> timedelta:
    """The length that `text` says; ValueError if it says none between a second and ten years."""
    found = _WRITTEN.fullmatch(text)
    if found is None or not text:
        hint = f"; a unit is missing: {text}s or {text}m?" if text.isdecimal() else ""
        raise ValueError(f"must be a length of time like 30s, 15m, 6h or 1d, not {text!r}{hint}")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    length = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if length < timedelta(seconds=1):
        raise ValueError(f"must be at least 1s, not {text!r}")
    if length > LONGEST:
        raise ValueError(f"must be at most {LONGEST.days}d, not {text!r}")
    return length


def written(length: timedelta) -> str:
    """The shortest way to write a length of whole seconds: 90 minutes are 1h30m."""
    seconds = length // timedelta(seconds=1)
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts) or "0s"
