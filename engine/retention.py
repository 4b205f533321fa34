"""Retention: what is kept too long is removed; the records of it stay."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

from engine.artifact_files.files import ArtifactFiles
from engine.artifact_files.spool import Spool, SpooledRun
from engine.artifact_files.storage import FoundFile
from engine.clock import Clock
from engine.states import UNFINISHED_RUNS, RunState
from engine.store.artifacts import ArtifactStore
from engine.store.runs import RunStore

# No attempt writes one file for so long: what is older and has no record was left by a kill.
_STRAY_AFTER = timedelta(days=1)
# What all runs that wait for the storage may keep on this machine, in bytes.
_LARGEST_SPOOL = 4 * 1024**3
_PAGE = 1_000


@dataclass(frozen=True, kw_only=True)
class Retention:
    """Purges the files of artifacts, and this machine's spool."""

    artifacts: ArtifactStore
    runs: RunStore
    files: ArtifactFiles
    spool: Spool
    clock: Clock
    largest_spool: int = _LARGEST_SPOOL

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
                for path in artifact.paths:
                    self.files.delete(path)
                purged += self.artifacts.mark_deleted(artifact)
        self._purge_strays()
        return purged

    def purge_spool(self) -> int:
        """Delete what is kept here for runs that need it no more; returns of how many runs.

        A run that ended needs nothing; one that waits longer than a day, or for whose files there
        is no room, reads its sources again.
        """
        kept = list(self.spool.runs())
        if not kept:
            return 0
        states = self.runs.states([each.reference for each in kept])
        purged = [each for each in kept if self._is_over(each, states.get(each.reference))]
        waiting = [
            each
            for each in kept
            if each not in purged and states.get(each.reference) is not RunState.RUNNING
        ]
        room = self.largest_spool - sum(each.size for each in kept if each not in purged)
        for oldest in sorted(waiting, key=lambda each: each.written_at):
            if room >= 0:
                break
            purged.append(oldest)
            room += oldest.size
        for each in purged:
            self.spool.discard(each.reference)
        return len(purged)

    def _is_over(self, spooled: SpooledRun, state: RunState | None) -> bool:
        if state is not None and state not in UNFINISHED_RUNS:
            return True
        old = spooled.written_at < self.clock.now() - _STRAY_AFTER
        return old and state is not RunState.RUNNING

    def _purge_strays(self) -> None:
        """Delete files without a record, which killed attempts left behind."""
        written_before = self.clock.now() - _STRAY_AFTER
        old = (file for file in self.files.found() if file.modified_at < written_before)
        for page in _pages(old):
            known = self.artifacts.recorded([file.path for file in page])
            for file in page:
                if file.path not in known:
                    self.files.delete(file.path)
        self.files.delete_unfinished(written_before)


def _pages(files: Iterable[FoundFile]) -> Iterator[Sequence[FoundFile]]:
    files = iter(files)
    while page := list(islice(files, _PAGE)):
        yield page
