"""Publishing: documents become files of a run, with their hashes and row counts on record.

First all of them are written whole on this machine, then they are stored and recorded one by one.
What cannot be stored stays here, so that the run's next attempt need not make it again.
"""

import logging
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from engine.artifact_files.files import ArtifactFiles
from engine.artifact_files.spool import AttemptSpool, Spool, SpooledFile
from engine.effects.faults import LeaseLost
from engine.errors import EngineError, Invalid
from engine.exporters.document import Document
from engine.exporters.exporter import Exporter
from engine.exporters.formats import UnknownFormat
from engine.reporting.manifest import ReportFacts
from engine.reporting.proof import Dataset, ProofFailed, said_of
from engine.reporting.proven import ProvenFile, SealedReport, manifest_file, proven, seal, unsealed
from engine.store.artifacts import (
    MANIFEST_SUFFIX,
    Artifact,
    ArtifactStore,
    NewArtifact,
    VersionTaken,
)
from engine.store.run import Claim

logger = logging.getLogger("engine.storage")

KEEP_FOR = timedelta(days=90)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,150}")

Tell = Callable[[str], None]


class BadArtifactName(Invalid):
    """A file name that some disk, browser or shell would trip over."""

    message = "{name!r} cannot name a file; use letters, digits, '.', '_' and '-'"


def _silent(note: str) -> None:
    """Nobody is watching."""


@dataclass(frozen=True, kw_only=True)
class Publisher:
    """Writes documents, stores and records them; files are whole before they are listed."""

    files: ArtifactFiles
    spool: Spool
    artifacts: ArtifactStore
    exporters: Mapping[str, Exporter]
    keep_for: timedelta | None = KEEP_FOR

    def write(
        self, spool: AttemptSpool, name: str, documents: Iterable[tuple[str, Document]]
    ) -> Sequence[SpooledFile]:
        """Write (format, document) pairs as `<name>.<suffix>`, in their order, into the spool."""
        if not _NAME.fullmatch(name):
            raise BadArtifactName(name=name)
        return [self._write(spool, name, *each) for each in documents]

    def store(
        self,
        run_id: int,
        files: Iterable[SpooledFile],
        *,
        claim: Claim | None = None,
        tell: Tell = _silent,
    ) -> Sequence[Artifact]:
        """Store files of a run and put each on record.

        Storing the same name again, as a retried attempt does, replaces the file: whoever looks
        sees the old one or the new one, each with its own hash. What is on record as it is here
        is not stored twice. With a `claim`, an attempt that lost its run puts nothing on record:
        LeaseLost.
        """
        return [self._store(run_id, file, claim, tell) for file in files]

    def write_report(
        self,
        spool: AttemptSpool,
        name: str,
        documents: Iterable[tuple[str, Document]],
        facts: ReportFacts,
        datasets: Sequence[Dataset],
    ) -> Sequence[ProvenFile]:
        """Write a report's (format, document) pairs, and read each file again.

        `name` has neither suffix nor version. A file that is not what was read says so, and is put
        into quarantine once it is stored.
        """
        return [
            proven(file, format_name, facts, datasets)
            for format_name, document in documents
            for file in self.write(spool, name, [(format_name, document)])
        ]

    def seal_report(
        self, spool: AttemptSpool, files: Sequence[ProvenFile], facts: Mapping[str, Any]
    ) -> SealedReport:
        """Say that these are all files of the attempt: a later one has only to store them."""
        return seal(spool, files, facts)

    def earlier_report(self, spool: AttemptSpool) -> SealedReport | None:
        """What an earlier attempt sealed, if every file of it is still as it was written."""
        return unsealed(spool.earlier())

    def store_report(
        self,
        run_id: int,
        files: Iterable[ProvenFile],
        *,
        claim: Claim,
        tell: Tell = _silent,
    ) -> Sequence[Artifact]:
        """Store a report's files and put each on record, as a version of its series.

        Raises ProofFailed, once all are stored, if any of them had to go into quarantine.
        """
        files = list(files)
        stored = [
            self._quarantine(run_id, each, claim, tell)
            if each.problems
            else self._store_version(run_id, each, claim, tell)
            for each in files
        ]
        problems = [each.problems for each in files if each.problems]
        if problems:
            raise ProofFailed(files=len(problems), problems=said_of(problems))
        return stored

    def _write(
        self, spool: AttemptSpool, name: str, format_name: str, document: Document
    ) -> SpooledFile:
        if format_name not in self.exporters:
            raise UnknownFormat(name=format_name, known=", ".join(self.exporters))
        exporter = self.exporters[format_name]
        return spool.write(
            f"{name}{exporter.suffix}", exporter.media_type, partial(exporter.write, document)
        )

    def _store_version(self, run_id: int, proven: ProvenFile, claim: Claim, tell: Tell) -> Artifact:
        while True:
            version = self.artifacts.next_version(proven.series, run_id)
            name = proven.named(version)
            try:
                return self._store(run_id, proven.file, claim, tell, proven, name, version)
            except VersionTaken:
                continue  # by another run, meanwhile

    def _quarantine(self, run_id: int, proven: ProvenFile, claim: Claim, tell: Tell) -> Artifact:
        name = proven.quarantined_name(claim.attempt)
        return self._store(run_id, proven.file, claim, tell, proven, name)

    def _store(
        self,
        run_id: int,
        file: SpooledFile,
        claim: Claim | None,
        tell: Tell,
        proven: ProvenFile | None = None,
        name: str | None = None,
        version: int = 1,
    ) -> Artifact:
        file = replace(file, name=name or file.name)
        for known in self.artifacts.list(run_id=run_id, name=file.name, limit=1, quarantined=None):
            if known.sha256 == file.sha256:
                return known
        # A folder of its own for every storing, so that no file is ever overwritten: the record
        # alone decides which one counts.
        path = f"{run_id}/{secrets.token_hex(6)}/{file.name}"
        new = NewArtifact(
            run_id=run_id,
            name=file.name,
            media_type=file.media_type,
            size=file.size,
            sha256=file.sha256,
            rows=file.rows,
            path=path,
            version=version,
        )
        if proven is not None:
            manifest = {**proven.manifest, "name": file.name, "version": version}
            new = replace(
                new,
                report=manifest["report"],
                series=proven.series,
                manifest=manifest,
                quarantined=proven.problems,
            )
            beside = manifest_file(file, manifest)
            self.files.put(beside, f"{path}{MANIFEST_SUFFIX}", tell=tell)
        self.files.put(file, path, tell=tell)
        return self._record(new, claim)

    def _record(self, new: NewArtifact, claim: Claim | None) -> Artifact:
        try:
            recorded = self.artifacts.add(new, keep_for=self.keep_for, claim=claim)
        except VersionTaken:
            self._delete(*new.paths)
            raise
        # Had the ledger failed, nobody could say whether it kept the record: the file stays then,
        # and retention takes it if there is no record.
        if recorded is None:
            self._delete(*new.paths)
            raise LeaseLost(run_id=new.run_id, attempt=claim.attempt if claim else None)
        self._delete(*recorded.replaced_paths)
        return recorded.artifact

    def _delete(self, *paths: str) -> None:
        """Delete files that no record names; what cannot be, retention does later."""
        for path in paths:
            try:
                self.files.delete(path)
            except EngineError as error:
                logger.warning(
                    "a file was left to retention", extra={"path": path, "error": str(error)}
                )
