"""Limits on how many runs of a job go on, or start; the keys by which runs are counted together."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from typing import Any, Literal, Protocol, Self, get_args

DuplicatePolicy = Literal["return", "refuse"]
PRIORITIES = range(-1000, 1001)
PRIORITY_BOUNDS = f"from {PRIORITIES[0]} to {PRIORITIES[-1]}"

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
        read = _RATE.fullmatch(text) if isinstance(text, str) else None
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
class LimitGroup:
    """The runs with the same `key`, which share `limits`."""

    key: str
    limits: Limits


class Limited(Protocol):
    """What a job declares of its runs among each other."""

    @property
    def unique_by(self) -> tuple[str, ...] | None: ...
    @property
    def on_duplicate(self) -> DuplicatePolicy: ...
    @property
    def concurrency(self) -> int | None: ...
    @property
    def rate(self) -> str | None: ...
    @property
    def limit_by(self) -> tuple[str, ...]: ...
    @property
    def priority(self) -> int: ...


def limit_problems(job: Limited, params: Sequence[str]) -> Sequence[str]:
    """Why what is declared cannot work, for a job with these parameters; empty if it can."""
    return [
        *_problems_in_names("unique_by", job.unique_by or (), params),
        *_problems_in_names("limit_by", job.limit_by, params),
        *_problems_in_values(job),
    ]


def _problems_in_values(job: Limited) -> Iterator[str]:
    if job.on_duplicate not in get_args(DuplicatePolicy):
        yield f"on_duplicate {job.on_duplicate!r} is neither 'return' nor 'refuse'"
    elif job.on_duplicate == "refuse" and job.unique_by is None:
        yield "on_duplicate needs unique_by; unique_by=() means one run of the job"
    if job.concurrency is not None and (type(job.concurrency) is not int or job.concurrency < 1):
        yield f"concurrency {job.concurrency!r} is not a whole number of at least 1"
    if job.rate is not None:
        try:
            Rate.parse(job.rate)
        except ValueError as error:
            yield str(error)
    if job.limit_by and job.concurrency is None and job.rate is None:
        yield "limit_by needs concurrency or rate"
    if type(job.priority) is not int or job.priority not in PRIORITIES:
        yield f"priority {job.priority!r} is not a whole number {PRIORITY_BOUNDS}"


def _problems_in_names(field: str, names: object, params: Sequence[str]) -> Iterator[str]:
    if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):
        yield f"{field} must be a tuple of parameters' names, like ('wallet_id',), not {names!r}"
        return
    for name in names:
        if name not in params:
            close = get_close_matches(name, params, n=1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            allowed = ", ".join(params) or "none"
            yield f"{field} names {name!r}, which is no parameter; {hint}parameters: {allowed}"


def key_of(job: str, values: Mapping[str, Any]) -> str:
    """The name of a job's runs that have these values, JSON-ready ones; it shows none of them."""
    text = json.dumps([job, dict(values)], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
