"""Limits on how many runs of a job go on, or start; the keys by which runs are counted together."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

_RATE = re.compile(r"([1-9][0-9]{0,6})/([smh])")
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
}


@dataclass(frozen=True)
class Rate:
    """At most `starts` of attempts in any window of time that is `per` long."""

    starts: int
    per: timedelta

    @classmethod
    def parse(cls, text: str) -> Self:
        """The rate that `60/m` says, or `/s`, or `/h`; ValueError if it says none."""
        read = _RATE.fullmatch(text)
        if read is None:
            raise ValueError(f"rate {text!r} is not like '10/s', '60/m' or '500/h'")
        return cls(int(read[1]), _UNITS[read[2]])

    def __str__(self) -> str:
        (unit,) = (unit for unit, length in _UNITS.items() if length == self.per)
        return f"{self.starts}/{unit}"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What runs that are counted together may do: go on at the same time, and start. None: all."""

    concurrency: int | None = None
    rate: Rate | None = None


@dataclass(frozen=True, kw_only=True)
class Line:
    """The line that a run stands in: the runs with the same `key` share `limits`."""

    key: str
    limits: Limits


def key_of(job: str, values: Mapping[str, Any]) -> str:
    """The name of a job's runs that have these values, JSON-ready ones; it shows none of them."""
    text = json.dumps([job, dict(values)], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
