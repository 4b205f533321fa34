"""Hiding: of the parameters that a run is booked with, what is shown, and what is sealed."""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.job import Job
from engine.redaction.hiding import MASK, hidden_data
from engine.redaction.known import Secrets
from engine.redaction.masked import hidden_texts
from engine.redaction.names import is_secret_name
from engine.schedules.params import Definitions, Knowing
from engine.sealing import Keys, Sealer
from engine.secret_references import is_reference
from engine.store.run import Run
from engine.store.sealed_params import SealedRun, ToSeal

# Shorter ones are anybody's words, and within a text so are those of a common word's length.
_SHORTEST = 4
_SHORTEST_WITHIN = 6


@dataclass(frozen=True, kw_only=True)
class BookedParams:
    """What is stored of a run's parameters, and the keys that their values make.

    Wherever `shown` has a mask, `to_seal` has the value.
    """

    shown: Mapping[str, Any]
    to_seal: ToSeal | None
    unique_key: str | None
    limit_key: str | None


@dataclass(frozen=True)
class Hiding:
    """Hides parameters under the keys of this installation, which are asked for if need be.

    What `definitions` says of parameters that no job has itself counts as well.
    """

    keys: Callable[[], Keys]
    definitions: Callable[[], Definitions] = dict

    def booked(self, job: Job, params: Mapping[str, Any]) -> BookedParams:
        """What is booked for these valid, JSON-ready `params`; raises MissingKey and InvalidKey."""
        shown, hidden = self.parted(job, params)
        apart = shown if not hidden else shown | self._told_apart(job, hidden)
        group = job.group_of(apart)
        return BookedParams(
            shown=shown,
            to_seal=ToSeal(hidden, Sealer(self.keys())) if hidden else None,
            unique_key=job.unique_key(apart),
            limit_key=group.key if group else None,
        )

    def parted(self, job: Job, params: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """`params` as anybody may see them, and those of them that are hidden there."""
        named = any(param.kind for param in job.params.values())
        return parted(job, params, self.definitions() if named else {})

    def masked(self, job: Job, params: Mapping[str, Any]) -> dict[str, Any]:
        """`params` that were not found valid, as anybody may see them: their types tell nothing."""
        shown, _ = self.parted(job, params)
        return dict(hidden_data(shown))

    def is_same(self, run: Run, sealed: Mapping[str, str], params: BookedParams) -> bool:
        """Whether a run was booked with these; what was erased of it since is not compared."""
        if dict(run.params) != dict(params.shown):
            return False
        if params.to_seal is None or not sealed:
            return True
        bound = SealedRun(reference=run.reference, job=run.job)
        return bound.open(params.to_seal.sealer, sealed) == params.to_seal.values

    def _told_apart(self, job: Job, hidden: Mapping[str, Any]) -> dict[str, Any]:
        """What stands for hidden values in keys: it differs as they do, and tells nothing."""
        names = {*(job.unique_by or ()), *job.limit_by} & hidden.keys()
        if not names:
            return {}
        key = self.keys().mac_key("keys of runs")
        texts = {name: json.dumps(hidden[name], sort_keys=True).encode() for name in names}
        return {
            name: [MASK, hmac.new(key, text, hashlib.sha256).hexdigest()]
            for name, text in texts.items()
        }


def parted(
    job: Job, params: Mapping[str, Any], definitions: Definitions | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """`params` as anybody may see them, and those of them that are hidden there.

    Hidden is what the job's signature, its name or the definition that is named calls a secret or
    personal, a text in which something looks like one, and one that repeats what is hidden of
    another parameter. A reference to a secret is none.
    """
    alone = {name: _shown(job, name, value) for name, value in params.items()}
    alone = _by_definitions(job, params, alone, definitions or {})
    repeated = _Repeated(hidden_texts(params, alone))
    shown: dict[str, Any] = {}
    hidden: dict[str, Any] = {}
    for name, value in params.items():
        shown[name] = alone[name]
        if _may_hide(job, name) and name not in (job.unique_by or ()) and name not in job.limit_by:
            # Not what tells runs apart: it would make another key beside another secret.
            shown[name] = repeated.hidden_in(alone[name])
        # A mask in what was given is hidden as well, so that a mask always stands for something.
        if shown[name] != value or (MASK in str(value) and _may_hide(job, name)):
            hidden[name] = value
    return shown, hidden


class _Repeated:
    """Hides texts that are hidden elsewhere: one that is the whole, or that is long, within it."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._whole = {text for text in texts if len(text) >= _SHORTEST}
        self._within = Secrets(text for text in self._whole if len(text) >= _SHORTEST_WITHIN)

    def hidden_in(self, value: Any) -> Any:
        if not self._whole or is_reference(value):
            return value
        return hidden_data(value, self._hidden)

    def _hidden(self, text: str) -> str:
        return MASK if text in self._whole else self._within.without_known(text)


def _shown(job: Job, name: str, value: Any) -> Any:
    if value is None or is_reference(value):
        return value
    param = job.params.get(name)
    if param.sealed if param else is_secret_name(name):
        return MASK
    if not _may_hide(job, name):
        return value
    return hidden_data({name: value})[name]


def _by_definitions(
    job: Job, params: Mapping[str, Any], shown: Mapping[str, Any], definitions: Definitions
) -> dict[str, Any]:
    """`shown` without what the definitions hide: parameters that are none of the job's own."""
    named: list[tuple[Knowing, str]] = []
    for name, param in job.params.items():
        known, of = definitions.get(param.kind or ""), params.get(name)
        if isinstance(known, Knowing) and isinstance(of, str):
            named.append((known, of))

    def masks(given: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: value
            if value is None
            or is_reference(value)
            or not any(known.hides(of, name) for known, of in named)
            else MASK
            for name, value in given.items()
        }

    if not named:
        return dict(shown)
    beside = masks({name: value for name, value in shown.items() if name not in job.params})
    within = {name: masks(value) for name, value in shown.items() if isinstance(value, Mapping)}
    return {**shown, **within, **beside}


def _may_hide(job: Job, name: str) -> bool:
    param = job.params.get(name)
    return param is None or param.is_text or param.sealed is not None
