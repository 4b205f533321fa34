"""Secrets that are known, and hidden however a text spells them."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus, unquote

from engine.redaction.hiding import hidden, hidden_data

# Shorter ones are found in any text; up to a word's length, only where they stand alone.
_SHORTEST = 4
_LONGEST_WORD = 7


class Secrets:
    """Passwords that are known, and hidden wherever a text repeats them."""

    def __init__(self, passwords: Iterable[str]) -> None:
        spelt = {form for each in passwords for form in _spellings(each) if len(form) >= _SHORTEST}
        # The longest first: one may begin with another.
        forms = [_pattern(each) for each in sorted(spelt, key=lambda form: (-len(form), form))]
        self._known = re.compile("|".join(forms)) if forms else None

    def hidden_in(self, text: str) -> str:
        """The text with *** for each of them, and for what looks like one: see `hidden`."""
        return hidden(self.without_known(text))

    def hidden_in_data(self, value: Any) -> Any:
        """The same of all texts in JSON-ready data: see `hidden_data`."""
        return hidden_data(value, self.hidden_in)

    def without_known(self, text: str) -> str:
        """The text with *** for each of them, and for nothing else."""
        return text if self._known is None else self._known.sub("***", text)


def _spellings(password: str) -> Iterator[str]:
    """As it is, and as URLs, Python, JSON and libpq would write it."""
    for each in {password, unquote(password)}:
        yield each
        yield quote(each, safe="")
        yield quote_plus(each)
        yield repr(each)[1:-1]
        yield json.dumps(each)[1:-1]
        yield json.dumps(each, ensure_ascii=False)[1:-1]
        yield each.replace("\\", "\\\\").replace("'", "\\'")


def _pattern(form: str) -> str:
    literal = re.escape(form)
    if len(form) > _LONGEST_WORD or not form.isalnum():
        return literal
    return rf"(?<![^\W_]){literal}(?![^\W_])"
