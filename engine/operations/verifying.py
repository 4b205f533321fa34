"""Verifying artifacts: what is on record of a file is found anew in the file that is stored."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from engine.artifact_files.faults import FileMissing
from engine.artifact_files.files import ArtifactFiles
from engine.exporters.recount.recount import Unreadable
from engine.exporters.recount.recounts import RECOUNTS
from engine.operations.download import FileExpired
from engine.reporting.manifest import figures_in, layouts_in
from engine.reporting.proof import differences
from engine.store.artifacts import Artifact

_PIECE = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What of an artifact was looked at, and what of it is not as it should be."""

    artifact: Artifact
    checked: Sequence[str]
    problems: Sequence[str]

    def as_json(self) -> dict[str, Any]:
        """The answer as other programs rely on it."""
        return {
            "id": self.artifact.id,
            "name": self.artifact.name,
            "verified": not self.problems,
            "checked": list(self.checked),
            "problems": list(self.problems),
        }


def verify(files: ArtifactFiles, artifact: Artifact) -> Verified:
    """Fetch the file and find its size, hash, rows and sums anew.

    Raises FileExpired where retention has deleted it, and what a storage that is away raises.
    """
    if artifact.deleted_at is not None:
        raise FileExpired(id=artifact.id, at=artifact.deleted_at.isoformat(timespec="seconds"))
    checked, problems = ["size", "sha256"], []
    if artifact.quarantined is not None:
        problems.append(f"it is in quarantine: {artifact.quarantined}")
    with TemporaryDirectory(prefix="engine-verify-") as aside:
        file = Path(aside) / "file"
        try:
            size, sha256 = _fetch(files, artifact.path, file)
        except FileMissing as error:
            return Verified(artifact=artifact, checked=[], problems=[*problems, str(error)])
        if size != artifact.size:
            problems.append(f"it has {size:,} bytes, {artifact.size:,} on record")
        if sha256 != artifact.sha256:
            problems.append(f"its SHA-256 is {sha256}, {artifact.sha256} on record")
        manifest = artifact.manifest
        if manifest is not None:
            checked.append("manifest")
            problems += _of_manifest(files, artifact, manifest)
            if manifest["format"] in RECOUNTS:
                checked += _counted_of(manifest)
                problems += _of_rows(file, manifest)
    return Verified(artifact=artifact, checked=checked, problems=problems)


def _fetch(files: ArtifactFiles, path: str, target: Path) -> tuple[int, str]:
    """Copy a stored file here; its size and SHA-256."""
    digest, size = hashlib.sha256(), 0
    with files.open(path) as source, target.open("wb") as copy:
        while piece := source.read(_PIECE):
            digest.update(piece)
            size += len(piece)
            copy.write(piece)
    return size, digest.hexdigest()


def _of_manifest(
    files: ArtifactFiles, artifact: Artifact, manifest: Mapping[str, Any]
) -> Iterator[str]:
    """What the manifest says otherwise than the record, and the one beside the file than it."""
    for name in ("name", "version", "size", "sha256", "media_type"):
        if manifest[name] != getattr(artifact, name):
            said, known = manifest[name], getattr(artifact, name)
            yield f"{name} is {said!r} in its manifest, {known!r} on record"
    if manifest["rows_written"] != artifact.rows:
        yield f"rows are {manifest['rows_written']:,} in its manifest, {artifact.rows:,} on record"
    try:
        with files.open(artifact.paths[-1]) as source:
            beside = json.loads(source.read())
    except FileMissing as error:
        yield str(error)
    except ValueError as error:
        yield f"the manifest beside it is damaged: {error}"
    else:
        if beside != dict(manifest):
            differing = [each for each in manifest if beside.get(each) != manifest[each]]
            said = ", ".join(differing) or "more than it should"
            yield f"the manifest beside it is another one than on record: it differs in {said}"


def _of_rows(file: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    """What is found in the file otherwise than the manifest says."""
    layouts = layouts_in(manifest)
    try:
        counted = RECOUNTS[manifest["format"]].count(file, layouts)
    except Unreadable as error:
        yield str(error)
        return
    for layout, found, expected in zip(layouts, counted, figures_in(manifest), strict=False):
        yield from differences(layout, "in the file", found, "in its manifest", expected)


def _counted_of(manifest: Mapping[str, Any]) -> Sequence[str]:
    summed = any("file" in each["totals_found_in"] for each in manifest["datasets"])
    return ["rows", "totals"] if summed else ["rows"]
