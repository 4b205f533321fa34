"""The manager of a process: what starts it again when it ends, by the traces it leaves."""

import os
from collections.abc import Mapping
from pathlib import Path

_IN_CONTAINERS = (Path("/.dockerenv"), Path("/run/.containerenv"))


def manager_here() -> str:
    """The manager of this process: systemd, supervisor, container or none."""
    parent = os.getppid()
    return manager_of(
        os.environ,
        parent_name=_name_of(parent),
        leads_container=_leads_container(os.getpid(), parent, os.environ),
    )


def manager_of(environment: Mapping[str, str], *, parent_name: str, leads_container: bool) -> str:
    """The manager of a process that was started like this.

    systemd and supervisor leave a variable to all below them, also to a shell and what is started
    in it; so the parent has to be theirs too, or not to be a shell.
    """
    if parent_name.startswith("supervisord"):
        return "supervisor"
    if "SUPERVISOR_ENABLED" in environment and not _is_a_shell(parent_name):
        return "supervisor"
    if "INVOCATION_ID" in environment and parent_name == "systemd":
        return "systemd"
    return "container" if leads_container else "none"


def _leads_container(pid: int, parent: int, environment: Mapping[str, str]) -> bool:
    """Whether a container ends with it: it is the first process there, or the first one's child."""
    if pid == 1:
        return True
    marked = any(each.exists() for each in _IN_CONTAINERS)
    return parent == 1 and (marked or "KUBERNETES_SERVICE_HOST" in environment)


def _is_a_shell(name: str) -> bool:
    return name in {"sh", "bash", "dash", "zsh", "fish", "ash", "ksh", "screen", "tmux: server"}


def _name_of(pid: int) -> str:
    """What the kernel calls a process; of an interpreted one, its script. Empty if unknown."""
    try:
        name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").strip()
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    if name.startswith("python") and len(words) > 1:
        return Path(os.fsdecode(words[1])).name
    return name
