"""URLs as settings give them: which may be used, and what is wrong with another, in plain words.

What is wrong is told without a part of the URL, which may be a part of its password.
"""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

_EXAMPLES = {
    "postgresql": "postgresql://localhost:5432/engine",
    "mysql": "mysql://localhost:3306/canteen",
    "mariadb": "mariadb://localhost:3306/canteen",
    "redis": "redis://localhost:6379/0",
    "rediss": "rediss://localhost:6379/0",
    "s3": "s3://bucket/prefix",
    "sftp": "sftp://user@host:22/path",
}
_OTHER_NAMES = {"postgres": "postgresql", "postgresql+psycopg": "postgresql"}
_ESCAPED = {"/": "%2F", "?": "%3F", "#": "%23", "@": "%40", "[": "%5B", "]": "%5D", "%": "%25"}
_PLACE = re.compile(r"[^/?#]*")
_PERCENT = re.compile(r"%(?![0-9a-fA-F]{2})")
_HOST = re.compile(r"(?P<name>\[[^\]]*\]|[^:\[\]]*)(?::(?P<port>[0-9]*))?", re.ASCII)
_LAST_PORT = 65_535


def require_scheme(url: str, schemes: Mapping[str, bool]) -> str:
    """`url` if its scheme is among `schemes`, which say whether a path is all it has.

    Raises ValueError with what to write instead.
    """
    scheme = scheme_of(url)
    if scheme in _OTHER_NAMES and _OTHER_NAMES[scheme] in schemes:
        raise ValueError(f"write {_OTHER_NAMES[scheme]}:// instead of {scheme}://")
    if scheme not in schemes:
        raise ValueError(f"a URL must start with {' or '.join(f'{each}://' for each in schemes)}")
    if schemes[scheme]:
        if not path_of(url):
            raise ValueError(f"a path is missing, such as {scheme}:///var/data")
        return url
    if scheme == "s3":
        return _require_bucket(url)
    require_server(url)
    parts = urlsplit(url)
    # A server on this machine may be reached by its socket: postgresql:///engine?host=/run
    by_socket = scheme == "postgresql" and "host=" in parts.query
    if not parts.hostname and not by_socket:
        raise ValueError(f"a host is missing, such as {_EXAMPLES[scheme]}")
    if "," in parts.netloc.rpartition("@")[2]:
        raise ValueError(f"one host is due, such as {_EXAMPLES[scheme]}")
    # The client would take database 0 for any other word.
    if scheme.startswith("redis") and not re.fullmatch(r"/?[0-9]*/?", parts.path, re.ASCII):
        raise ValueError(f"the database is a number, such as {_EXAMPLES[scheme]}")
    return url


def require_server(url: str) -> None:
    """Raise ValueError if a user or password is not escaped, or a port is none."""
    scheme, _, rest = url.partition("://")
    place = rest[: _PLACE.match(rest).end()]  # type: ignore[union-attr] # it matches anything
    user, at, hosts = place.rpartition("@")
    for letter in "@[]":
        if letter in user:
            raise _unescaped(letter)
    if _PERCENT.search(user):
        raise _unescaped("%")
    found = [_HOST.fullmatch(host) for host in hosts.split(",")]
    looks_wrong = not all(each and _is_port(each["port"]) for each in found)
    is_nobody = not at and ":" in hosts and not hosts.partition(":")[0]
    behind = rest[len(place) :]
    if ":" in user and _has_stray_at(behind):
        raise ValueError(
            f"a @ in a user or password is written %40, a {behind[0]} {_ESCAPED[behind[0]]}; "
            "so is a @ anywhere behind the host"
        )
    if "@" in behind and (looks_wrong or is_nobody or not hosts):
        # What looks like host and port is the user and the begin of the password.
        raise _unescaped(behind[0])
    if looks_wrong:
        example = _EXAMPLES.get(_OTHER_NAMES.get(scheme, scheme), "scheme://localhost:1234")
        raise ValueError(f"the port is no number from 1 to {_LAST_PORT}; write {example}")


def require_database(url: str) -> str:
    """`url` if it names the database as well as the server."""
    parts = urlsplit(url)
    if is_server(url) and not parts.path.strip("/") and "dbname=" not in parts.query:
        raise ValueError("a database is missing, such as postgresql://localhost/engine")
    return url


def require_address(text: str) -> str:
    """`text` if it is a host and a port; raises ValueError with what to write instead."""
    parts = _HOST.fullmatch(text)
    if parts is None or not parts["name"] or not parts["port"]:
        raise ValueError("an address is a host and a port, such as 127.0.0.1:9464")
    if not _is_port(parts["port"]):
        raise ValueError(f"a port is a number from 1 to {_LAST_PORT}")
    return text


def path_of(url: str) -> str:
    """The path in `sqlite:///relative`, `sqlite:////absolute`, `file://any` or a bare path."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    return rest.removeprefix("/") if scheme == "sqlite" else rest


def scheme_of(url: str) -> str:
    """What is before the first colon, if it can be a scheme; "" if not."""
    found = re.match(r"([a-zA-Z][a-zA-Z0-9+.-]*):", url)
    return found[1].lower() if found else ""


def is_server(url: str) -> bool:
    """Whether it leads to anything but a file or folder of this machine."""
    return scheme_of(url) not in {"", "file", "sqlite"}


def _require_bucket(url: str) -> str:
    rest = url.partition("://")[2]
    bucket = rest.partition("/")[0]
    if "@" in bucket:
        raise ValueError("credentials belong into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    if not bucket:
        raise ValueError(f"a bucket is missing, such as {_EXAMPLES['s3']}")
    if re.search(r"[:?#]", rest):
        raise ValueError(f"write {_EXAMPLES['s3']}; the server is set as AWS_ENDPOINT_URL")
    return url


def _is_port(text: str | None) -> bool:
    return not text or (len(text) <= 5 and 0 < int(text) <= _LAST_PORT)


def _has_stray_at(behind: str) -> bool:
    """Whether a @ is behind the host, but for one in the value of an option."""
    path, _, query = behind.partition("?")
    options = query.partition("#")[0].split("&")
    stray = [path, *(each.partition("=")[0] for each in options), query.partition("#")[2]]
    return any("@" in each for each in stray)


def _unescaped(letter: str) -> ValueError:
    return ValueError(f"a {letter} in a user or password is written {_ESCAPED[letter]}")
