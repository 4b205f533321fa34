"""The spool: files are whole before they are stored, and kept until they are."""

import errno
import hashlib
import os
import tempfile
from pathlib import Path
from typing import BinaryIO

import pytest

from engine.artifact_files.faults import DiskFailed
from engine.artifact_files.spool import AttemptSpool, Spool
from tests.builders.disk import a_small_disk


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


def writing(data: bytes) -> object:
    def write(target: BinaryIO) -> int:
        target.write(data)
        return 1

    return write


def sealed(spool: AttemptSpool, data: bytes, **facts: object) -> None:
    spool.seal([spool.write("a.csv", "text/csv", writing(data))], facts)  # type: ignore[arg-type]


def everything(spool: Spool) -> list[str]:
    return sorted(
        path.relative_to(spool.folder).as_posix()
        for path in spool.folder.rglob("*")
        if path.is_file()
    )


def test_a_file_has_its_size_hash_and_rows_even_when_its_writer_went_back(spool: Spool) -> None:
    def write(target: BinaryIO) -> int:
        target.write(b"0000 rows")
        target.seek(0)
        target.write(b"0042")
        return 42

    file = spool.of("RUN", 1).write("a.csv", "text/csv", write)
    assert (file.name, file.media_type, file.rows, file.size) == ("a.csv", "text/csv", 42, 9)
    assert file.sha256 == hashlib.sha256(b"0042 rows").hexdigest()
    assert file.location.read_bytes() == b"0042 rows"


@pytest.mark.parametrize("error", [ValueError("bad row"), KeyboardInterrupt(), SystemExit(1)])
def test_a_writer_that_fails_midway_leaves_nothing(spool: Spool, error: BaseException) -> None:
    def write(target: BinaryIO) -> int:
        target.write(b"half")
        raise error

    with pytest.raises(type(error)):
        spool.of("RUN", 1).write("a.csv", "text/csv", write)
    assert everything(spool) == []


def test_a_full_disk_says_so_and_what_to_do(spool: Spool) -> None:
    def write(target: BinaryIO) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(DiskFailed, match=r"cannot write 'a.csv'.*No space left.*free space"):
        spool.of("RUN", 1).write("a.csv", "text/csv", write)
    assert everything(spool) == []


def test_a_writer_that_finds_no_room_for_what_it_puts_aside_has_that_disk_named(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(target: BinaryIO) -> int:
        with tempfile.TemporaryFile(buffering=0) as aside:
            for _ in range(300):
                aside.write(bytes(8192))
        return 0

    with a_small_disk(tmp_path / "aside", megabytes=1) as disk:
        monkeypatch.setattr(tempfile, "tempdir", str(disk.folder))
        disk.fill()
        with pytest.raises(DiskFailed, match=rf"in {disk.folder}: No space left"):
            spool.of("RUN", 1).write("a.csv", "text/csv", write)
    assert everything(spool) == []


def test_an_error_of_the_source_is_not_blamed_on_the_disk(spool: Spool, tmp_path: Path) -> None:
    def from_network(target: BinaryIO) -> int:
        raise ConnectionRefusedError(errno.ECONNREFUSED, "refused")

    def from_file(target: BinaryIO) -> int:
        raise PermissionError(errno.EACCES, "denied", str(tmp_path / "source.csv"))

    with pytest.raises(ConnectionRefusedError):
        spool.of("RUN", 1).write("a", "text/csv", from_network)
    with pytest.raises(PermissionError):
        spool.of("RUN", 1).write("a", "text/csv", from_file)


def test_the_next_attempt_finds_what_the_latest_one_sealed(spool: Spool) -> None:
    sealed(spool.of("RUN", 9), b"older", number=9)
    sealed(spool.of("RUN", 10), b"newer", number=10)
    spool.of("RUN", 11).write("a.csv", "text/csv", writing(b"never sealed"))  # type: ignore[arg-type]
    found = spool.of("RUN", 12).earlier()
    assert found is not None
    assert found.facts == {"number": 10}
    assert [file.location.read_bytes() for file in found.files] == [b"newer"]
    assert spool.of("OTHER", 1).earlier() is None


@pytest.mark.parametrize("damage", ["file", "missing file", "manifest", "missing manifest"])
def test_what_is_damaged_is_not_found(spool: Spool, damage: str) -> None:
    sealed(spool.of("RUN", 1), b"wallets")
    file = spool.folder / "RUN" / "1" / ("a.csv" if "file" in damage else "manifest.json")
    if "missing" in damage:
        file.unlink()
    else:
        file.write_bytes(b"wallats")
    assert spool.of("RUN", 2).earlier() is None


def test_a_manifest_of_another_version_is_not_found(spool: Spool) -> None:
    sealed(spool.of("RUN", 1), b"wallets")
    manifest = spool.folder / "RUN" / "1" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"format": 1', '"format": 2'))
    assert spool.of("RUN", 2).earlier() is None


def test_an_attempt_that_lost_its_run_seals_nothing_in_the_next_ones_place(spool: Spool) -> None:
    lost, next_ = spool.of("RUN", 1), spool.of("RUN", 2)
    file = lost.write("a.csv", "text/csv", writing(b"lost"))  # type: ignore[arg-type]
    next_.clear()
    with pytest.raises(DiskFailed):
        lost.seal([file], {})
    assert next_.earlier() is None


def test_nothing_of_a_run_is_left_when_it_is_discarded(spool: Spool) -> None:
    sealed(spool.of("RUN", 1), b"older")
    sealed(spool.of("RUN", 2), b"newer")
    sealed(spool.of("OTHER", 1), b"other")
    spool.discard("RUN")
    assert everything(spool) == ["OTHER/1/a.csv", "OTHER/1/manifest.json"]
    spool.discard("OTHER")
    spool.discard("OTHER")
    assert list(spool.runs()) == []


def test_the_spool_knows_what_it_holds(spool: Spool) -> None:
    sealed(spool.of("RUN", 1), b"x" * 100_000)
    spool.of("OTHER", 1).write("a", "text/csv", writing(b"y"))  # type: ignore[arg-type]
    other, run = spool.runs()
    assert (other.reference, run.reference) == ("OTHER", "RUN")
    assert run.size > 100_000 > other.size
    assert other.written_at >= run.written_at
