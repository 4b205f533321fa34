"""Artifact files: published whole or not at all, under one root, by fsspec.

The root is a folder now (`file:///absolute/path`). An object store wants a branch of its own: there
a put is already atomic and a move is a copy.
"""

import errno
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

import fsspec

from engine.errors import EngineError, Invalid

_PARTIAL = ".partial"
_DISK_ERRORS = frozenset(
    {
        *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EACCES),
        *(errno.EPERM, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG),
    }
)


class StorageUnsupported(Invalid):
    """The storage URL is of a kind that is not built yet."""

    message = "artifacts cannot be kept at {url!r}; use an absolute folder such as file:///srv/var"


class PathEscapes(Invalid):
    """A path would lead out of the root."""

    message = "{path!r} is no path below the artifacts' folder"


class StorageFailed(EngineError):
    """The disk would not do it; nothing half done is left."""

    message = "cannot {action} {path!r} in {root}: {reason}; check its free space and permissions"


class FileMissing(EngineError):
    """A record says there is a file, and there is none."""

    message = "the file {path!r} is not in {root}; was it removed by hand, or is the root wrong?"


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A file that is whole; `path` is relative to the root."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class FoundFile:
    """A file under the root, whole or not, and when it was last written."""

    path: str
    modified_at: datetime


class ArtifactFiles:
    """The files under `root`, an absolute `file://` URL."""

    def __init__(self, root: str) -> None:
        # Taken as it is written, as settings make it: a folder's name may hold `#` or `%20`.
        folder = root.removeprefix("file://")
        if folder == root or not folder.startswith("/"):
            raise StorageUnsupported(url=root)
        self.root = Path(folder)
        self._files = fsspec.filesystem("file")

    def publish(self, path: str, write: Callable[[BinaryIO], object]) -> StoredFile:
        """Let `write` fill a file aside, then move it to `path`; no reader sees half of it."""
        final = self._inside(path)
        partial = final.with_name(f"{final.name}.{secrets.token_hex(4)}{_PARTIAL}")
        try:
            self._files.makedirs(str(final.parent), exist_ok=True)
            with self._files.open(str(partial), "wb") as target:
                write(cast(BinaryIO, target))
                target.flush()
                os.fsync(target.fileno())
            stored = StoredFile(path=path, size=partial.stat().st_size, sha256=_hash(partial))
            # Not `mv` of fsspec, which falls back to a copy that readers could see grow.
            partial.replace(final)
            _sync_folder(final.parent)
        except BaseException as error:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
                self._prune(final.parent)
            if isinstance(error, OSError) and self._is_ours(error):
                raise self._failed("write", path, error) from error
            raise
        return stored

    def open(self, path: str) -> BinaryIO:
        """The file for reading; the caller closes it."""
        try:
            return cast(BinaryIO, self._files.open(str(self._inside(path)), "rb"))
        except FileNotFoundError as error:
            raise FileMissing(path=path, root=self.root) from error
        except OSError as error:
            raise self._failed("read", path, error) from error

    def delete(self, path: str) -> bool:
        """Remove the file, and folders it leaves empty; False if it was not there."""
        file = self._inside(path)
        try:
            self._files.rm_file(str(file))
        except FileNotFoundError:
            return False
        except OSError as error:
            raise self._failed("delete", path, error) from error
        self._prune(file.parent)
        return True

    def found(self) -> Iterator[FoundFile]:
        """Every file under the root, those that were never finished included."""
        for folder, _, names in os.walk(self.root):
            for name in sorted(names):
                file = Path(folder, name)
                with suppress(FileNotFoundError):  # deleted since it was listed
                    modified_at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
                    path = file.relative_to(self.root).as_posix()
                    yield FoundFile(path=path, modified_at=modified_at)

    def _inside(self, path: str) -> Path:
        """`path` under the root; symbolic links are followed before the answer."""
        parts = PurePosixPath(path).parts
        plain = path and "\0" not in path and "\\" not in path and not path.startswith("/")
        if not plain or ".." in parts or path.endswith("/") or parts == ():
            raise PathEscapes(path=path)
        file = self.root / path
        if not file.resolve().is_relative_to(self.root.resolve()):
            raise PathEscapes(path=path)
        return file

    def _prune(self, folder: Path) -> None:
        """Remove `folder` and its parents up to the root, as far as they are empty."""
        while folder != self.root and folder.is_relative_to(self.root):
            try:
                folder.rmdir()
            except OSError:
                return
            folder = folder.parent

    def _is_ours(self, error: OSError) -> bool:
        """Tell our disk from whatever else `write` was reading when it failed."""
        ours = error.filename is None or Path(str(error.filename)).is_relative_to(self.root)
        return ours and error.errno in _DISK_ERRORS

    def _failed(self, action: str, path: str, error: OSError) -> StorageFailed:
        reason = error.strerror or str(error)
        return StorageFailed(action=action, path=path, root=self.root, reason=reason)


def _hash(file: Path) -> str:
    # Read back, not hashed on the way: writers of ZIP files go back to fill in their headers.
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    """Make the move itself survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
