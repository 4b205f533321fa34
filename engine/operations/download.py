"""Downloading an artifact: whole and with its recorded hash, or not at all."""

import hashlib
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from engine.artifact_files.faults import FileDamaged, disk_failed, is_of_disk
from engine.artifact_files.files import ArtifactFiles
from engine.errors import EngineError
from engine.store.artifacts import Artifact

_PIECE = 1024 * 1024


class FileExpired(EngineError):
    """The record outlived the file."""

    message = "the file of artifact {id} was deleted at {at} by its retention; the record stays"


def download(files: ArtifactFiles, artifact: Artifact, target: Path) -> None:
    """Write the artifact to `target`, in the place of what is there.

    Raises FileDamaged when the file is not what was recorded; `target` is left alone then.
    """
    if target.exists() and not target.is_file():  # a device or a pipe: nothing to move there
        with target.open("wb") as device:
            copy(files, artifact, device)
        return
    folder = target.absolute().parent
    partial = folder / f".{target.name}.{secrets.token_hex(4)}.partial"
    try:
        with partial.open("wb") as written:
            copy(files, artifact, written)
            written.flush()
            os.fsync(written.fileno())
        partial.replace(target)
    except BaseException as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        if isinstance(error, FileNotFoundError) or is_of_disk(error, folder):
            raise disk_failed("write", target.name, folder, error) from error  # type: ignore[arg-type]
        raise


def copy(files: ArtifactFiles, artifact: Artifact, target: BinaryIO) -> None:
    """Copy the artifact to an open file; raises FileDamaged once all of it is copied."""
    if artifact.deleted_at is not None:
        at = artifact.deleted_at.isoformat(timespec="seconds")
        raise FileExpired(id=artifact.id, at=at)
    digest, size = hashlib.sha256(), 0
    with files.open(artifact.path) as source:
        while piece := source.read(_PIECE):
            digest.update(piece)
            size += len(piece)
            target.write(piece)
    if digest.hexdigest() != artifact.sha256:
        text = f"it has {size} bytes and another hash than the {artifact.size} bytes on record"
        raise FileDamaged(path=artifact.path, root=files.storage.shown, text=text)
