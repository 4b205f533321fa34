"""Asking before something is done that cannot be undone: on a terminal, or by `--yes`."""

import sys
from typing import Annotated

import typer

from engine.errors import Refused

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


class NobodyToAsk(Refused):
    """There is no terminal, and nobody has agreed beforehand."""

    message = "{what}; that needs --yes where there is no terminal to ask on; nothing was done"


class NotAgreed(Refused):
    """The person said no."""

    message = "nothing was done"


def require_consent(what: str, *, yes: bool) -> None:
    """Return once somebody agrees to `what`, such as `12 runs would be cancelled`.

    Raises NobodyToAsk and NotAgreed.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise NobodyToAsk(what=what)
    if not typer.confirm(f"{what}. Go on?", err=True):
        raise NotAgreed
