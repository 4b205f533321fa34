"""A folder as a storage: `file:///absolute/path`."""

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from engine.artifact_files.faults import (
    FileDamaged,
    FileMissing,
    PathEscapes,
    StorageUnsupported,
    disk_failed,
    is_of_disk,
)
from engine.artifact_files.spool import SpooledFile, sync_folder
from engine.artifact_files.storage import FoundFile

PARTIAL = ".partial"
_PIECE = 1024 * 1024


class Folder:
    """The files under `url`, an absolute `file://` URL."""

    def __init__(self, url: str) -> None:
        # Taken as it is written, as settings make it: a folder's name may hold `#` or `%20`.
        folder = url.removeprefix("file://")
        if not folder.startswith("/"):
            text = "use an absolute folder such as file:///srv/artifacts"
            raise StorageUnsupported(url=url, text=text)
        self.root = Path(folder)

    @property
    def shown(self) -> str:
        """The folder."""
        return str(self.root)

    def put(self, file: SpooledFile, path: str) -> None:
        """Copy aside, then move: no reader sees half of it."""
        final = self._inside(path)
        partial = final.with_name(f"{final.name}.{secrets.token_hex(4)}{PARTIAL}")
        try:
            final.parent.mkdir(parents=True, exist_ok=True)
            digest = hashlib.sha256()
            with file.location.open("rb") as source, partial.open("wb") as target:
                while piece := source.read(_PIECE):
                    digest.update(piece)
                    target.write(piece)
                target.flush()
                os.fsync(target.fileno())
            if digest.hexdigest() != file.sha256:
                raise FileDamaged(
                    path=file.name, root=file.location.parent, text="its hash differs"
                )
            partial.replace(final)
            sync_folder(final.parent)
        except BaseException as error:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
                self._prune(final.parent)
            if isinstance(error, OSError) and is_of_disk(error, self.root):
                raise disk_failed("write", path, self.root, error) from error
            raise

    def open(self, path: str) -> BinaryIO:
        """The file for reading."""
        try:
            return self._inside(path).open("rb")
        except FileNotFoundError as error:
            raise FileMissing(path=path, root=self.root) from error
        except OSError as error:
            raise disk_failed("read", path, self.root, error) from error

    def delete(self, path: str) -> None:
        """Remove the file, and folders it leaves empty."""
        file = self._inside(path)
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            raise disk_failed("delete", path, self.root, error) from error
        self._prune(file.parent)

    def found(self) -> Iterator[FoundFile]:
        """Every whole file."""
        for path, modified_at in self._walk():
            if not path.endswith(PARTIAL):
                yield FoundFile(path=path, modified_at=modified_at)

    def delete_unfinished(self, begun_before: datetime) -> int:
        """Remove the copies that were never moved."""
        left = [
            path
            for path, modified_at in self._walk()
            if path.endswith(PARTIAL) and modified_at < begun_before
        ]
        for path in left:
            self.delete(path)
        return len(left)

    def close(self) -> None:
        """There is nothing to let go of."""

    def _walk(self) -> Iterator[tuple[str, datetime]]:
        for folder, _, names in os.walk(self.root):
            for name in sorted(names):
                file = Path(folder, name)
                with suppress(FileNotFoundError):  # deleted since it was listed
                    modified_at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
                    yield file.relative_to(self.root).as_posix(), modified_at

    def _inside(self, path: str) -> Path:
        """`path` under the root; symbolic links are followed before the answer."""
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
