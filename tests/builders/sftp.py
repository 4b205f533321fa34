"""A real SSH server of the tests' own: paramiko's server side, in a process of its own."""

import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from paramiko import RSAKey

_STARTS_WITHIN = 20.0
_ROOT = Path(__file__).parents[2]
_BITS = 2048


@dataclass
class SftpServer:
    """One server on a port of its own; its files are in `folder`/files and outlive it."""

    folder: Path
    port: int = field(default_factory=lambda: _free_port())
    _process: subprocess.Popen[bytes] | None = None

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

    def start(self) -> None:
        """Start it and wait until it answers."""
        server = [str(self.files), str(self.port), str(self._host_key), str(self._auth)]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", "tests.builders.sftp_server", *server],
                cwd=_ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + _STARTS_WITHIN
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError((self.folder / "server.log").read_text())
            time.sleep(0.02)

    def stop(self) -> None:
        """End it at once, as a power cut would; twice does no harm."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
