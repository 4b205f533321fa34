"""Where a queue's messages lie: Huey's own storages, by the scheme of the queue's URL."""

from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from huey.storage import BaseStorage, RedisStorage, SqliteStorage

from engine.errors import Invalid

_BUSY_SECONDS = 30


class MissingRedis(Invalid):
    """The queue is on Redis and its client is not installed."""

    message = "a {scheme}:// queue needs the redis package; run `pip install engine[redis]`"


def _sqlite(url: str, name: str) -> BaseStorage:
    file = Path(url.removeprefix("sqlite:///"))
    file.parent.mkdir(parents=True, exist_ok=True)
    # Messages may be lost, the ledger rings again; so the queue need not wait for the disk.
    return SqliteStorage(name, filename=str(file), fsync=False, timeout=_BUSY_SECONDS)


def _redis(url: str, name: str) -> BaseStorage:
    try:
        import redis  # noqa: F401 - Huey's storage fails with less to go by
    except ImportError:
        raise MissingRedis(scheme=urlsplit(url).scheme) from None
    # Several queues are served in order, so none of them may block the others.
    return RedisStorage(name, url=url, blocking=False)


BACKENDS: Mapping[str, Callable[[str, str], BaseStorage]] = {
    "sqlite": _sqlite,
    "redis": _redis,
    "rediss": _redis,
}


def open_storage(url: str, queue: str) -> BaseStorage:
    """The storage of one named queue; it connects when it is first used."""
    return BACKENDS[urlsplit(url).scheme](url, f"engine_{queue}")
