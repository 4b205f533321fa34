import os
import socket
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.audit.heads import HeadFiles, HeadsUnreadable
from engine.store.audit_chain import AuditEntry

AT = datetime(2026, 11, 24, 23, 59, 59, tzinfo=UTC)


def an_entry(number: int) -> AuditEntry:
    return AuditEntry(
        id=number, at=AT, actor="sara", act="pause", subject=None, count=1, reason=None,
        facts={}, key_id="", mac=f"mac of {number}",
    )  # fmt: skip


def test_the_machines_own_log_has_each_head_too(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(log))
        HeadFiles(tmp_path / "audit", syslog=log).publish([an_entry(1), an_entry(2)], b"key")
        told = server.recv(1_000).decode()
    assert told.endswith("engine: audit head 2 mac of 2\0")


def test_a_log_that_nobody_reads_is_no_hindrance(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(log))
    heads = HeadFiles(tmp_path / "audit", syslog=log)
    heads.publish([an_entry(1)], b"key")
    assert [line.head is not None for line in heads.lines(b"key")] == [True]


def test_each_day_has_its_file(tmp_path: Path) -> None:
    heads = HeadFiles(tmp_path / "audit", syslog=tmp_path)
    heads.publish([an_entry(1)], b"key")
    assert [file.name for file in heads.folder.iterdir()] == ["2026-11-24.jsonl"]


@pytest.mark.parametrize(("around", "file"), [(0o770, 0o660), (0o755, 0o644), (0o700, 0o600)])
def test_whoever_shares_the_ledger_shares_the_heads(tmp_path: Path, around: int, file: int) -> None:
    tmp_path.chmod(around)
    heads = HeadFiles(tmp_path / "audit", syslog=tmp_path)
    heads.publish([an_entry(1)], b"key")
    heads.publish([an_entry(2)], b"key")
    assert stat.S_IMODE(heads.folder.stat().st_mode) == around
    assert [stat.S_IMODE(each.stat().st_mode) for each in heads.folder.iterdir()] == [file]


def test_a_folder_of_heads_has_a_name_among_all_machines(tmp_path: Path) -> None:
    assert HeadFiles(tmp_path).name == f"{os.uname().nodename}:{tmp_path}"


def test_heads_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "2026-11-24.jsonl").mkdir()
    with pytest.raises(HeadsUnreadable, match=str(tmp_path)):
        list(HeadFiles(tmp_path).lines(b"key"))
    assert list(HeadFiles(tmp_path / "not there").lines(b"key")) == []


@pytest.mark.parametrize("key", [b"another key", b""])
def test_a_head_of_another_key_is_none(tmp_path: Path, key: bytes) -> None:
    heads = HeadFiles(tmp_path / "audit", syslog=tmp_path)
    heads.publish([an_entry(1)], b"key")
    assert [line.head for line in heads.lines(key)] == [None]
