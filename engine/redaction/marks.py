"""Secrets and addresses that are known by how they look: JWT, bearer, keys, e-mail."""

import binascii
import re
from base64 import b64decode

from engine.redaction.edges import BEGINS, WORD_BEGINS

# Each with a text that it cannot do without: looking for that first costs next to nothing.
_JWT = re.compile(rf"{BEGINS}eyJ[\w-]{{6,}}(?:\.[\w-]*){{1,4}}")
_KEY = re.compile(
    BEGINS + r"(?:"
    r"[spr]k_(?:live|test)_\w{4,}|(?:[spr]k[_-]|whsec_)(?=[A-Za-z]*\d)[A-Za-z0-9]{8,}"
    r"|sk-(?:proj-|ant-)[\w-]{8,}|ghp_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}"
    r"|xox[abeoprs]-[\w-]{8,}|AKIA[0-9A-Z]{16}|AIza[\w-]{30,})"
)
_BEARER = re.compile(
    WORD_BEGINS
    + r"(bearer(?:\s+|%20|\+|\s?[:=]\s?)['\"]?)(?!(?:token|auth\w*|scheme|realm|header|error)\b)"
    r"([\w.~+/=%-]{4,})",
    re.IGNORECASE,
)
_BASIC = re.compile(WORD_BEGINS + r"(basic(?:\s+|%20))([A-Za-z0-9+/]{6,}={0,2})", re.IGNORECASE)
_PRIVATE_KEY = re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----)(?:(?!-----END ).)*", re.DOTALL)
# Of a key that came line by line.
_KEY_LINE = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[A-Za-z0-9+/]{64}\s*")
_MAIL = re.compile(r"(?<![\w.%+-])([\w.%+-]{1,64}?)(@|%40)((?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24})")
_SHORTEST_BEARER = 20


def hidden_marks(text: str) -> str:
    """The text with *** for every one of them."""
    text = _KEY.sub("***", _JWT.sub("***", text))
    if "-----BEGIN" in text:
        text = _PRIVATE_KEY.sub(r"\1***", text)
    if "@" in text or "%40" in text:
        text = _MAIL.sub(_mail, text)
    return text


def without_key_line(text: str) -> str:
    """*** for a line out of the middle of a private key."""
    return "***" if 64 <= len(text) <= 66 and _KEY_LINE.fullmatch(text) else text


def hidden_schemes(text: str) -> str:
    """The text with *** for what follows `Bearer` or `Basic`."""
    return _BASIC.sub(_basic, _BEARER.sub(_bearer, text))


def _mail(found: re.Match[str]) -> str:
    # The user of a URL: its password, if any, is hidden before.
    is_of_a_url = found.string[max(0, found.start() - 3) : found.start()] == "://"
    return found[0] if is_of_a_url else "***"


def _bearer(found: re.Match[str]) -> str:
    said = found[2]
    # What a sentence may hold is no token.
    is_word = said.rstrip(".").isalpha() and (said.islower() or said.istitle())
    return found[0] if is_word and len(said) < _SHORTEST_BEARER else f"{found[1]}***"


def _basic(found: re.Match[str]) -> str:
    try:
        said = b64decode(found[2] + "=" * (-len(found[2]) % 4))
    except (binascii.Error, ValueError):
        return found[0]
    return f"{found[1]}***" if b":" in said else found[0]
