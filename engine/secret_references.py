"""References to secrets, `${secret:NAME}`: they are stored as they stand, and only an attempt
looks up what they stand for. `$${secret:NAME}` is the plain text.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import Invalid

PREFIX = "secret:"
VARIABLE = "ENGINE_SECRET_VAR_"
_REFERENCE = re.compile(r"(\$?)\$\{secret:([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


class NoSuchSecret(Invalid):
    """A parameter refers to a secret that is not there."""

    message = "no secret is named {name!r}: there is no {where}"


@dataclass(frozen=True, kw_only=True)
class SecretSource:
    """Where secrets are: a file each in `folder`, or a variable each."""

    folder: Path | None
    variables: Mapping[str, str | None] = field(repr=False)

    def get(self, name: str) -> str:
        """The secret, without the line break at its end; raises NoSuchSecret, also for nothing."""
        file = self._file_of(name)
        if file is None:
            return self.variables[VARIABLE + name] or ""
        try:
            secret = file.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not UTF-8"
            raise NoSuchSecret(name=name, where=f"file {file} that can be read: {why}") from None
        if not secret:
            raise NoSuchSecret(name=name, where=f"secret in the file {file}: it is empty")
        return secret

    def missing(self, value: Any) -> list[str]:
        """Of the secrets that a value refers to, what is said of those that are not there.

        None of them is read.
        """
        said = []
        for name in dict.fromkeys(references_in(value)):
            try:
                self._file_of(name)
            except NoSuchSecret as error:
                said.append(str(error))
        return said

    def _file_of(self, name: str) -> Path | None:
        """The secret's file; None if it is a variable; raises NoSuchSecret if it is neither."""
        if (problem := name_problem(name)) is not None:
            raise NoSuchSecret(name=name, where=f"such name: {problem}")
        file = self.folder / name if self.folder else None
        if file is not None and file.exists():
            return file
        if not self.variables.get(VARIABLE + name):
            no_file = f"file {file} and no " if file else ""
            raise NoSuchSecret(name=name, where=f"{no_file}variable {VARIABLE}{name}")
        return None

    def values(self, value: Any) -> list[str]:
        """The secrets that a value refers to, as far as they are there; for those who hide them."""
        found = []
        for name in dict.fromkeys(references_in(value)):
            try:
                found.append(self.get(name))
            except NoSuchSecret:
                # The attempt says so.
                continue
        return found


def name_problem(name: str) -> str | None:
    """Why nothing can be called so; None if something can."""
    if _NAME.fullmatch(name):
        return None
    return f"a secret's name is letters, digits, '_', '-' and '.', not {name[:40]!r}"


def references_in(value: Any) -> Iterator[str]:
    """The names of the secrets that JSON-ready data refers to."""
    match value:
        case str():
            yield from (name for escaped, name in _REFERENCE.findall(value) if not escaped)
        case Mapping():
            for inner in value.values():
                yield from references_in(inner)
        case list() | tuple():
            for inner in value:
                yield from references_in(inner)


def is_reference(value: Any) -> bool:
    """Whether it is one reference and nothing else: there is no secret in it."""
    found = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    return found is not None and not found[1]


def has_references(value: Any) -> bool:
    """Whether there is a reference anywhere in it, or the plain text of one."""
    match value:
        case str():
            return "{secret:" in value
        case Mapping():
            return any(map(has_references, value.values()))
        case list() | tuple():
            return any(map(has_references, value))
    return False


def filled(value: Any, get: Callable[[str], str]) -> Any:
    """A copy of JSON-ready data with the secrets in place of the references."""
    match value:
        case str() if "{secret:" in value:
            return _REFERENCE.sub(lambda found: found[0][1:] if found[1] else get(found[2]), value)
        case Mapping():
            return {key: filled(inner, get) for key, inner in value.items()}
        case list() | tuple():
            return [filled(inner, get) for inner in value]
    return value


def secrets_of(folder: Path | None, variables: Mapping[str, str | None]) -> SecretSource:
    """Where the secrets are, by the variables of `.env` and then of this process."""
    return SecretSource(folder=folder, variables={**variables, **os.environ})
