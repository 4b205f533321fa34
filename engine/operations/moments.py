"""Moments as people type them: an instant with its zone, or how long ago it was."""

from datetime import UTC, datetime

from engine.errors import Invalid
from engine.schedules.durations import duration


class WrongMoment(Invalid):
    """A text names no moment."""

    message = (
        "{option}: {text!r} is no moment; write how long ago it was, such as 24h or 7d, or an "
        "instant with its zone, such as 2026-12-01T02:00:00+03:00"
    )


def moment(text: str, now: datetime, *, option: str) -> datetime:
    """`24h` is a day before `now`; raises WrongMoment, which names the option."""
    try:
        return now - duration(text.strip())
    except (ValueError, OverflowError):
        pass
    try:
        instant = datetime.fromisoformat(text.strip())
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise WrongMoment(option=option, text=text)
