"""Masked: what the masks of data that is shown stand for, beside the data as it is."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from engine.redaction.hiding import MASK


def hidden_texts(value: Any, shown: Any) -> Iterator[str]:
    """The texts in JSON-ready `value` that `shown` has masks for."""
    match value:
        case Mapping():
            # Names may be masked too; then their values are not found again, and all count.
            for name, inner in value.items():
                beside = shown.get(name, MASK) if isinstance(shown, Mapping) else MASK
                yield from hidden_texts(inner, beside)
        case list():
            for at, inner in enumerate(value):
                beside = shown[at] if isinstance(shown, list) and at < len(shown) else MASK
                yield from hidden_texts(inner, beside)
        case str():
            yield from _hidden_parts(value, shown)
        case int() | float() if not isinstance(value, bool) and shown == MASK:
            yield str(value)


def _hidden_parts(text: str, shown: Any) -> Iterator[str]:
    if shown == MASK or not isinstance(shown, str):
        yield text
        return
    if shown == text:
        return
    kept = map(re.escape, shown.split(MASK))
    found = re.fullmatch("(.*?)".join(kept), text, re.DOTALL)
    yield from filter(None, found.groups() if found else [text])
