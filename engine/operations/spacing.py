"""How far apart runs start that a person sends back together: `5/s`, `60/m`, `100/h`."""

import re
from datetime import timedelta

from engine.errors import Invalid

_WRITTEN = re.compile(r"(\d{1,6})/([smh])")
_UNITS = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1)}


class WrongRate(Invalid):
    """A text is no rate."""

    message = "--rate: {text!r} is no rate; write 5/s, 60/m or 100/h"


def spacing(rate: str) -> timedelta:
    """The time between two starts at this rate; raises WrongRate."""
    found = _WRITTEN.fullmatch(rate.strip())
    if found is None or int(found[1]) == 0:
        raise WrongRate(text=rate)
    return _UNITS[found[2]] / int(found[1])
