"""A publisher on a folder of a test's own, with its spool beside it."""

from datetime import timedelta
from pathlib import Path

from engine.artifact_files.files import ArtifactFiles
from engine.artifact_files.folder import Folder
from engine.artifact_files.spool import Spool
from engine.clock import Clock
from engine.exporters.document import Document
from engine.exporters.formats import EXPORTERS
from engine.reporting.publish import KEEP_FOR, Publisher
from engine.store.artifacts import Artifact, ArtifactStore
from engine.store.database import Database
from engine.store.run import Claim
from tests.builders.clock import FakeClock


def a_publisher(
    folder: Path,
    database: Database,
    clock: Clock | None = None,
    *,
    keep_for: timedelta | None = KEEP_FOR,
) -> Publisher:
    """A publisher whose files are in `folder`/artifacts."""
    return Publisher(
        files=ArtifactFiles(storage=Folder(f"file://{folder / 'artifacts'}")),
        spool=Spool(folder / "spool"),
        artifacts=ArtifactStore(database, clock or FakeClock()),
        exporters=EXPORTERS,
        keep_for=keep_for,
    )


def publish(
    publisher: Publisher,
    run_id: int,
    document: Document,
    format_name: str = "csv",
    *,
    name: str = "people",
    claim: Claim | None = None,
) -> Artifact:
    """Write one document and store it, as an attempt does."""
    spool = publisher.spool.of(f"RUN{run_id}", 1)
    files = publisher.write(spool, name, [(format_name, document)])
    (artifact,) = publisher.store(run_id, files, claim=claim)
    publisher.spool.discard(f"RUN{run_id}")
    return artifact
