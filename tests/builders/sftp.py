"""A real SSH server of the tests' own: paramiko's server side, in a process of its own."""

import socket
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from paramiko import RSAKey

from tests.builders.server import Server

_ROOT = Path(__file__).parents[2]
_BITS = 2048


@dataclass
class SftpServer(Server):
    """One server; its files are in `folder`/files and outlive it."""

    folder: Path

    def __post_init__(self) -> None:
        self.files.mkdir(parents=True, exist_ok=True)
        self.new_host_key()
        self.know()
        user = RSAKey.generate(_BITS)
        user.write_private_key_file(str(self.identity))
        lines = ["password tester secret", f"key tester {user.get_name()} {user.get_base64()}"]
        self._auth.write_text("\n".join(lines) + "\n")

    @property
    def files(self) -> Path:
        """What clients see as the root."""
        return self.folder / "files"

    @property
    def identity(self) -> Path:
        """The private key that the user `tester` gets in with."""
        return self.folder / "identity"

    @property
    def known_hosts(self) -> Path:
        """The file by which clients know the server."""
        return self.folder / "known_hosts"

    def url(self, path: str = "/artifacts", *, user: str = "tester") -> str:
        """A storage at this server, with the right keys."""
        options = f"identity={self.identity}&known_hosts={self.known_hosts}"
        return f"sftp://{user}@127.0.0.1:{self.port}{path}?{options}"

    def new_host_key(self) -> None:
        """Another key than before, from the next start on."""
        RSAKey.generate(_BITS).write_private_key_file(str(self._host_key))

    def know(self) -> None:
        """Write the server's key into the file by which clients know it."""
        key = RSAKey.from_private_key_file(str(self._host_key))
        line = f"[127.0.0.1]:{self.port} {key.get_name()} {key.get_base64()}\n"
        self.known_hosts.write_text(line)

    @property
    def _command(self) -> list[str]:
        server = [str(self.files), str(self.port), str(self._host_key), str(self._auth)]
        return [sys.executable, "-m", "tests.builders.sftp_server", *server]

    @property
    def _log(self) -> Path:
        return self.folder / "server.log"

    @property
    def _surroundings(self) -> dict[str, Any]:
        return {"cwd": _ROOT}

    @cached_property
    def _auth(self) -> Path:
        return self.folder / "auth"

    @cached_property
    def _host_key(self) -> Path:
        return self.folder / "host_key"

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False


def start_sftp(folder: Path) -> SftpServer:
    """A server that answers; the caller stops it."""
    server = SftpServer(folder)
    server.start()
    return server
