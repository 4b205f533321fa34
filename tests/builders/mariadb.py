"""A real MariaDB of the tests' own, from the server that Debian has."""

import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import pymysql

from tests.builders.server import Server

_NUMBERS = count(1)
_NOBODY = pwd.getpwnam("nobody")


@dataclass
class MariadbServer(Server):
    """One server. It forgets nothing when it is restarted, or killed.

    MariaDB refuses to run as root, so then it runs as `nobody`.
    """

    folder: Path = field(init=False)
    starts_within: ClassVar = 60.0

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

    def remove(self) -> None:
        """Stop it and leave nothing behind."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _log(self) -> Path:
        return self.folder / "server.log"

    @property
    def _command(self) -> list[str]:
        return [
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
        ]

    @property
    def _surroundings(self) -> dict[str, Any]:
        return {"cwd": "/"}

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
