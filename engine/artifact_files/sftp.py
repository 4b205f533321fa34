"""A folder at an SSH server as a storage: `sftp://user@host:port/path`.

Options of the URL: `?identity=` is the file of a private key, `?known_hosts=` that of the servers'
keys; else the user's own are taken, and an SSH agent is asked. A server whose key is not known is
never trusted.
"""

import hashlib
import posixpath
import secrets
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, BinaryIO
from urllib.parse import parse_qsl, unquote, urlsplit

from engine.artifact_files.faults import (
    FileDamaged,
    FileMissing,
    StorageRefused,
    StorageUnreachable,
    StorageUnsupported,
)
from engine.artifact_files.folder import PARTIAL
from engine.artifact_files.ranges import open_ranges
from engine.artifact_files.spool import SpooledFile
from engine.artifact_files.ssh import Login, ssh_error
from engine.artifact_files.storage import FoundFile
from engine.errors import EngineError
from engine.redaction.urls import without_password

_PIECE = 1024 * 1024
_PORT = 22
# A server that says nothing for so long, in the middle of something, is away.
_ANSWER_SECONDS = 60.0
_OPTIONS = {"identity", "known_hosts"}


class Sftp:
    """The files below a path of a server; threads take turns on one connection."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.shown = without_password(url).partition("?")[0]
        options = dict(parse_qsl(parts.query))
        # `/~/` begins at the user's home.
        self._root = unquote(parts.path).removeprefix("/~/").rstrip("/")
        if not parts.hostname or not self._root or parts.fragment or options.keys() - _OPTIONS:
            text = "write sftp://user@host:port/path, with ?identity= and ?known_hosts= if need be"
            raise StorageUnsupported(url=self.shown, text=text)
        self._login = Login(
            host=parts.hostname,
            port=parts.port or _PORT,
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            identity=options.get("identity"),
            known_hosts=options.get("known_hosts"),
            shown=self.shown,
        )
        self._lock = threading.RLock()
        self._client: Any = None
        self._session: Any = None

    def put(self, file: SpooledFile, path: str) -> None:
        """Copy aside, read back what arrived, then move: no reader sees half of it."""
        final = self._inside(path)
        partial = f"{final}.{secrets.token_hex(4)}{PARTIAL}"
        with self._asking() as server:
            try:
                _make_folders(server, posixpath.dirname(final))
                self._send(server, file, partial)
                self._require_as_sent(server, file, partial)
                _move(server, partial, final)
            except BaseException:
                # What cannot be removed now, the purge removes later.
                with suppress(EngineError, OSError, EOFError, ssh_error()):
                    server.remove(partial)
                raise

    def open(self, path: str) -> BinaryIO:
        """The file, read range by range."""
        with self._asking(path) as server:
            handle = _reading(server, self._inside(path))
            size = int(handle.stat().st_size)

        def read(start: int, length: int) -> bytes:
            with self._asking(path):
                return _read(handle, start, length)

        def close() -> None:
            with suppress(EngineError), self._asking(path):
                handle.close()

        return open_ranges(size, read, close)

    def delete(self, path: str) -> None:
        """Remove the file, and folders it leaves empty."""
        file = self._inside(path)
        with self._asking() as server:
            with suppress(FileNotFoundError):
                server.remove(file)
            folder = posixpath.dirname(file)
            while folder != self._root:
                try:
                    server.rmdir(folder)
                except OSError:
                    return
                folder = posixpath.dirname(folder)

    def found(self) -> Iterator[FoundFile]:
        """Every whole file, a folder at a time."""
        for path, modified_at in self._walk(""):
            if not path.endswith(PARTIAL):
                yield FoundFile(path=path, modified_at=modified_at)

    def delete_unfinished(self, begun_before: datetime) -> int:
        """Remove the copies that were never moved."""
        deleted = 0
        for path, modified_at in self._walk(""):
            if path.endswith(PARTIAL) and modified_at < begun_before:
                self.delete(path)
                deleted += 1
        return deleted

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            client, self._client, self._session = self._client, None, None
            if client is not None:
                client.close()

    def _inside(self, path: str) -> str:
        return f"{self._root}/{path}"

    def _send(self, server: Any, file: SpooledFile, partial: str) -> None:
        digest = hashlib.sha256()
        with file.location.open("rb") as source, server.open(partial, "wb") as target:
            target.set_pipelined(True)
            while piece := source.read(_PIECE):
                digest.update(piece)
                target.write(piece)
        if digest.hexdigest() != file.sha256:
            raise FileDamaged(path=file.name, root=file.location.parent, text="its hash differs")

    def _require_as_sent(self, server: Any, file: SpooledFile, partial: str) -> None:
        digest, size = hashlib.sha256(), 0
        with _reading(server, partial) as source:
            there = int(source.stat().st_size)
            while size < there and (piece := _read(source, size, min(_PIECE, there - size))):
                digest.update(piece)
                size += len(piece)
        if (size, digest.hexdigest()) != (file.size, file.sha256):
            reason = (
                f"of {file.name!r} {size} bytes arrived, not its {file.size}; is its disk full?"
            )
            raise StorageUnreachable(url=self.shown, reason=reason)

    def _walk(self, folder: str) -> Iterator[tuple[str, datetime]]:
        # A folder is read to its end before anything else is asked: paramiko loses its place.
        with self._asking() as server:
            try:
                listed = [
                    (each.filename, each.st_mode or 0, each.st_mtime or 0)
                    for each in server.listdir_iter(self._inside(folder))
                ]
            except FileNotFoundError:
                return
        for name, mode, modified_at in listed:
            path = f"{folder}/{name}" if folder else name
            if stat.S_ISDIR(mode):
                yield from self._walk(path)
            elif stat.S_ISREG(mode):
                yield path, datetime.fromtimestamp(modified_at, UTC)

    @contextmanager
    def _asking(self, path: str | None = None) -> Iterator[Any]:
        """The server, for requests in a row; `path` is the file that it may not have."""
        with self._lock:
            try:
                yield self._connected()
            except EngineError:
                raise
            except FileNotFoundError as error:
                if path is not None:
                    raise FileMissing(path=path, root=self.shown) from error
                # Of our own disk, or somebody removed the folder meanwhile.
                raise self._unreachable(error) from error
            except PermissionError as error:
                reason = f"{error.strerror or error}; check the permissions of {self._root}"
                raise StorageRefused(url=self.shown, reason=reason) from error
            except (OSError, EOFError, ssh_error()) as error:
                raise self._unreachable(error) from error

    def _unreachable(self, error: BaseException) -> StorageUnreachable:
        self.close()
        reason = " ".join(str(error).split()) or "the connection broke"
        if reason == "Failure":  # all that SFTP says of most things
            reason = "it says 'Failure'; is its disk full?"
        return StorageUnreachable(url=self.shown, reason=reason)

    def _connected(self) -> Any:
        if self._session is None:
            client = self._login.connect()
            try:
                session = client.open_sftp()
                session.get_channel().settimeout(_ANSWER_SECONDS)
            except BaseException:
                client.close()
                raise
            self._client, self._session = client, session
        return self._session


def _make_folders(server: Any, folder: str) -> None:
    if folder in {"", "/"}:
        return
    with suppress(FileNotFoundError):
        server.stat(folder)
        return
    _make_folders(server, posixpath.dirname(folder))
    try:
        server.mkdir(folder)
    except OSError:
        server.stat(folder)  # somebody else was faster


def _move(server: Any, partial: str, final: str) -> None:
    try:
        server.posix_rename(partial, final)
    except OSError:
        # A server without OpenSSH's extension; its own renaming replaces nothing, and nothing is
        # there but what an earlier try, whose answer was lost, has moved.
        with suppress(FileNotFoundError):
            server.remove(final)
        server.rename(partial, final)


def _reading(server: Any, path: str) -> Any:
    handle = server.open(path, "rb")
    ask_ahead = handle._prefetch_thread  # noqa: SLF001

    def ask_ahead_quietly(*arguments: Any) -> None:
        # When the connection breaks, whoever waits for the answers says so; once is enough.
        with suppress(OSError, EOFError, ssh_error()):
            ask_ahead(*arguments)

    handle._prefetch_thread = ask_ahead_quietly  # noqa: SLF001
    return handle


def _read(handle: Any, start: int, length: int) -> bytes:
    """A range, in requests that do not wait for each other."""
    return b"".join(handle.readv([(start, length)]))
