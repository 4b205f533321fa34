"""Hiding: any text, and any data, without what is a secret or personal in it."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.redaction.ibans import hidden_ibans
from engine.redaction.marks import hidden_marks, hidden_schemes, without_key_line
from engine.redaction.names import is_identifier_name, is_secret_name
from engine.redaction.numbers import has_long_number, hidden_numbers
from engine.redaction.pairs import hidden_pairs, is_reference
from engine.redaction.statements import hidden_rows
from engine.redaction.urls import without_url_passwords

MASK = "***"
# A text without one of these, in small letters, holds no secret but a number. Most lines are such:
# looking for this, and for a long number, is all that they cost. Few of them begin with a letter
# that is frequent, for each such letter is looked at.
_SIGNS = re.compile(
    r"p(?:ass|wd|in|_|at[_-]|arameters:)|c(?:ret|v[vc]|sc|red|ook|_)|f(?:ied|ailing.row)|wt|uth"
    # A key of that kind; others are frequent.
    r"|k(?:(?<=[\w-]k)ey|(?<=(?:api|ess|ate|ret|ing|ion|ter|uth|ssh|red) k)ey|[_-]|ia)"
    r"|o(?:tp|ken|n[_-]?id|ne.time|n.code)|bearer|basic|yj|xox|za[\w-]{30}|@|%40|://"
    r"|رمز|كلمة|الرقم"
)


def hidden(text: str) -> str:
    """The text with *** for every secret and everything personal that can be told as such.

    By its name (`pin=`, `"token":`), or by how it looks: a token, a card's number, an e-mail.
    """
    return _hidden(text, is_identifier=False)


def hidden_key(text: str) -> str:
    """The same of a text that names something: its numbers may well be ids."""
    return _hidden(text, is_identifier=True)


def hidden_data(value: Any, hide: Callable[[str], str] = hidden) -> Any:
    """JSON-ready data with *** for the values of secrets' names, and in its texts.

    Numbers, and texts that are numbers beside a name of ours such as wallet, are left as they are.
    """
    return _hidden_under("", value, hide)


def _hidden(text: str, *, is_identifier: bool) -> str:
    lowered = text.lower()
    if _SIGNS.search(lowered) is not None:
        # The passwords of URLs first: what is left of one is not taken for an e-mail then.
        text = without_url_passwords(text)
        if "bearer" in lowered or "basic" in lowered:
            text = hidden_schemes(text)
        # By their statement, which the names in it are hidden in then.
        text = hidden_marks(hidden_pairs(hidden_rows(text)))
    if has_long_number(text):
        text = hidden_numbers(hidden_ibans(text), is_identifier=is_identifier)
    return without_key_line(text)


def _hidden_under(name: str, value: Any, hide: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        if is_identifier_name(name) and value.isalnum() and value.isascii():
            return value
        return hide(value)
    if isinstance(value, Mapping):
        return {hide(str(key)): _hidden_value(str(key), each, hide) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return [_hidden_under(name, each, hide) for each in value]
    return value


def _hidden_value(name: str, value: Any, hide: Callable[[str], str]) -> Any:
    if not is_secret_name(name) or _is_no_secret(name, value):
        return _hidden_under(name, value, hide)
    return MASK


def _is_no_secret(name: str, value: Any) -> bool:
    """Nothing at all, a yes or no, a reference to a secret, or how many tokens there were."""
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, str):
        return is_reference(value)
    return isinstance(value, int) and name.lower().endswith("tokens")
