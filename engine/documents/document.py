"""A YAML file, read: its plain data, and where everything in it stands."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml.error import MarkedYAMLError, YAMLError

from engine.documents.composition import Composer, events_of
from engine.documents.outline import Outline, Place
from engine.documents.problem import InvalidDocument, KeyPath, Problem, dotted
from engine.documents.syntax import explain

LARGEST = 4 * 1024 * 1024

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff]")
_OTHER_ENCODINGS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


@dataclass(frozen=True)
class Document:
    """One file's data (mappings, lists, text, integers, exact decimals, booleans, None)."""

    file: str
    data: dict[str, Any]
    outline: Outline

    def locate(self, path: KeyPath) -> Place:
        """Line and column of the key or item at `path`, or of the nearest thing around it."""
        return self.outline.locate(path)

    def problem(self, path: KeyPath, message: str) -> Problem:
        """Something that is wrong at `path`, with its place."""
        return Problem(self.file, *self.locate(path), dotted(path), message)


def read_document(path: Path) -> Document:
    """Read one YAML file that holds a mapping; raises InvalidDocument with every problem in it."""
    file = _shown(path)
    try:
        with path.open("rb") as source:
            content = source.read(LARGEST + 1)
    except FileNotFoundError:
        raise InvalidDocument([Problem(file, 1, 1, "", "there is no such file")]) from None
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}"
        raise InvalidDocument([Problem(file, 1, 1, "", reason)]) from None
    return parse_document(content, file)


def parse_document(content: bytes, file: str) -> Document:
    """Like `read_document`, for bytes at hand; `file` is what problems call them."""
    text = _decode(content, file)
    composer = Composer(file)
    try:
        data, outline = composer.compose(events_of(text))
    except MarkedYAMLError as error:
        raise InvalidDocument([*composer.problems, explain(error, text, file)]) from None
    except YAMLError as error:
        first = str(error).strip().partition("\n")[0] or "not readable as YAML"
        raise InvalidDocument([*composer.problems, Problem(file, 1, 1, "", first)]) from None
    return Document(file, data, outline)


def _decode(content: bytes, file: str) -> str:
    def refuse(before: str, message: str) -> InvalidDocument:
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1) + 1
        return InvalidDocument([Problem(file, line, column, "", message)])

    if len(content) > LARGEST:
        raise refuse("", f"larger than {LARGEST // 1024 // 1024} MB; split it, or generate less")
    if (encoding := _OTHER_ENCODINGS.get(content[:2])) is not None:
        raise refuse("", f"this is {encoding}; save the file as UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # `error.start` counts from behind a byte-order mark, as `object` does.
        before = bytes(error.object)[: error.start].decode("utf-8")
        byte = bytes(error.object)[error.start]
        raise refuse(before, f"the byte 0x{byte:02X} is not UTF-8; save as UTF-8") from None
    if (control := _CONTROL.search(text)) is not None:
        code = ord(control[0])
        name = "a NUL byte" if code == 0 else f"the control character U+{code:04X}"
        raise refuse(text[: control.start()], f"{name} has no place in a text file; remove it")
    return text


def _shown(path: Path) -> str:
    """The path as a person in the current folder would type it."""
    full = path.absolute()
    here = Path.cwd()
    return str(full.relative_to(here)) if full.is_relative_to(here) else str(path)
