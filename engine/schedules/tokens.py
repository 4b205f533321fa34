"""The words in `${...}` that a schedule's params may use: a fixed list, and no code.

`$${` stands for a plain `${`. Keys hold no tokens, and what a token becomes is not read again.
References to secrets stay as they are written, plain ones too: an attempt reads them.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from engine.documents.closest import suggestion
from engine.documents.problem import KeyPath
from engine.secret_references import PREFIX, name_problem

TOKENS = ("period.start", "period.end")

_TOKEN = re.compile(r"(\$?)\$\{([^{}]*)(\}?)")


def fill(value: Any, facts: Mapping[str, str]) -> Any:
    """A copy of `value` in which every token of every text is replaced by its fact."""
    match value:
        case str():
            return _TOKEN.sub(lambda found: _replace(found, facts), value)
        case Mapping():
            return {key: fill(inner, facts) for key, inner in value.items()}
        case list() | tuple():
            return [fill(inner, facts) for inner in value]
    return value


def _replace(found: re.Match[str], facts: Mapping[str, str]) -> str:
    escaped, name, _ = found.groups()
    if name.startswith(PREFIX):
        return found[0]
    return found[0][1:] if escaped else facts[name]


def wrong_tokens(value: Any, *, has_period: bool) -> Iterator[tuple[KeyPath, str]]:
    """What is wrong with the tokens in `value`, each with its way from there."""
    match value:
        case str():
            for escaped, name, closed in _TOKEN.findall(value):
                if not escaped and (message := _wrong(name, closed, has_period=has_period)):
                    yield (), message
        case Mapping():
            for key, inner in value.items():
                yield from _inside(key, inner, has_period=has_period)
        case list() | tuple():
            for index, inner in enumerate(value):
                yield from _inside(index, inner, has_period=has_period)


def _inside(step: str | int, value: Any, *, has_period: bool) -> Iterator[tuple[KeyPath, str]]:
    for path, message in wrong_tokens(value, has_period=has_period):
        yield (step, *path), message


def _wrong(name: str, closed: str, *, has_period: bool) -> str | None:
    if not closed:
        return f"'${{{name[:40]}' lacks its '}}'; for a plain text write $${{"
    if name.startswith(PREFIX):
        return name_problem(name.removeprefix(PREFIX))
    if name not in TOKENS:
        return f"there is no ${{{name[:40]}}}; {suggestion(name, TOKENS)}"
    if not has_period:
        return f"${{{name}}} needs a 'period' beside 'params': period: previous_day"
    return None
