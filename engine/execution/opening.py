"""Opening: an attempt's parameters as its job takes them, and what of them nobody is to see."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import Invalid
from engine.redaction.hiding import MASK
from engine.sealing import Keys, Sealer
from engine.secret_references import SecretSource, filled
from engine.store.sealed_params import ErasedParams, SealedRun

# A line of a secret that has several; a shorter one may be anybody's.
_SHORTEST_LINE = 8


@dataclass(frozen=True, kw_only=True)
class Opening:
    """Opens what is sealed of an order's payload, and looks up what that refers to."""

    keys: Callable[[], Keys]
    secrets: Callable[[], SecretSource]

    def params(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """The stored parameters with all that is hidden in them.

        Raises Invalid: ErasedParams, UnknownKey, SealBroken, NoSuchSecret and their like.
        """
        params = {**payload["params"], **self._opened(payload)}
        if not refers_to_secrets(params):
            return params
        return {name: filled(value, self.secrets().get) for name, value in params.items()}

    def texts(self, payload: Mapping[str, Any]) -> list[str]:
        """What nobody is to see of them, as texts that an attempt may say; none if unknown."""
        params = payload["params"]
        if not payload["sealed"] and not refers_to_secrets(params):
            return []
        try:
            opened = self._opened(payload)
        except Invalid:
            # The attempt cannot open it either.
            opened = {}
        found = [text for name in opened for text in _hidden_texts(opened[name], params[name])]
        found += self.secrets().values([params, opened])
        return [*found, *(line for text in found for line in _lines(text))]

    def _opened(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        params, sealed = payload["params"], payload["sealed"]
        erased = [name for name in params if is_masked(params[name]) and name not in sealed]
        if erased:
            raise ErasedParams(reference=payload["reference"], names=", ".join(erased))
        if not sealed:
            return {}
        bound = SealedRun(reference=payload["reference"], job=payload["job"])
        return bound.open(Sealer(self.keys()), sealed)


def is_masked(value: Any) -> bool:
    """Whether something is hidden in JSON-ready data, which is sealed beside it then."""
    return MASK in str(value)


def refers_to_secrets(params: Mapping[str, Any]) -> bool:
    """Whether a reference to a secret is in them."""
    return "{secret:" in str(params)


def _hidden_texts(value: Any, shown: Any) -> Iterator[str]:
    """The texts in `value` that `shown` has masks for."""
    match value:
        case Mapping():
            # Names may be masked too; then their values are not found again, and all count.
            for name, inner in value.items():
                beside = shown.get(name, MASK) if isinstance(shown, Mapping) else MASK
                yield from _hidden_texts(inner, beside)
        case list():
            for at, inner in enumerate(value):
                beside = shown[at] if isinstance(shown, list) and at < len(shown) else MASK
                yield from _hidden_texts(inner, beside)
        case str():
            yield from _hidden_parts(value, shown)
        case int() | float() if not isinstance(value, bool) and shown == MASK:
            yield str(value)


def _hidden_parts(text: str, shown: Any) -> Iterator[str]:
    if shown == MASK or not isinstance(shown, str):
        yield text
        return
    kept = map(re.escape, shown.split(MASK))
    found = re.fullmatch("(.*?)".join(kept), text, re.DOTALL)
    yield from filter(None, found.groups() if found else [text])


def _lines(text: str) -> list[str]:
    """What is said line by line is hidden line by line."""
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if len(line) >= _SHORTEST_LINE] if len(lines) > 1 else []
