"""Ringing after a person has moved runs: what is ready is rung for now, not at the next sweep."""

from engine.dispatch import Dispatch
from engine.errors import Unreachable


def ring_ready(dispatch: Dispatch) -> Unreachable | None:
    """Ring for every run that is ready; why it could not be done, if the queue is away.

    The sweep makes up for it then.
    """
    try:
        dispatch.ring_due()
    except Unreachable as error:
        return error
    return None
