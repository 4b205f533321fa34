"""Filters of lists: one that is given and says nothing is a mistake, and never means everything."""

import typer

from engine.errors import Invalid


class EmptyFilter(Invalid):
    """A script's variable was empty, say."""

    message = "{option}: it is empty; leave it out to mean all"


def not_empty(param: typer.CallbackParam, value: str | None) -> str | None:
    """An option's callback: raises EmptyFilter."""
    if value is not None and not value.strip():
        raise EmptyFilter(option=param.opts[0])
    return value
