"""Tokens: 256 random bits that say who somebody is; the ledger keeps their digest only."""

import hashlib
import secrets

_PREFIX = "engine_"
_BYTES = 32


def new_token() -> str:
    """A token that nobody has had; it cannot be shown again."""
    return _PREFIX + secrets.token_urlsafe(_BYTES)


def digest_of(token: str) -> str:
    """What the ledger knows it by. As nobody can guess a token, it need not be slow."""
    return hashlib.sha256(token.strip().encode("utf-8", "surrogateescape")).hexdigest()
