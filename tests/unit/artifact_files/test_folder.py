"""A folder as a storage: nothing half done is left, and no link leads out."""

import errno
import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.artifact_files.faults import (
    DiskFailed,
    FileDamaged,
    PathEscapes,
    StorageUnsupported,
)
from engine.artifact_files.folder import Folder
from tests.builders.spool import a_spooled_file


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "artifacts"


@pytest.fixture
def folder(root: Path) -> Folder:
    return Folder(f"file://{root}")


def everything(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*"))


def test_only_the_file_is_left(folder: Folder, root: Path, tmp_path: Path) -> None:
    folder.put(a_spooled_file(tmp_path), "7/ab/breaks.csv")
    assert everything(root) == ["7", "7/ab", "7/ab/breaks.csv"]


def test_a_failed_put_leaves_the_file_of_before_as_it_was(
    folder: Folder, root: Path, tmp_path: Path
) -> None:
    folder.put(a_spooled_file(tmp_path, b"before"), "a")
    with pytest.raises(FileDamaged):
        folder.put(replace(a_spooled_file(tmp_path, b"after"), sha256="0" * 64), "a")
    assert (root / "a").read_bytes() == b"before"
    assert everything(root) == ["a"]


def test_a_full_disk_says_so_and_what_to_do(
    folder: Folder, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = a_spooled_file(tmp_path)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFailed, match=r"cannot write 'a.csv'.*No space left.*free space"):
        folder.put(file, "a.csv")
    assert everything(root) == []


def test_a_folder_that_is_a_file_says_so(folder: Folder, root: Path, tmp_path: Path) -> None:
    folder.put(a_spooled_file(tmp_path), "7")
    with pytest.raises(DiskFailed, match="cannot write '7/a'"):
        folder.put(a_spooled_file(tmp_path), "7/a")
    assert everything(root) == ["7"]


def test_a_file_that_left_the_spool_is_not_blamed_on_the_disk_of_the_artifacts(
    folder: Folder, root: Path, tmp_path: Path
) -> None:
    file = a_spooled_file(tmp_path)
    shutil.rmtree(tmp_path / "spool")
    with pytest.raises(FileNotFoundError):
        folder.put(file, "7/a")
    assert everything(root) == []


def test_a_symbolic_link_may_not_lead_out_of_the_root(
    folder: Folder, root: Path, tmp_path: Path
) -> None:
    root.mkdir()
    (root / "out").symlink_to(tmp_path)
    (tmp_path / "secret").write_text("no")
    with pytest.raises(PathEscapes):
        folder.open("out/secret")


def test_deleting_takes_the_empty_folders_along(folder: Folder, root: Path, tmp_path: Path) -> None:
    folder.put(a_spooled_file(tmp_path), "7/ab/a")
    folder.put(a_spooled_file(tmp_path), "7/cd/b")
    folder.delete("7/ab/a")
    assert everything(root) == ["7", "7/cd", "7/cd/b"]
    folder.delete("7/cd/b")
    assert everything(root) == []


def test_what_was_never_finished_is_not_found_and_goes_once_it_is_old(
    folder: Folder, root: Path, tmp_path: Path
) -> None:
    folder.put(a_spooled_file(tmp_path), "7/a")
    left = root / "7/b.0f.partial"
    left.write_bytes(b"half")
    now = datetime.now(UTC)
    assert [file.path for file in folder.found()] == ["7/a"]
    assert folder.delete_unfinished(now - timedelta(hours=1)) == 0
    assert left.exists()
    assert folder.delete_unfinished(now + timedelta(hours=1)) == 1
    assert everything(root) == ["7", "7/a"]


@pytest.mark.parametrize("url", ["file://var/artifacts", "var"])
def test_a_folder_must_be_absolute(url: str) -> None:
    with pytest.raises(StorageUnsupported, match="absolute folder"):
        Folder(url)


def test_a_root_is_taken_as_it_is_written(tmp_path: Path) -> None:
    root = tmp_path / "my #1 100%25 files?"
    Folder(f"file://{root}").put(a_spooled_file(tmp_path, b"a"), "a")
    assert (root / "a").read_bytes() == b"a"
