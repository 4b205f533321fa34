"""Redaction: what may be printed of a URL."""

import re

# The last @ ends the user and password: one in a password that was not escaped is not the host's.
_PASSWORD = re.compile(r"(://[^:/@]*):.*@")
_OPTION = re.compile(r"([?&](?:password|passwd|secret|token)=)[^&]*", re.IGNORECASE)


def without_password(url: str) -> str:
    """The URL with *** where its password is."""
    return _OPTION.sub(r"\1***", _PASSWORD.sub(r"\1:***@", url))
