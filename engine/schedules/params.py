"""A schedule's params against its job: tokens, the job's signature, names of definitions."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Protocol, cast, runtime_checkable

from engine.documents.closest import closest, suggestion
from engine.documents.problem import KeyPath
from engine.job import Job
from engine.schedules.tokens import fill, wrong_tokens
from engine.signature import InvalidParams

# What tokens become while a file is checked; a firing has its own.
_SAMPLE = {
    "period.start": "2026-01-31T00:00:00+03:00",
    "period.end": "2026-02-01T00:00:00+03:00",
}

Definitions = Mapping[str, Collection[str]]
"""Known names by the kind of thing they name, e.g. `{"reconciliation": {"wallets"}}`."""


@runtime_checkable
class Knowing(Protocol):
    """Names of things that have a say in the other parameters of a run of theirs."""

    def wrong(self, name: str, params: Mapping[str, Any]) -> Iterable[tuple[KeyPath, str]]:
        """What is wrong with the parameters of a run of `name`, each with its way from them."""

    def role_for(self, name: str, params: Mapping[str, Any]) -> str | None:
        """The role that a run of `name` with these parameters takes, if they are sound."""

    def hides(self, name: str, param: str) -> bool:
        """Whether a run of `name` hides what it is given as `param`, which is no job's own."""


def wrong_params(
    job: Job, params: Mapping[str, Any], definitions: Definitions, *, has_period: bool
) -> Iterator[tuple[KeyPath, str]]:
    """Everything that would stop a run with these params, each with its way from `params`."""
    tokens = list(wrong_tokens(params, has_period=has_period))
    yield from tokens
    told = {path[0] for path, _ in tokens}
    filled = {name: fill(value, _SAMPLE) for name, value in params.items() if name not in told}
    sound: Mapping[str, Any] = {}
    try:
        sound = job.validate(filled)
    except InvalidParams as error:
        misspelt = {closest(name, job.params) for name in params if name not in job.params}
        for name, message in _problems(error):
            if name in params and name not in told:
                yield (name,), message
            elif name not in params and name not in misspelt:
                yield (), f"the parameter {name!r} is missing: {message}"
            told.add(name)
    for name, param in job.params.items():
        known = definitions.get(param.kind or "")
        value = filled.get(name)
        if known is None or name in told or not isinstance(value, str):
            continue
        if value not in known:
            yield (name,), f"no {param.kind} is named {value!r}; {suggestion(value, known)}"
        elif isinstance(known, Knowing) and not told:
            for path, message in known.wrong(value, sound):
                yield _as_given(path, filled), message


def _as_given(path: KeyPath, params: Mapping[str, Any]) -> KeyPath:
    """The way to what was given beside the parameter that takes others, and not within it."""
    return path[1:] if len(path) > 1 and path[0] not in params and path[1] in params else path


def _problems(error: InvalidParams) -> list[tuple[str, str]]:
    return list(cast("list[tuple[str, str]]", error.facts["problems"]))
