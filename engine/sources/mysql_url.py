"""The URL of a MySQL or MariaDB source, as what its driver wants to know."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from engine.sources.faults import UnusableSource

_TEXTS = frozenset({"unix_socket", "ssl_ca", "ssl_cert", "ssl_key"})
_FLAGS = frozenset({"ssl_verify_cert", "ssl_verify_identity", "ssl_disabled"})
_NUMBERS = frozenset({"connect_timeout", "read_timeout"})


def connection_of(name: str, url: str) -> Mapping[str, Any]:
    """Host, port, user, password and database, and the options that are known."""
    parts = urlsplit(url)
    try:
        port = parts.port or 3306
    except ValueError as error:
        raise UnusableSource(example=name.upper(), reason=str(error)) from error
    database = unquote(parts.path.removeprefix("/"))
    if not database:
        reason = f"it names no database; use {parts.scheme}://user:password@host/database"
        raise UnusableSource(example=name.upper(), reason=reason)
    options = dict(parse_qsl(parts.query))
    options.pop("charset", None)  # it is utf8mb4
    if unknown := options.keys() - _TEXTS - _FLAGS - _NUMBERS:
        known = ", ".join(sorted(_TEXTS | _FLAGS | _NUMBERS))
        reason = f"the option {min(unknown)!r} is not known; known are {known}"
        raise UnusableSource(example=name.upper(), reason=reason)
    return {
        "host": parts.hostname or "localhost",
        "port": port,
        "user": unquote(parts.username) if parts.username else None,
        "password": unquote(parts.password or ""),
        "database": database,
        **{option: _value(name, option, text) for option, text in options.items()},
    }


def _value(name: str, option: str, text: str) -> object:
    if option in _FLAGS and text.lower() in {"true", "1", "false", "0"}:
        return text.lower() in {"true", "1"}
    if option in _NUMBERS and text.isdecimal():
        return int(text)
    if option in _TEXTS:
        return text
    due = "a whole number of seconds" if option in _NUMBERS else "true or false"
    raise UnusableSource(example=name.upper(), reason=f"{option}={text!r}: {due} is due")
