"""Logging in at an SSH server: by key, agent or password, and only if its own key is known."""

import logging
from dataclasses import dataclass, field
from typing import Any

from engine.artifact_files.faults import StorageRefused
from engine.artifact_files.host_keys import HostKeys

_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class Login:
    """Who logs in where; None for a user, key or file of known hosts is the process's own."""

    host: str
    port: int
    user: str | None
    password: str | None = field(repr=False)
    identity: str | None
    known_hosts: str | None
    shown: str

    def connect(self) -> Any:
        """An SSHClient of paramiko; raises StorageRefused, or what paramiko says of a network."""
        from paramiko import SSHClient, SSHException

        # It logs what it raises, and what a server that goes away leaves undone.
        logging.getLogger("paramiko").setLevel(logging.CRITICAL)
        client = SSHClient()
        own = self.password is None and self.identity is None
        host_keys = HostKeys(self.host, self.port, self.known_hosts, self.shown)
        try:
            with host_keys.checked_by(client):
                client.connect(
                    self.host,
                    self.port,
                    username=self.user,
                    password=self.password,
                    pkey=self._key(),
                    allow_agent=own,
                    look_for_keys=own,
                    timeout=_SECONDS,
                    banner_timeout=_SECONDS,
                    auth_timeout=_SECONDS,
                )
        except SSHException as error:
            transport = client.get_transport()
            connected = transport is not None and transport.is_active()
            client.close()
            if not connected:
                raise
            # Paramiko may raise what it thought of some key on the way, too.
            who = self.user or "this user"
            reason = f"it does not let {who} in ({error}); check the key, the agent or the password"
            raise StorageRefused(url=self.shown, reason=reason) from error
        except BaseException:
            client.close()
            raise
        return client

    def _key(self) -> Any:
        from paramiko import PKey, SSHException, UnknownKeyType

        if self.identity is None:
            return None
        try:
            return PKey.from_path(self.identity)
        except (OSError, ValueError, TypeError, SSHException, UnknownKeyType) as error:
            reason = f"the key {self.identity} cannot be read: {error}"
            raise StorageRefused(url=self.shown, reason=reason) from error


def ssh_error() -> type[Exception]:
    """The base of paramiko's errors, which is imported when it is needed."""
    from paramiko import SSHException

    error: type[Exception] = SSHException
    return error
