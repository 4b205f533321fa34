"""A real MariaDB of the tests' own, from the server that Debian has."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pymysql

_STARTS_WITHIN = 60.0
_NUMBERS = count(1)
_NOBODY = pwd.getpwnam("nobody")


@dataclass
class MariadbServer:
    """One server on a port of its own. It forgets nothing when it is restarted, or killed.

    MariaDB refuses to run as root, so then it runs as `nobody`.
    """

    port: int = field(default_factory=lambda: _free_port())
    folder: Path = field(init=False)
    _process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="engine-mariadb-"))
        if os.geteuid() == 0:
            os.chown(self.folder, _NOBODY.pw_uid, _NOBODY.pw_gid)
        subprocess.run(  # noqa: S603 - the tests' own server
            [
                _program("mariadb-install-db"),
                "--no-defaults",
                f"--datadir={self._data}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                *_as_nobody(),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )

    @property
    def url(self) -> str:
        """Where the owner of everything finds the database `mysql`."""
        return self.url_of("mysql")

    def url_of(
        self, database: str, *, role: str = "root", password: str = "", scheme: str = "mariadb"
    ) -> str:
        """A database's URL, for a role."""
        who = f"{role}:{password}" if password else role
        return f"{scheme}://{who}@127.0.0.1:{self.port}/{database}"

    def make_database(self) -> str:
        """A new database, whose texts know no upper and lower case; returns its name."""
        name = f"test_{os.getpid()}_{next(_NUMBERS)}"
        self.execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
        return name

    def connect(self, database: str = "mysql") -> "pymysql.connections.Connection[Any]":
        """A connection as the owner of everything."""
        return pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user="root",
            database=database,
            charset="utf8mb4",
            # To read the machine's certificates takes longer than all else.
            ssl_disabled=True,
            init_command="SET time_zone = '+00:00', sql_mode = 'NO_ENGINE_SUBSTITUTION'",
        )

    def execute(self, statement: str, database: str = "mysql") -> list[tuple[Any, ...]]:
        """One statement as the owner of everything; returns its rows."""
        with self.connect(database) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            connection.commit()
            return list(cursor.fetchall())

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the tests' own server
                [
                    _program("mariadbd"),
                    "--no-defaults",
                    f"--datadir={self._data}",
                    f"--port={self.port}",
                    "--bind-address=127.0.0.1",
                    f"--socket={self.folder / 'socket'}",
                    f"--pid-file={self.folder / 'pid'}",
                    "--innodb-flush-log-at-trx-commit=0",
                    "--innodb-buffer-pool-size=64M",
                    "--skip-name-resolve",
                    *_as_nobody(),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd="/",
            )
        deadline = time.monotonic() + _STARTS_WITHIN
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                told = (self.folder / "server.log").read_text()
                self.kill()
                raise RuntimeError(told)
            time.sleep(0.05)

    def kill(self) -> None:
        """End it at once, as a power cut would; twice does no harm."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """Come back on the same port, with everything that was committed."""
        self.kill()
        self.start()

    def remove(self) -> None:
        """Stop it and leave nothing behind."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _answers(self) -> bool:
        try:
            self.connect().close()
        except pymysql.OperationalError:
            return False
        return True


def start_mariadb() -> MariadbServer:
    """A server that answers; the caller removes it."""
    server = MariadbServer()
    server.start()
    return server


def _as_nobody() -> list[str]:
    return ["--user=nobody"] if os.geteuid() == 0 else []


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    assert found, f"{name} is not installed (Debian: apt install mariadb-server)"
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
