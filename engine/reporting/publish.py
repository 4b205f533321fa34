"""Publishing: a document becomes a file of a run, with its hash and row count on record."""

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import BinaryIO

from engine.artifact_files import ArtifactFiles
from engine.effects import LeaseLost
from engine.errors import Invalid
from engine.exporters.document import Document
from engine.exporters.exporter import Exporter
from engine.exporters.formats import UnknownFormat
from engine.store.artifacts import Artifact, ArtifactStore, NewArtifact
from engine.store.run import Claim

KEEP_FOR = timedelta(days=90)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,150}")


class BadArtifactName(Invalid):
    """A file name that some disk, browser or shell would trip over."""

    message = "{name!r} cannot name a file; use letters, digits, '.', '_' and '-'"


@dataclass(frozen=True, kw_only=True)
class Publisher:
    """Writes documents for one run after the other; files are whole before they are listed."""

    files: ArtifactFiles
    artifacts: ArtifactStore
    exporters: Mapping[str, Exporter]
    keep_for: timedelta | None = KEEP_FOR

    def publish(
        self,
        run_id: int,
        name: str,
        document: Document,
        format_name: str,
        *,
        claim: Claim | None = None,
    ) -> Artifact:
        """Write `document` as `<name>.<suffix>` of a run and put it on record.

        Publishing the same name again, as a retried attempt does, replaces the file: whoever
        looks sees the old one or the new one, each with its own hash. With a `claim`, an attempt
        that lost its run puts nothing on record: LeaseLost.
        """
        exporter = self._exporter(format_name)
        if not _NAME.fullmatch(name):
            raise BadArtifactName(name=name)
        file_name = f"{name}{exporter.suffix}"
        # A folder of its own for every publishing, so that no file is ever overwritten: the
        # record alone decides which one counts.
        path = f"{run_id}/{secrets.token_hex(6)}/{file_name}"
        counted: list[int] = []
        stored = self.files.publish(path, partial(_write, exporter, document, counted))
        recorded = self.artifacts.add(
            NewArtifact(
                run_id=run_id,
                name=file_name,
                media_type=exporter.media_type,
                size=stored.size,
                sha256=stored.sha256,
                rows=counted[0],
                path=stored.path,
            ),
            keep_for=self.keep_for,
            claim=claim,
        )
        # Had the ledger failed, nobody could say whether it kept the record: the file stays then,
        # and retention takes it if there is no record.
        if recorded is None:
            self.files.delete(stored.path)
            raise LeaseLost(run_id=run_id, attempt=claim.attempt if claim else None)
        if recorded.replaced_path is not None:
            self.files.delete(recorded.replaced_path)
        return recorded.artifact

    def publish_all(
        self,
        run_id: int,
        name: str,
        documents: Iterable[tuple[str, Document]],
        *,
        claim: Claim | None = None,
    ) -> Sequence[Artifact]:
        """Publish (format, document) pairs under one name, in their order."""
        return [
            self.publish(run_id, name, document, format_name, claim=claim)
            for format_name, document in documents
        ]

    def _exporter(self, format_name: str) -> Exporter:
        if format_name not in self.exporters:
            raise UnknownFormat(name=format_name, known=", ".join(self.exporters))
        return self.exporters[format_name]


def _write(exporter: Exporter, document: Document, counted: list[int], target: BinaryIO) -> None:
    counted.append(exporter.write(document, target))
