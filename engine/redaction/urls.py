"""Passwords of URLs: what may be printed of one."""

import re
from urllib.parse import unquote

_PASSWORD = re.compile(r"(://[^:/@]*):(.*)", re.DOTALL)
# Of `redis:///:password@host`, which names no host.
_HOSTLESS = re.compile(r"(:///[^:@]*:)(.*)", re.DOTALL)
_OPTION = re.compile(r"([?&]\w*(?:password|passwd|secret|token)=)([^&]*)", re.IGNORECASE)
_URL = re.compile(r"\b[a-z][a-z0-9+.-]{0,30}://[^\s'\"<>]+", re.IGNORECASE)


def without_url_passwords(text: str) -> str:
    """The text with *** where a URL in it has a password."""
    return _URL.sub(lambda url: without_password(url[0]), text) if "://" in text else text


def without_password(url: str) -> str:
    """The URL with *** where its password is."""
    before, at, rest = _parted(url)
    hidden = _PASSWORD.sub(r"\1:***", before, count=1)
    if hidden == before:
        hidden = _HOSTLESS.sub(r"\1***", before, count=1)
    return _OPTION.sub(r"\1***", hidden + at + rest)


def passwords_in(url: str) -> list[str]:
    """The passwords of a URL, as they are written there."""
    before = _parted(url)[0]
    found = [_PASSWORD.search(before) or _HOSTLESS.search(before), *_OPTION.finditer(url)]
    return [each[2] for each in found if each and each[2]]


def hide_password(text: str, url: str) -> str:
    """The text, on one line, with *** where it repeats the URL's password."""
    line = " ".join(text.split())
    for password in passwords_in(url):
        for each in {password, unquote(password)}:
            # Two letters are found in any text.
            if len(each) > 2:
                line = line.replace(each, "***")
    return line


def _parted(url: str) -> tuple[str, str, str]:
    """What is before the host, if there is a user, and from there on.

    The last @ ends the user and password: one in a password that was not escaped is not the host's.
    """
    before, at, rest = url.rpartition("@")
    return before, at, rest
