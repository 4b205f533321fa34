"""Ledgers that somebody really tampered with, and what is found; on every database."""

import base64
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, update

from engine.audit.heads import HeadFiles
from engine.audit.verification import Verified, verify
from engine.sealing import Keys
from engine.store.act import Act, note
from engine.store.audit_chain import AuditEntry
from engine.store.audit_entries import AuditStore
from engine.store.audit_key import AuditKeyLost, sealer
from engine.store.database import Database
from engine.store.instant import database_now
from engine.store.journal import Journal
from engine.store.user_tables import audit_entries, sealed_keys
from tests.builders.audit import KEYS, acts, tampering

SUBJECTS = [f"queue {name}" for name in "abcdefgh"]
TABLE = audit_entries.c


@pytest.fixture
def heads(tmp_path: Path) -> HeadFiles:
    return HeadFiles(tmp_path / "var" / "audit", syslog=tmp_path / "no syslog")


@pytest.fixture
def ledger(database: Database, heads: HeadFiles) -> Database:
    """With eight acts in its audit, whose heads are outside."""
    database.journal = Journal(lambda: KEYS, heads.publish, {"from": heads.name})
    acts(database, *SUBJECTS)
    return database


def look(database: Database, *folders: HeadFiles, known: dict[int, str] | None = None) -> Verified:
    audit = AuditStore(database)
    try:
        key = audit.key(KEYS)
    except AuditKeyLost:
        key = None
    return verify(audit.in_order(), key, folders, known)


def kinds(done: Verified) -> dict[str, list[int | None]]:
    found: dict[str, list[int | None]] = {}
    for finding in done.findings:
        found.setdefault(finding.kind, []).append(finding.entry)
    return found


def entries_of(database: Database) -> Sequence[AuditEntry]:
    return list(AuditStore(database).in_order())


def make_anew(database: Database, key: bytes, change: Callable[[AuditEntry], AuditEntry]) -> None:
    """Every entry, changed, with a MAC that fits this key."""
    before = ""
    made = []
    for entry in entries_of(database):
        said = vars(change(entry))
        mac = AuditEntry(**said).mac_after(before, key)
        made.append({**said, "mac": mac})
        before = mac
    with tampering(database) as connection:
        connection.execute(delete(audit_entries))
        connection.execute(insert(audit_entries), made)


def as_omar(entry: AuditEntry) -> AuditEntry:
    return AuditEntry(**{**vars(entry), "actor": "omar"}) if entry.id == 3 else entry


def test_an_audit_that_nobody_touched_is_what_it_was(ledger: Database, heads: HeadFiles) -> None:
    done = look(ledger, heads)
    assert done.findings == []
    assert (done.entries, done.heads) == (8, 8)
    assert done.newest is not None
    assert done.newest.id == 8


def test_an_audit_without_entries_yet_is_fine(database: Database, heads: HeadFiles) -> None:
    assert look(database, heads).findings == []


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "omar"},
        {"act": "resume"},
        {"subject": "queue z"},
        {"subject": None},
        {"count": 2},
        {"reason": "another reason"},
        {"facts": {}},
        {"at": database_now()},
    ],
)
def test_an_entry_that_was_edited_is_found(
    ledger: Database, heads: HeadFiles, change: dict[str, object]
) -> None:
    with tampering(ledger) as connection:
        connection.execute(update(audit_entries).where(TABLE.id == 3).values(change))
    assert kinds(look(ledger, heads)) == {"edited": [3]}


def test_an_entry_with_the_mac_of_another_one_is_found(ledger: Database, heads: HeadFiles) -> None:
    other = select(TABLE.mac).where(TABLE.id == 5).scalar_subquery()
    with tampering(ledger) as connection:
        connection.execute(update(audit_entries).where(TABLE.id == 3).values(mac=other))
    assert kinds(look(ledger, heads)) == {"edited": [3, 4], "rewritten": [3]}


@pytest.mark.parametrize("gone", [1, 4])
def test_an_entry_that_was_removed_is_found(ledger: Database, heads: HeadFiles, gone: int) -> None:
    with tampering(ledger) as connection:
        connection.execute(delete(audit_entries).where(TABLE.id == gone))
    assert kinds(look(ledger, heads)) == {"removed": [gone]}


