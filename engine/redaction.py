"""Redaction: what may be printed of a URL or a secret, alone or in a text."""

import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus, unquote

_PASSWORD = re.compile(r"(://[^:/@]*):(.*)", re.DOTALL)
_OPTION = re.compile(r"([?&]\w*(?:password|passwd|secret|token)=)([^&]*)", re.IGNORECASE)
_URL = re.compile(r"\b[a-z][a-z0-9+.-]{0,30}://[^\s'\"<>]+", re.IGNORECASE)
# `password=...` as libpq, a shell, a dict and a mapping in JSON or YAML write it.
_PAIR = re.compile(
    r"""
    (?P<name> \b \w* (?: password | passwd | passphrase | pwd | (?<![^\W_]) (?: secret | token )
        | secret_key | access_key | api_?key ) ['"]? \s* (?: = | (?<=['"]) : | (?<=['"]\s) : ) \s* )
    (?: '(?:\\.|[^'\\\n])*(?P<one>') | "(?:\\.|[^"\\\n])*(?P<two>") | [^\s,;&'"()\[\]{}]+ )
    """,
    re.VERBOSE | re.IGNORECASE,
)
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
        """The text with *** for each of them, and for what calls itself a password."""
        if self._known is not None:
            text = self._known.sub("***", text)
        return without_passwords(text)


def without_passwords(text: str) -> str:
    """The text with *** where a URL in it has a password, or `password=` is followed by one."""
    text = _URL.sub(lambda url: without_password(url[0]), text)
    return _PAIR.sub(_hidden_pair, text)


def without_password(url: str) -> str:
    """The URL with *** where its password is."""
    before, at, rest = _parted(url)
    return _OPTION.sub(r"\1***", _PASSWORD.sub(r"\1:***", before, count=1) + at + rest)


def passwords_in(url: str) -> list[str]:
    """The passwords of a URL, as they are written there."""
    found = [_PASSWORD.search(_parted(url)[0]), *_OPTION.finditer(url)]
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


def _hidden_pair(pair: re.Match[str]) -> str:
    around = pair["one"] or pair["two"] or ""
    return f"{pair['name']}{around}***{around}"


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
