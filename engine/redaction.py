"""Redaction: what may be printed of a URL, alone or in a text."""

import re
from urllib.parse import unquote, urlsplit

# The last @ ends the user and password: one in a password that was not escaped is not the host's.
_PASSWORD = re.compile(r"(://[^:/@]*):.*@")
_OPTION = re.compile(r"([?&](?:password|passwd|secret|token)=)[^&]*", re.IGNORECASE)
_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s'\"<>]+", re.IGNORECASE)


def without_passwords(text: str) -> str:
    """The text with *** where a URL in it has a password."""
    return _URL.sub(lambda url: without_password(url[0]), text)


def without_password(url: str) -> str:
    """The URL with *** where its password is."""
    return _OPTION.sub(r"\1***", _PASSWORD.sub(r"\1:***@", url))


def hide_password(text: str, url: str) -> str:
    """The text, on one line, with *** where it repeats the URL's password."""
    line = " ".join(text.split())
    password = urlsplit(url).password or ""
    for each in {password, unquote(password)}:
        # Two letters are found in any text.
        if len(each) > 2:
            line = line.replace(each, "***")
    return line