def test_a_gap_that_was_closed_is_found(ledger: Database, heads: HeadFiles) -> None:
    with tampering(ledger) as connection:
        connection.execute(delete(audit_entries).where(TABLE.id == 4))
        for number in range(5, 9):
            moved = update(audit_entries).where(TABLE.id == number)
            connection.execute(moved.values(id=number - 1))
    found = kinds(look(ledger, heads))
    assert found["edited"] == [4, 5, 6, 7]
    assert found["cut"] == [8]


def test_two_entries_that_changed_places_are_found(ledger: Database, heads: HeadFiles) -> None:
    with tampering(ledger) as connection:
        for old, new in ((3, 99), (4, 3), (99, 4)):
            connection.execute(update(audit_entries).where(TABLE.id == old).values(id=new))
    assert {3, 4} <= set(kinds(look(ledger, heads))["edited"])


def test_an_entry_that_somebody_added_is_found(ledger: Database, heads: HeadFiles) -> None:
    last = vars(entries_of(ledger)[-1])
    with ledger.begin() as connection:
        connection.execute(insert(audit_entries).values(**{**last, "id": 9, "actor": "omar"}))
    assert kinds(look(ledger, heads))["edited"] == [9]


def test_a_chain_made_anew_without_the_key_is_found(ledger: Database, heads: HeadFiles) -> None:
    make_anew(ledger, b"not the key", as_omar)
    assert kinds(look(ledger, heads))["edited"] == [*range(1, 9)]


def test_a_chain_made_anew_with_the_key_is_found_by_its_heads(
    ledger: Database, heads: HeadFiles
) -> None:
    key = AuditStore(ledger).key(KEYS)
    assert key is not None
    make_anew(ledger, key, as_omar)
    assert look(ledger).findings == []
    assert kinds(look(ledger, heads))["rewritten"] == [*range(3, 9)]


def test_a_chain_made_anew_with_a_key_of_its_own_is_found(
    ledger: Database, heads: HeadFiles
) -> None:
    own = b"k" * 32
    sealed = sealer(KEYS).seal(base64.b64encode(own).decode(), "the key of the audit")
    make_anew(ledger, own, as_omar)
    with ledger.begin() as connection:
        connection.execute(update(sealed_keys).values(sealed=sealed))
    found = kinds(look(ledger, heads))
    assert len(found["heads_edited"]) == 8
    assert found["key"] == [*range(1, 9)]


def test_a_tail_that_was_cut_is_found_by_its_heads(ledger: Database, heads: HeadFiles) -> None:
    with tampering(ledger) as connection:
        connection.execute(delete(audit_entries).where(TABLE.id > 5))
    assert look(ledger).findings == []
    assert kinds(look(ledger, heads)) == {"cut": [6]}


def test_a_tail_that_was_cut_and_grew_again_is_found(ledger: Database, heads: HeadFiles) -> None:
    with tampering(ledger) as connection:
        connection.execute(delete(audit_entries).where(TABLE.id > 5))
    acts(ledger, "queue x", "queue y", "queue z", "queue zz")
    assert kinds(look(ledger, heads)) == {"rewritten": [6, 7, 8]}


def test_a_tail_that_was_cut_with_its_heads_is_found_by_the_log(
    ledger: Database, heads: HeadFiles
) -> None:
    last = entries_of(ledger)[-1]
    with tampering(ledger) as connection:
        connection.execute(delete(audit_entries).where(TABLE.id > 5))
    (file,) = heads.folder.iterdir()
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:5]))
    assert look(ledger, heads).findings == []
    assert kinds(look(ledger, heads, known={last.id: last.mac})) == {"cut": [6]}


def test_an_audit_that_was_emptied_is_found(ledger: Database, heads: HeadFiles) -> None:
    with tampering(ledger) as connection:
        connection.execute(delete(audit_entries))
    assert kinds(look(ledger))["cut"] == [None]
    with ledger.begin() as connection:
        connection.execute(delete(sealed_keys))
    assert kinds(look(ledger, heads)) == {"cut": [1]}


