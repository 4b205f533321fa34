"""Artifacts at an SSH server that is unknown, refuses, breaks off, is full or lacks extensions."""

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.artifact_files.faults import (
    MissingClient,
    StorageRefused,
    StorageUnreachable,
    StorageUnsupported,
)
from engine.artifact_files.files import ArtifactFiles
from engine.artifact_files.storages import open_storage
from tests.builders.disk import a_small_disk
from tests.builders.sftp import SftpServer, start_sftp
from tests.builders.spool import a_spooled_file

LONG = b"wallet\r\n" * 500_000  # 4 MB

Opened = Callable[..., ArtifactFiles]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SftpServer]:
    """A server that the test may stop."""
    server = start_sftp(tmp_path / "sftp")
    yield server
    server.stop()


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Opens storages, and closes them."""
    all_: list[ArtifactFiles] = []

    def open_(url: str, sleep: Callable[[float], None] = lambda _: None) -> ArtifactFiles:
        all_.append(ArtifactFiles(storage=open_storage(url), sleep=sleep))
        return all_[-1]

    yield open_
    for each in all_:
        each.close()


def everything(server: SftpServer) -> list[str]:
    return sorted(
        each.relative_to(server.files).as_posix()
        for each in server.files.rglob("*")
        if each.is_file()
    )


def test_a_server_that_is_not_known_gets_nothing(
    server: SftpServer, opened: Opened, tmp_path: Path
) -> None:
    server.known_hosts.write_text("")
    with pytest.raises(StorageRefused) as refused:
        opened(server.url()).put(a_spooled_file(tmp_path), "7/a")
    command = f"`ssh-keyscan -p {server.port} 127.0.0.1 >> {server.known_hosts}`"
    assert command in str(refused.value)
    assert "SHA256:" in str(refused.value)
    assert everything(server) == []


def test_a_server_with_another_key_than_before_gets_nothing(
    server: SftpServer, opened: Opened, tmp_path: Path
) -> None:
    server.stop()
    server.new_host_key()
    server.start()
    with pytest.raises(StorageRefused, match=r"not the one in .*; somebody may be in between"):
        opened(server.url()).put(a_spooled_file(tmp_path), "7/a")
    assert everything(server) == []


def test_a_file_of_known_keys_that_is_not_there_is_named(
    server: SftpServer, opened: Opened, tmp_path: Path
) -> None:
    server.known_hosts.unlink()
    with pytest.raises(StorageUnsupported, match=rf"there is no file {server.known_hosts}"):
        opened(server.url()).put(a_spooled_file(tmp_path), "7/a")


@pytest.mark.parametrize(
    ("user", "lets_in"),
    [("tester:secret", True), ("tester:wr%40ng-one", False), ("nobody", False)],
)
def test_who_may_not_come_in_is_named_without_the_password(
    server: SftpServer, opened: Opened, tmp_path: Path, user: str, lets_in: bool
) -> None:
    url = server.url(user=user).replace("identity=", "identity=" if user == "nobody" else "x=")
    url = url.replace(f"x={server.identity}&", "")
    files = opened(url)
    if lets_in:
        files.put(a_spooled_file(tmp_path), "7/a")
        assert everything(server) == ["artifacts/7/a"]
        return
    with pytest.raises(StorageRefused) as refused:
        files.put(a_spooled_file(tmp_path), "7/a")
    assert f"does not let {user.partition(':')[0]} in" in str(refused.value)
    assert "ng-one" not in str(refused.value)


@pytest.mark.parametrize("key", [None, "no key"])
def test_a_key_that_cannot_be_read_is_named(
    server: SftpServer, opened: Opened, tmp_path: Path, key: str | None
) -> None:
    server.identity.unlink()
    if key is not None:
        server.identity.write_text(key)
    with pytest.raises(StorageRefused, match=rf"the key {server.identity} cannot be read"):
        opened(server.url()).put(a_spooled_file(tmp_path), "7/a")


def test_the_known_keys_and_the_key_of_the_user_are_taken_without_options(
    server: SftpServer, opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "home" / ".ssh"
    own.mkdir(parents=True)
    server.known_hosts.rename(own / "known_hosts")
    server.identity.rename(own / "id_rsa")
    monkeypatch.setenv("HOME", str(own.parent))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    opened(server.url().partition("?")[0]).put(a_spooled_file(tmp_path), "7/a")
    assert everything(server) == ["artifacts/7/a"]


def test_a_server_without_the_extension_of_openssh_does_too(
    server: SftpServer, opened: Opened, tmp_path: Path
) -> None:
    (server.folder / "no-posix-rename").touch()
    files = opened(server.url())
    for data in (b"first", b"second"):
        files.put(a_spooled_file(tmp_path, data), "7/a")
    with files.open("7/a") as source:
        assert source.read() == b"second"
    assert everything(server) == ["artifacts/7/a"]


def test_a_connection_that_broke_is_made_again(
    server: SftpServer, opened: Opened, tmp_path: Path
) -> None:
    files = opened(server.url(), sleep=lambda _: server.start())
    files.put(a_spooled_file(tmp_path), "7/a")
    server.stop()
    files.put(a_spooled_file(tmp_path, LONG), "7/b")
    with files.open("7/b") as source:
        assert source.read() == LONG
    assert everything(server) == ["artifacts/7/a", "artifacts/7/b"]


def test_a_download_that_is_cut_off_is_no_file(
    server: SftpServer, opened: Opened, tmp_path: Path
) -> None:
    files = opened(server.url())
    files.put(a_spooled_file(tmp_path, LONG * 3), "7/a")
    with files.open("7/a") as source:
        source.read(10)
        server.stop()
        with pytest.raises(StorageUnreachable):
            source.read()


def test_a_server_that_is_not_there_is_named(
    server: SftpServer, opened: Opened, tmp_path: Path
) -> None:
    server.stop()
    with pytest.raises(StorageUnreachable, match=rf"127.0.0.1:{server.port}/.* does not answer"):
        opened(server.url()).put(a_spooled_file(tmp_path), "7/a")


def test_a_server_whose_disk_is_full_keeps_nothing_half_done(
    server: SftpServer, opened: Opened, tmp_path: Path
) -> None:
    with a_small_disk(server.files, megabytes=2) as disk:
        files = opened(server.url())
        with pytest.raises(StorageUnreachable, match="is its disk full"):
            files.put(a_spooled_file(tmp_path, LONG), "7/a")
        assert everything(server) == []
        assert disk.free() > 1_500_000
        files.put(a_spooled_file(tmp_path, b"short"), "7/a")
        assert everything(server) == ["artifacts/7/a"]


def test_what_a_killed_process_left_is_not_found_and_goes_once_it_is_old(
    server: SftpServer, opened: Opened, tmp_path: Path
) -> None:
    files = opened(server.url())
    files.put(a_spooled_file(tmp_path), "7/a")
    left = server.files / "artifacts" / "7" / "b.0f.partial"
    left.write_bytes(b"half")
    now = datetime.now(UTC)
    assert [file.path for file in files.found()] == ["7/a"]
    assert files.delete_unfinished(now - timedelta(hours=1)) == 0
    assert files.delete_unfinished(now + timedelta(hours=1)) == 1
    assert everything(server) == ["artifacts/7/a"]


def test_deleting_takes_the_empty_folders_along(
    server: SftpServer, opened: Opened, tmp_path: Path
) -> None:
    files = opened(server.url())
    files.put(a_spooled_file(tmp_path), "7/ab/a")
    files.delete("7/ab/a")
    assert list((server.files / "artifacts").iterdir()) == []


@pytest.mark.parametrize(
    "url",
    ["sftp://host", "sftp://host/", "sftp://host/x?auto_add=1", "sftp://me:secret@host/x#y"],
)
def test_a_wrong_url_says_what_is_right(url: str) -> None:
    with pytest.raises(StorageUnsupported, match="write sftp://user@host:port/path") as refused:
        open_storage(url)
    assert "secret" not in str(refused.value)


def test_a_missing_client_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "paramiko", None)
    with pytest.raises(MissingClient, match=r"run `pip install engine\[sftp\]`"):
        open_storage("sftp://host/x")
