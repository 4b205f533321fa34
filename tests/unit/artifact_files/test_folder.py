"""Files are published whole or not at all, and never outside their root."""

import errno
import hashlib
import os
from pathlib import Path
from typing import BinaryIO

import pytest

from engine.artifact_files import (
    ArtifactFiles,
    FileMissing,
    PathEscapes,
    StorageFailed,
    StorageUnsupported,
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "artifacts"


@pytest.fixture
def files(root: Path) -> ArtifactFiles:
    return ArtifactFiles(f"file://{root}")


def everything(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*"))


def test_a_published_file_has_its_size_and_hash(files: ArtifactFiles, root: Path) -> None:
    stored = files.publish("7/ab/breaks.csv", lambda target: target.write(b"wallet\r\n"))
    assert stored.path == "7/ab/breaks.csv"
    assert stored.size == 8
    assert stored.sha256 == hashlib.sha256(b"wallet\r\n").hexdigest()
    assert everything(root) == ["7", "7/ab", "7/ab/breaks.csv"]
    with files.open(stored.path) as source:
        assert source.read() == b"wallet\r\n"


def test_nobody_sees_the_file_before_it_is_whole(files: ArtifactFiles, root: Path) -> None:
    def write(target: BinaryIO) -> None:
        target.write(b"half")
        target.flush()
        assert not (root / "a.csv").exists()

    files.publish("a.csv", write)
    assert (root / "a.csv").read_bytes() == b"half"


def test_the_hash_is_of_the_file_even_when_its_writer_went_back(files: ArtifactFiles) -> None:
    def write(target: BinaryIO) -> None:
        target.write(b"0000 rows")
        target.seek(0)
        target.write(b"0042")

    stored = files.publish("a", write)
    assert stored.sha256 == hashlib.sha256(b"0042 rows").hexdigest()


@pytest.mark.parametrize("error", [ValueError("bad row"), KeyboardInterrupt(), SystemExit(1)])
def test_a_writer_that_fails_midway_leaves_nothing(
    files: ArtifactFiles, root: Path, error: BaseException
) -> None:
    def write(target: BinaryIO) -> None:
        target.write(b"half")
        raise error

    with pytest.raises(type(error)):
        files.publish("7/a.csv", write)
    assert everything(root) == []


def test_a_failed_writing_leaves_the_file_of_before_as_it_was(
    files: ArtifactFiles, root: Path
) -> None:
    files.publish("a", lambda target: target.write(b"before"))

    def write(target: BinaryIO) -> None:
        target.write(b"after")
        raise ValueError("no more rows")

    with pytest.raises(ValueError, match="no more rows"):
        files.publish("a", write)
    assert (root / "a").read_bytes() == b"before"
    assert everything(root) == ["a"]


def test_a_full_disk_says_so_and_what_to_do(files: ArtifactFiles, root: Path) -> None:
    def write(target: BinaryIO) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(StorageFailed, match=r"cannot write 'a.csv'.*No space left.*free space"):
        files.publish("a.csv", write)
    assert everything(root) == []


def test_a_folder_that_is_a_file_says_so(files: ArtifactFiles, root: Path) -> None:
    files.publish("7", lambda target: target.write(b"in the way"))
    with pytest.raises(StorageFailed, match="cannot write '7/a'"):
        files.publish("7/a", lambda target: target.write(b"x"))
    assert everything(root) == ["7"]


def test_an_error_of_the_source_is_not_blamed_on_the_disk(
    files: ArtifactFiles, tmp_path: Path
) -> None:
    def from_network(target: BinaryIO) -> None:
        raise ConnectionRefusedError(errno.ECONNREFUSED, "refused")

    def from_file(target: BinaryIO) -> None:
        raise PermissionError(errno.EACCES, "denied", str(tmp_path / "source.csv"))

    with pytest.raises(ConnectionRefusedError):
        files.publish("a", from_network)
    with pytest.raises(PermissionError):
        files.publish("a", from_file)


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../a", "a/../../b", "a/", "a\\b", "a\0b", ".", ".."]
)
def test_a_path_may_not_leave_the_root(files: ArtifactFiles, path: str) -> None:
    with pytest.raises(PathEscapes):
        files.publish(path, lambda target: target.write(b"x"))
    with pytest.raises(PathEscapes):
        files.open(path)
    with pytest.raises(PathEscapes):
        files.delete(path)


def test_a_symbolic_link_may_not_lead_out_of_the_root(
    files: ArtifactFiles, root: Path, tmp_path: Path
) -> None:
    root.mkdir()
    (root / "out").symlink_to(tmp_path)
    (tmp_path / "secret").write_text("no")
    with pytest.raises(PathEscapes):
        files.open("out/secret")


def test_deleting_takes_the_empty_folders_along_and_can_be_done_twice(
    files: ArtifactFiles, root: Path
) -> None:
    files.publish("7/ab/a", lambda target: target.write(b"a"))
    files.publish("7/cd/b", lambda target: target.write(b"b"))
    assert files.delete("7/ab/a") is True
    assert files.delete("7/ab/a") is False
    assert everything(root) == ["7", "7/cd", "7/cd/b"]
    assert files.delete("7/cd/b") is True
    assert everything(root) == []


def test_a_missing_file_is_named(files: ArtifactFiles) -> None:
    with pytest.raises(FileMissing, match=r"'7/a\.csv' is not in"):
        files.open("7/a.csv")


def test_every_file_is_found_even_an_unfinished_one(files: ArtifactFiles, root: Path) -> None:
    files.publish("7/a", lambda target: target.write(b"a"))
    (root / "7/b.partial").write_bytes(b"half")
    assert [file.path for file in files.found()] == ["7/a", "7/b.partial"]


@pytest.mark.parametrize("url", ["s3://bucket/prefix", "file://var/artifacts", "var", "sftp://h/x"])
def test_storage_that_is_not_built_yet_is_refused(url: str) -> None:
    with pytest.raises(StorageUnsupported, match="absolute folder"):
        ArtifactFiles(url)


def test_a_root_is_taken_as_it_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "my #1 100%25 files?"
    ArtifactFiles(f"file://{folder}").publish("a", lambda target: target.write(b"a"))
    assert (folder / "a").read_bytes() == b"a"
