"""An SSH server that serves files of a folder, by paramiko: `python -m ... FOLDER PORT KEY AUTH`.

AUTH is a file of lines: `password user secret` or `key user type base64`.
"""

import os
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import paramiko
from paramiko import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    OPEN_SUCCEEDED,
    SFTP_OK,
    RSAKey,
    ServerInterface,
    SFTPAttributes,
    SFTPHandle,
    SFTPServer,
    SFTPServerInterface,
    Transport,
)


class Guard(ServerInterface):  # type: ignore[misc]
    """Lets in who is in the file."""

    def __init__(self, auth: Path) -> None:
        self._lines = [line.split() for line in auth.read_text().splitlines()]

    def get_allowed_auths(self, username: str) -> str:
        return "password,publickey"

    def check_auth_password(self, username: str, password: str) -> int:
        return _answer(["password", username, password] in self._lines)

    def check_auth_publickey(self, username: str, key: Any) -> int:
        line = ["key", username, key.get_name(), key.get_base64()]
        return _answer(line in self._lines)

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return int(OPEN_SUCCEEDED)


def _answer(welcome: bool) -> int:
    return int(AUTH_SUCCESSFUL if welcome else AUTH_FAILED)


class Handle(SFTPHandle):  # type: ignore[misc]
    """An open file that says what the disk says."""

    def stat(self) -> Any:
        return SFTPAttributes.from_stat(os.fstat(self.readfile.fileno()))


class Files(SFTPServerInterface):  # type: ignore[misc]
    """The files of a folder, as if it were the root."""

    folder: Path

    def _real(self, path: str) -> str:
        return f"{self.folder}{self.canonicalize(path)}"

    def _do(self, call: Any, *arguments: Any) -> int:
        try:
            call(*arguments)
        except OSError as error:
            return int(SFTPServer.convert_errno(error.errno))
        return int(SFTP_OK)

    def list_folder(self, path: str) -> Any:
        try:
            found = []
            for entry in os.scandir(self._real(path)):
                attributes = SFTPAttributes.from_stat(entry.stat(follow_symlinks=False))
                attributes.filename = entry.name
                found.append(attributes)
            return found
        except OSError as error:
            return SFTPServer.convert_errno(error.errno)

    def stat(self, path: str) -> Any:
        try:
            return SFTPAttributes.from_stat(os.stat(self._real(path)))  # noqa: PTH116
        except OSError as error:
            return SFTPServer.convert_errno(error.errno)

    lstat = stat

    def open(self, path: str, flags: int, attr: Any) -> Any:
        try:
            number = os.open(self._real(path), flags, 0o644)
        except OSError as error:
            return SFTPServer.convert_errno(error.errno)
        # Without a buffer: what the disk refuses is said to who wrote it.
        mode = "wb" if flags & os.O_WRONLY else "r+b" if flags & os.O_RDWR else "rb"
        file = os.fdopen(number, mode, buffering=0)
        handle = Handle(flags)
        handle.filename = path
        handle.readfile = handle.writefile = file
        return handle

    def remove(self, path: str) -> int:
        return self._do(os.remove, self._real(path))

    def rename(self, oldpath: str, newpath: str) -> int:
        if os.path.exists(self._real(newpath)):  # noqa: PTH110
            return int(paramiko.SFTP_FAILURE)
        return self._do(os.rename, self._real(oldpath), self._real(newpath))

    def posix_rename(self, oldpath: str, newpath: str) -> int:
        if (self.folder.parent / "no-posix-rename").exists():
            return int(paramiko.SFTP_OP_UNSUPPORTED)
        return self._do(os.replace, self._real(oldpath), self._real(newpath))

    def mkdir(self, path: str, attr: Any) -> int:
        return self._do(os.mkdir, self._real(path))

    def rmdir(self, path: str) -> int:
        return self._do(os.rmdir, self._real(path))


def main(folder: Path, port: int, key: Path, auth: Path) -> None:
    """Serve until killed."""
    Files.folder = folder
    host_key = RSAKey.from_private_key_file(str(key))
    listener = socket.create_server(("127.0.0.1", port))
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_serve, args=(connection, host_key, auth), daemon=True).start()


def _serve(connection: socket.socket, host_key: RSAKey, auth: Path) -> None:
    try:
        transport = Transport(connection)
        transport.add_server_key(host_key)
        transport.set_subsystem_handler("sftp", SFTPServer, Files)
        transport.start_server(server=Guard(auth))
    except (paramiko.SSHException, EOFError, OSError):
        connection.close()  # a probe, or a client that does not like our key


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4]))
