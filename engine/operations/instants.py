"""Instants and durations as other programs read them."""

from datetime import timedelta

from engine.clock import rfc3339 as rfc3339


def milliseconds(duration: timedelta | None) -> int | None:
    """A duration in whole milliseconds."""
    return None if duration is None else duration // timedelta(milliseconds=1)
