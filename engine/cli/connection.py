"""CONNECTION, as hands trained on Laravel type it: it must be where ENGINE_QUEUE_URL says."""

from urllib.parse import urlsplit

from engine.errors import Invalid
from engine.redaction.urls import without_password

_KINDS = {
    "redis": frozenset({"redis", "rediss"}),
    "database": frozenset({"sqlite", "postgresql"}),
}
_PORTS = {"redis": 6379, "rediss": 6379, "postgresql": 5432}


class WrongConnection(Invalid):
    """The queue is not where somebody believes it to be."""

    message = (
        "CONNECTION {given} is not where the queue is: ENGINE_QUEUE_URL is {url}; "
        "leave CONNECTION out, or correct one of them (--queue names queues)"
    )


def require_connection(given: str | None, *urls: str) -> None:
    """Raise WrongConnection unless `given` is a kind or the URL of the queue.

    `urls` are the ways in which that URL may be written; the last one is shown. Passwords are not
    compared.
    """
    if given is None:
        return
    kinds = _KINDS.get(given)
    if kinds is not None and urlsplit(urls[-1]).scheme in kinds:
        return
    if kinds is None and _place(given) in map(_place, urls):
        return
    raise WrongConnection(given=without_password(given), url=without_password(urls[-1]))


def _place(url: str) -> tuple[object, ...]:
    """What a URL leads to, written in one way."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return (url,)
    path = parts.path.rstrip("/")
    if parts.scheme in {"redis", "rediss"}:
        path = path or "/0"
    return parts.scheme, parts.username or None, parts.hostname, port, path, parts.query
