"""Retention: what is kept too long is removed; the records of it stay."""

from dataclasses import dataclass
from datetime import timedelta

from engine.artifact_files import ArtifactFiles
from engine.clock import Clock
from engine.store.artifacts import ArtifactStore

# No attempt writes one file for so long: what is older and has no record was left by a kill.
_STRAY_AFTER = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Retention:
    """Purges the files of artifacts."""

    artifacts: ArtifactStore
    files: ArtifactFiles
    clock: Clock

    def purge(self, *, older_than: timedelta | None = None) -> int:
        """Delete the files of artifacts past their date, or older than `older_than`.

        Returns how many artifacts lost their file. The file goes first: a crash between the two
        leaves a record that the next purge finishes, never a file that nobody knows.
        """
        now = self.clock.now()
        made_before = None if older_than is None else now - older_than
        purged = 0
        while expired := self.artifacts.expired(now, made_before=made_before):
            for artifact in expired:
                self.files.delete(artifact.path)
                purged += self.artifacts.mark_deleted(artifact)
        self._purge_strays()
        return purged

    def _purge_strays(self) -> None:
        """Delete files without a record, which killed attempts left behind."""
        written_before = self.clock.now() - _STRAY_AFTER
        # Read before the folder is: a file that is recorded meanwhile is too young to be taken.
        known = self.artifacts.paths()
        for file in self.files.found():
            if file.modified_at < written_before and file.path not in known:
                self.files.delete(file.path)
