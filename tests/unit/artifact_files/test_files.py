"""Files: a storage that stumbles is asked again, with growing waits, and not for ever."""

import logging
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import pytest

from engine.artifact_files.faults import StorageRefused, StorageUnreachable
from engine.artifact_files.files import ArtifactFiles
from engine.artifact_files.folder import Folder
from engine.artifact_files.spool import SpooledFile
from engine.artifact_files.storage import FoundFile
from tests.builders.spool import a_spooled_file


class Stumbling:
    """A folder that fails so many times first."""

    shown = "s3://bucket"

    def __init__(self, folder: Folder, error: Exception, times: int) -> None:
        self.folder = folder
        self.error = error
        self.left = times

    def put(self, file: SpooledFile, path: str) -> None:
        self._stumble()
        self.folder.put(file, path)

    def open(self, path: str) -> BinaryIO:
        self._stumble()
        return self.folder.open(path)

    def delete(self, path: str) -> None:
        self._stumble()
        self.folder.delete(path)

    def found(self) -> Iterator[FoundFile]:
        return self.folder.found()

    def delete_unfinished(self, begun_before: datetime) -> int:
        return self.folder.delete_unfinished(begun_before)

    def close(self) -> None:
        """Nothing."""

    def _stumble(self) -> None:
        self.left -= 1
        if self.left >= 0:
            raise self.error


AWAY = StorageUnreachable(url="s3://bucket", reason="SlowDown")


def files_on(tmp_path: Path, error: Exception, times: int) -> tuple[ArtifactFiles, list[float]]:
    waits: list[float] = []
    storage = Stumbling(Folder(f"file://{tmp_path / 'artifacts'}"), error, times)
    return ArtifactFiles(storage=storage, sleep=waits.append), waits


def test_a_storage_that_stumbles_gets_the_file_from_the_spool_in_the_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files, waits = files_on(tmp_path, AWAY, 4)
    told: list[str] = []
    with caplog.at_level(logging.INFO, "engine.storage"):
        files.put(a_spooled_file(tmp_path, b"whole"), "7/a", tell=told.append)
    with files.open("7/a") as source:
        assert source.read() == b"whole"
    assert [record.tries for record in caplog.records] == [1, 2, 3, 4]  # type: ignore[attr-defined]
    assert told[-1] == "the storage does not answer; try 5 of 5"
    for wait, longest in zip(waits, (0.5, 1, 2, 4), strict=True):
        assert longest / 2 <= wait <= longest


def test_a_storage_that_stays_away_is_an_error(tmp_path: Path) -> None:
    files, waits = files_on(tmp_path, AWAY, 5)
    with pytest.raises(StorageUnreachable, match="s3://bucket does not answer: SlowDown"):
        files.put(a_spooled_file(tmp_path), "7/a")
    assert len(waits) == 4
    assert list(files.found()) == []


def test_a_storage_that_refuses_is_not_asked_again(tmp_path: Path) -> None:
    files, waits = files_on(tmp_path, StorageRefused(url="s3://bucket", reason="AccessDenied"), 1)
    with pytest.raises(StorageRefused, match="refuses: AccessDenied"):
        files.put(a_spooled_file(tmp_path), "7/a")
    assert waits == []


def test_reading_and_deleting_are_tried_again_too(tmp_path: Path) -> None:
    files, waits = files_on(tmp_path, AWAY, 2)
    files.put(a_spooled_file(tmp_path, b"whole"), "7/a")
    files.storage.left = 1  # type: ignore[attr-defined]
    files.open("7/a").close()
    files.storage.left = 1  # type: ignore[attr-defined]
    files.delete("7/a")
    assert len(waits) == 4
    assert list(files.found()) == []
