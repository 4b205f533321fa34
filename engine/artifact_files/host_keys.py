"""The keys of SSH servers: one that is not known, or is another than before, is not trusted."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.artifact_files.faults import StorageRefused, StorageUnsupported

_PORT = 22
_SYSTEM = Path("/etc/ssh/ssh_known_hosts")


class HostKeys:
    """The known keys for one server; `file` is read instead of the user's and the system's."""

    def __init__(self, host: str, port: int, file: str | None, shown: str) -> None:
        self._host = host
        self._port = port
        self._files = [Path(file)] if file else [Path("~/.ssh/known_hosts").expanduser(), _SYSTEM]
        self._given = file is not None
        self._shown = shown

    @contextmanager
    def checked_by(self, client: Any) -> Iterator[None]:
        """Have an SSH client check the server's key when it connects; raises StorageRefused."""
        from paramiko import BadHostKeyException

        for file in self._files:
            if file.is_file():
                client.load_system_host_keys(str(file))
            elif self._given:
                raise StorageUnsupported(url=self._shown, text=f"there is no file {file}")
        client.set_missing_host_key_policy(self)
        try:
            yield
        except BadHostKeyException as error:
            reason = (
                f"its host key is {error.key.fingerprint}, not the one in {self._files[0]}; "
                "somebody may be in between, so ask who runs it; a key that is new takes the place "
                "of the old one after "
                f"`ssh-keygen -f {self._files[0]} -R {self._name!r}`"
            )
            raise StorageRefused(url=self._shown, reason=reason) from error

    def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
        """Paramiko asks what to do with a server that no file knows."""
        port = "" if self._port == _PORT else f"-p {self._port} "
        reason = (
            f"its host key {key.get_name()} {key.fingerprint} is not known; if it is the server's, "
            f"run `ssh-keyscan {port}{self._host} >> {self._files[0]}`"
        )
        raise StorageRefused(url=self._shown, reason=reason)

    @property
    def _name(self) -> str:
        return self._host if self._port == _PORT else f"[{self._host}]:{self._port}"
