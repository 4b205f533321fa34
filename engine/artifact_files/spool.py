"""The spool: files written whole on this machine's disk, kept until they are on the storage.

A run's folder holds one folder an attempt, so that two attempts never write to the same file.
Once all of an attempt's files are whole it is sealed by a manifest; a later attempt on this
machine then has only to store them.
"""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import gettempdir
from typing import Any, BinaryIO

from engine.artifact_files.faults import disk_failed, is_of_disk

_MANIFEST = "manifest.json"
_FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class SpooledFile:
    """A whole file on this machine's disk."""

    name: str
    media_type: str
    rows: int
    size: int
    sha256: str
    location: Path


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """Everything that an attempt wrote, and the facts it left beside."""

    files: Sequence[SpooledFile]
    facts: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class SpooledRun:
    """What the spool holds of one run."""

    reference: str
    size: int
    written_at: datetime


class Spool:
    """The spool of one home."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def of(self, reference: str, attempt: int) -> "AttemptSpool":
        """The part of one attempt; nothing is made yet."""
        return AttemptSpool(self.folder / reference, attempt)

    def runs(self) -> Iterator[SpooledRun]:
        """What is there, whole or not."""
        for folder in sorted(self.folder.iterdir()) if self.folder.is_dir() else ():
            size, written_at = 0, 0.0
            for each in (folder, *folder.rglob("*")):
                with suppress(FileNotFoundError):  # its run has just ended
                    stat = each.stat()
                    size += stat.st_size
                    written_at = max(written_at, stat.st_mtime)
            yield SpooledRun(
                reference=folder.name, size=size, written_at=datetime.fromtimestamp(written_at, UTC)
            )

    def discard(self, reference: str) -> None:
        """Remove all that is kept of a run; nothing happens if nothing is."""
        shutil.rmtree(self.folder / reference, ignore_errors=True)


class AttemptSpool:
    """What one attempt writes, below the folder of its run."""

    def __init__(self, run_folder: Path, attempt: int) -> None:
        self._run_folder = run_folder
        self._folder = run_folder / str(attempt)

    def write(self, name: str, media_type: str, write: Callable[[BinaryIO], int]) -> SpooledFile:
        """Let `write` fill the file `name`, which returns its rows; a failed one leaves nothing."""
        location = self._folder / name
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with location.open("wb") as target:
                rows = write(target)
                target.flush()
                os.fsync(target.fileno())
            return SpooledFile(
                name=name,
                media_type=media_type,
                rows=rows,
                size=location.stat().st_size,
                sha256=hash_of(location),
                location=location,
            )
        except BaseException as error:
            with suppress(OSError):
                location.unlink(missing_ok=True)
            if isinstance(error, OSError) and is_of_disk(error, self._folder):
                raise disk_failed("write", name, self._fuller(error), error) from error
            raise

    def _fuller(self, error: OSError) -> Path:
        """The folder whose disk is full: ours, or the one where some writers put things aside."""
        if error.errno != errno.ENOSPC or error.filename is not None:
            return self._folder
        folders = [each for each in (self._folder, Path(gettempdir())) if each.is_dir()]
        return min(folders, key=lambda each: shutil.disk_usage(each).free)

    def seal(self, files: Collection[SpooledFile], facts: Mapping[str, Any]) -> Sealed:
        """Say that these are all; they survive a power cut from here on."""
        told = [{**asdict(file), "location": file.location.name} for file in files]
        manifest = self._folder / _MANIFEST
        partial = manifest.with_suffix(".partial")
        try:
            with partial.open("w", encoding="utf-8") as target:
                json.dump({"format": _FORMAT, "files": told, "facts": dict(facts)}, target)
                target.flush()
                os.fsync(target.fileno())
            partial.replace(manifest)
            sync_folder(self._folder)
            sync_folder(self._run_folder)
        except OSError as error:
            raise disk_failed("write", _MANIFEST, self._folder, error) from error
        return Sealed(files=tuple(files), facts=facts)

    def earlier(self) -> Sealed | None:
        """What the latest attempt sealed here, if every file of it is still as it was written."""
        folders = [each for each in _children(self._run_folder) if each.name.isdecimal()]
        for folder in sorted(folders, key=lambda each: int(each.name), reverse=True):
            with suppress(OSError, ValueError, TypeError, KeyError):  # damaged, or not sealed
                return _unseal(folder)
        return None

    def clear(self) -> None:
        """Remove what earlier attempts left, which nobody can use."""
        for folder in _children(self._run_folder):
            shutil.rmtree(folder, ignore_errors=True)


def hash_of(file: Path) -> str:
    """The SHA-256 of a file, in hex."""
    # Read back, not hashed on the way: writers of ZIP files go back to fill in their headers.
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def sync_folder(folder: Path) -> None:
    """Make a file's new name itself survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _children(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _unseal(folder: Path) -> Sealed:
    told = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
    if told["format"] != _FORMAT:
        raise ValueError("written by another version")
    files = [
        SpooledFile(**{**each, "location": folder / Path(each["location"]).name})
        for each in told["files"]
    ]
    for file in files:
        if hash_of(file.location) != file.sha256:
            raise ValueError("damaged")
    return Sealed(files=files, facts=told["facts"])
