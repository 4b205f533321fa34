"""Identity: what a worker or scheduler says of itself beside its name, when it announces itself."""

import hashlib
import os
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NoReturn, Self

from engine.execution.manager import manager_here

_REPLACES = "_ENGINE_REPLACES"
_FINGERPRINT_LENGTH = 8


@dataclass(frozen=True, kw_only=True)
class Identity:
    """`version` is of the code it runs, `manager` starts it again when it ends, and it `replaces`
    the process that it was before a restart.
    """

    version: str | None = None
    manager: str = "none"
    replaces: str | None = None

    @classmethod
    def here(cls, home: Path, *, under_up: bool = False) -> Self:
        """This process's own; it is asked for once."""
        return cls(
            version=code_version(home),
            manager="engine up" if under_up else manager_here(),
            replaces=os.environ.pop(_REPLACES, None),
        )


def code_version(home: Path) -> str:
    """The engine's version and a fingerprint of its code and the home's jobs: 0.1.0+3f9a2c1b."""
    try:
        number = version("engine")
    except PackageNotFoundError:
        number = "0"
    digest = hashlib.sha256()
    for folder in (Path(__file__).parents[1], home / "jobs"):
        for file in sorted(folder.rglob("*.py")):
            digest.update(str(file.relative_to(folder)).encode() + b"\0" + file.read_bytes())
    return f"{number}+{digest.hexdigest()[:_FINGERPRINT_LENGTH]}"


def begin_anew(process_id: str) -> NoReturn:
    """Replace this process by one with its number and arguments, on whatever code is there now.

    Call it from the main thread, with nothing left open. Exits with 1 if that fails, so that
    whoever manages the process starts it again.
    """
    os.environ[_REPLACES] = process_id
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - itself
    except OSError as error:
        sys.stderr.write(f"engine: {sys.executable} cannot be started again: {error}\n")
        sys.exit(1)
