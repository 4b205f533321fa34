"""The queues that `--queue` names."""

from engine.errors import Invalid
from engine.job import QUEUE_NAME


class WrongQueue(Invalid):
    """No queue can have this name."""

    message = "--queue: {name!r} is no queue's name; it must match [a-z0-9_]+"


def queue_names(text: str) -> list[str]:
    """The names between the commas, in their order; raises WrongQueue."""
    names = [name.strip() for name in text.split(",") if name.strip()] or [text]
    for name in names:
        if not QUEUE_NAME.fullmatch(name):
            raise WrongQueue(name=name)
    return names
