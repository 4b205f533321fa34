"""Who is acting: a user who proved it by a token, or the login that the operating system knows."""

import os
import pwd
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Actor:
    """Who does something; `name` is what is written down.

    `authenticated` is a user of this ledger, proven by a token, and `role` is theirs. A login of an
    operating system has neither: another machine may give the same name to somebody else.
    """

    name: str
    authenticated: bool = False
    role: str | None = None

    def __str__(self) -> str:
        return self.name


def operating_system_login() -> Actor:
    """`root`, or `root (sudo from sara)`.

    Both are what the kernel says, never the environment: `USER` and `LOGNAME` are not read, and
    `SUDO_USER` counts only if this process descends from one of that user's.
    """
    login = _name_of(os.getuid())
    origin = _origin(os.environ.get("SUDO_USER"))
    return Actor(f"{login} (sudo from {origin})" if origin else login)


def _origin(claimed: str | None) -> str | None:
    """The user behind sudo, if the kernel knows a process of theirs that this one comes from."""
    if not claimed:
        return None
    try:
        uid = pwd.getpwnam(claimed).pw_uid
    except (KeyError, ValueError):
        return None
    return claimed if uid != os.getuid() and uid in _uids_of_ancestors() else None


def _uids_of_ancestors() -> Collection[int]:
    """The real user of each process that this one comes from; of none where there is no /proc."""
    found = set()
    process = os.getppid()
    while process:
        try:
            lines = Path(f"/proc/{process}/status").read_text(errors="replace").splitlines()
        except OSError:
            break
        facts = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        found.add(int(facts["Uid"].split()[0]))
        process = int(facts["PPid"])
    return found


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