def test_an_audit_that_began_anew_is_found(ledger: Database, heads: HeadFiles) -> None:
    with tampering(ledger) as connection:
        connection.execute(delete(audit_entries))
        connection.execute(delete(sealed_keys))
    acts(ledger, *SUBJECTS)
    assert len(kinds(look(ledger, heads))["heads_edited"]) == 8


def test_a_key_that_was_removed_is_found(ledger: Database, heads: HeadFiles) -> None:
    with ledger.begin() as connection:
        connection.execute(delete(sealed_keys))
    assert kinds(look(ledger, heads)) == {"key": [None]}


def test_files_of_heads_that_were_removed_are_found(ledger: Database, heads: HeadFiles) -> None:
    (file,) = heads.folder.iterdir()
    file.unlink()
    assert kinds(look(ledger, heads)) == {"heads_missing": [8]}


def test_a_file_of_heads_that_was_cut_is_found(ledger: Database, heads: HeadFiles) -> None:
    (file,) = heads.folder.iterdir()
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-1]))
    assert kinds(look(ledger, heads)) == {"heads_missing": [8]}


def test_a_head_that_a_kill_kept_from_being_written_is_made_up_for(
    ledger: Database, heads: HeadFiles
) -> None:
    (file,) = heads.folder.iterdir()
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-1]))
    acts(ledger, "queue z")
    assert look(ledger, heads).findings == []


@pytest.mark.parametrize("edit", ["id", "mac", "at", "proof"])
def test_a_line_of_heads_that_was_edited_is_found(
    ledger: Database, heads: HeadFiles, edit: str
) -> None:
    (file,) = heads.folder.iterdir()
    lines = file.read_text().splitlines()
    read = json.loads(lines[4])
    read[edit] = 6 if edit == "id" else "2026-01-01T00:00:00+00:00"
    file.write_text("\n".join([*lines[:4], json.dumps(read), *lines[5:]]) + "\n")
    found = look(ledger, heads).findings
    assert [(each.kind, f"{file}, line 5" in each.text) for each in found] == [
        ("heads_edited", True)
    ]


@pytest.mark.parametrize("line", ["", "nonsense", "[]", '"text"', '{"id": 3}', "\udcff"])
def test_a_line_that_is_no_head_is_found(ledger: Database, heads: HeadFiles, line: str) -> None:
    (file,) = heads.folder.iterdir()
    with file.open("ab") as appended:
        appended.write(line.encode("utf-8", "surrogateescape") + b"\n")
    assert kinds(look(ledger, heads)) == {"heads_edited": [None]}


def test_acts_from_other_machines_have_their_heads_there(
    ledger: Database, heads: HeadFiles, tmp_path: Path
) -> None:
    there = HeadFiles(tmp_path / "there", syslog=tmp_path / "no syslog")
    ledger.journal = Journal(lambda: KEYS, there.publish, {"from": there.name})
    acts(ledger, "queue x", "queue y")
    assert look(ledger, heads).findings == []
    with tampering(ledger) as connection:
        connection.execute(delete(audit_entries).where(TABLE.id == 10))
    assert look(ledger, heads).findings == []
    assert kinds(look(ledger, heads, there)) == {"cut": [10]}


def test_heads_that_cannot_be_written_keep_nobody_from_acting(
    ledger: Database, heads: HeadFiles, caplog: pytest.LogCaptureFixture
) -> None:
    (file,) = heads.folder.iterdir()
    file.unlink()
    heads.folder.rmdir()
    heads.folder.write_text("no folder")
    acts(ledger, "queue x")
    assert len(entries_of(ledger)) == 9
    assert "head 9 of the audit was not written" in caplog.text


def test_an_act_of_two_entries_has_one_head(ledger: Database, heads: HeadFiles) -> None:
    with ledger.begin() as connection:
        note(connection, Act(actor="sara", act="pause", subject="queue x"))
        note(connection, Act(actor="sara", act="pause", subject="queue y"))
    done = look(ledger, heads)
    assert (done.entries, done.heads, done.findings) == (10, 9, [])


def test_another_key_of_the_installation_opens_nothing(ledger: Database) -> None:
    rotated = Keys.parse(
        "a newer key of this test that is long,a key of this test that is long enough"
    )
    assert AuditStore(ledger).key(rotated) == AuditStore(ledger).key(KEYS)
