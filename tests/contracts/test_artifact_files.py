"""Every kind of storage keeps the same word: whole or not at all, and never outside its root."""

import hashlib
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.artifact_files.faults import FileDamaged, FileMissing, PathEscapes
from engine.artifact_files.files import ArtifactFiles
from tests.builders.spool import a_spooled_file

LONG = bytes(range(256)) * 4 * 1024 * 40  # 40 MiB: three parts of an upload in parts


def found(files: ArtifactFiles) -> list[str]:
    return sorted(file.path for file in files.found())


@pytest.mark.parametrize("data", [b"", b"wallet\r\n", LONG], ids=["empty", "short", "long"])
def test_a_file_comes_back_as_it_was_put(files: ArtifactFiles, tmp_path: Path, data: bytes) -> None:
    files.put(a_spooled_file(tmp_path, data), "7/ab/breaks.csv")
    with files.open("7/ab/breaks.csv") as source:
        digest = hashlib.file_digest(source, "sha256")  # type: ignore[arg-type]
    assert digest.hexdigest() == hashlib.sha256(data).hexdigest()
    assert found(files) == ["7/ab/breaks.csv"]


def test_any_part_of_a_file_can_be_read(files: ArtifactFiles, tmp_path: Path) -> None:
    files.put(a_spooled_file(tmp_path, b"0123456789"), "a")
    with files.open("a") as source:
        assert source.seek(-3, io.SEEK_END) == 7
        assert source.read() == b"789"
        source.seek(2)
        assert source.read(3) == b"234"
        assert source.tell() == 5


def test_a_file_that_is_put_again_replaces_the_one_of_before(
    files: ArtifactFiles, tmp_path: Path
) -> None:
    files.put(a_spooled_file(tmp_path, b"a longer one"), "7/a")
    files.put(a_spooled_file(tmp_path, b"short"), "7/a")
    with files.open("7/a") as source:
        assert source.read() == b"short"
    assert found(files) == ["7/a"]


@pytest.mark.parametrize("data", [b"short", LONG], ids=["short", "long"])
def test_a_file_that_changed_in_the_spool_is_not_stored(
    files: ArtifactFiles, tmp_path: Path, data: bytes
) -> None:
    damaged = replace(a_spooled_file(tmp_path, data), sha256="0" * 64)
    with pytest.raises(FileDamaged):
        files.put(damaged, "7/a")
    assert found(files) == []
    assert files.delete_unfinished(datetime.now(UTC) + timedelta(days=1)) == 0


def test_deleting_can_be_done_twice(files: ArtifactFiles, tmp_path: Path) -> None:
    files.put(a_spooled_file(tmp_path), "7/ab/a")
    files.put(a_spooled_file(tmp_path), "7/cd/b")
    for _ in range(2):
        files.delete("7/ab/a")
    assert found(files) == ["7/cd/b"]


def test_a_missing_file_is_named(files: ArtifactFiles) -> None:
    with pytest.raises(FileMissing, match=r"'7/a\.csv' is not in"):
        files.open("7/a.csv").read()


def test_a_storage_that_holds_nothing_is_empty(files: ArtifactFiles) -> None:
    assert found(files) == []
    assert files.delete_unfinished(datetime.now(UTC)) == 0


def test_many_files_are_all_found_with_the_time_of_their_writing(
    files: ArtifactFiles, tmp_path: Path
) -> None:
    began_at = datetime.now(UTC) - timedelta(seconds=2)  # some storages cut the fraction off
    file = a_spooled_file(tmp_path)
    paths = [f"{run}/ab/a {number}.csv" for run in range(3) for number in range(5)]
    for path in paths:
        files.put(file, path)
    listed = list(files.found())
    assert sorted(each.path for each in listed) == sorted(paths)
    assert all(began_at <= each.modified_at <= datetime.now(UTC) for each in listed)


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../a", "a/../../b", "a/", "a\\b", "a\0b", ".", ".."]
)
def test_a_path_may_not_leave_the_root(files: ArtifactFiles, tmp_path: Path, path: str) -> None:
    with pytest.raises(PathEscapes):
        files.put(a_spooled_file(tmp_path), path)
    with pytest.raises(PathEscapes):
        files.open(path)
    with pytest.raises(PathEscapes):
        files.delete(path)
