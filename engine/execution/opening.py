"""Opening: an attempt's parameters as its job takes them, and what of them nobody is to see."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import Invalid
from engine.redaction.hiding import MASK
from engine.redaction.masked import hidden_texts
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
        found = [text for name in opened for text in hidden_texts(opened[name], params[name])]
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


def _lines(text: str) -> list[str]:
    """What is said line by line is hidden line by line."""
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if len(line) >= _SHORTEST_LINE] if len(lines) > 1 else []
