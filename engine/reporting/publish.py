"""Publishing: documents become files of a run, with their hashes and row counts on record.

First all of them are written whole on this machine, then they are stored and recorded one by one.
What cannot be stored stays here, so that the run's next attempt need not make it again.
"""

import logging
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from engine.artifact_files.files import ArtifactFiles
from engine.artifact_files.spool import AttemptSpool, Spool, SpooledFile
from engine.effects.faults import LeaseLost
from engine.errors import EngineError, Invalid
from engine.exporters.document import Document
from engine.exporters.exporter import Exporter
from engine.exporters.formats import UnknownFormat
from engine.store.artifacts import Artifact, ArtifactStore, NewArtifact
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

    def _write(
        self, spool: AttemptSpool, name: str, format_name: str, document: Document
    ) -> SpooledFile:
        if format_name not in self.exporters:
            raise UnknownFormat(name=format_name, known=", ".join(self.exporters))
        exporter = self.exporters[format_name]
        return spool.write(
            f"{name}{exporter.suffix}", exporter.media_type, partial(exporter.write, document)
        )

    def _store(self, run_id: int, file: SpooledFile, claim: Claim | None, tell: Tell) -> Artifact:
        for known in self.artifacts.list(run_id=run_id, name=file.name, limit=1):
            if known.sha256 == file.sha256:
                return known
        # A folder of its own for every storing, so that no file is ever overwritten: the record
        # alone decides which one counts.
        path = f"{run_id}/{secrets.token_hex(6)}/{file.name}"
        self.files.put(file, path, tell=tell)
        recorded = self.artifacts.add(
            NewArtifact(
                run_id=run_id,
                name=file.name,
                media_type=file.media_type,
                size=file.size,
                sha256=file.sha256,
                rows=file.rows,
                path=path,
            ),
            keep_for=self.keep_for,
            claim=claim,
        )
        # Had the ledger failed, nobody could say whether it kept the record: the file stays then,
        # and retention takes it if there is no record.
        if recorded is None:
            self._delete(path)
            raise LeaseLost(run_id=run_id, attempt=claim.attempt if claim else None)
        if recorded.replaced_path is not None:
            self._delete(recorded.replaced_path)
        return recorded.artifact

    def _delete(self, path: str) -> None:
        """Delete a file that no record names; if it cannot be, retention does it later."""
        try:
            self.files.delete(path)
        except EngineError as error:
            logger.warning(
                "a file was left to retention", extra={"path": path, "error": str(error)}
            )
