"""The audit: written with what it is about, chained, and not to be changed."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError

from engine.sealing import Keys, UnknownKey
from engine.store.act import Act, note, ranges
from engine.store.audit_chain import AuditEntry
from engine.store.audit_entries import Acts, AuditStore
from engine.store.audit_key import AuditKeyLost
from engine.store.database import Database
from engine.store.instant import database_now
from engine.store.user_tables import sealed_keys, users
from tests.builders.audit import KEYS, a_journal, acts, tampering


class Spilt(Exception):
    """Something went wrong."""


@pytest.fixture
def audit(database: Database) -> AuditStore:
    return AuditStore(database)


@pytest.fixture(autouse=True)
def published(database: Database) -> Iterator[list[AuditEntry]]:
    """What the journal told of."""
    entries = a_journal(database)
    yield entries
    database.journal = None


def test_an_act_is_kept_with_all_that_was_said_of_it(
    database: Database, audit: AuditStore, published: list[AuditEntry]
) -> None:
    act = Act(
        actor="sara", act="retry", count=3, reason="the bank is back",
        facts={"runs": "1-3", "filter": {"job": "payouts"}},
    )  # fmt: skip
    with database.begin() as connection:
        note(connection, act)
    (entry,) = audit.newest(Acts(), limit=10)
    assert (entry.id, entry.actor, entry.act, entry.count) == (1, "sara", "retry", 3)
    assert (entry.subject, entry.reason) == (None, "the bank is back")
    assert entry.facts == {
        "runs": "1-3", "filter": {"job": "payouts"}, "from": "host:/srv/engine",
    }  # fmt: skip
    assert published == [entry]


def test_what_is_undone_is_not_in_the_audit(
    database: Database, audit: AuditStore, published: list[AuditEntry]
) -> None:

    def spill() -> None:
        with database.begin() as connection:
            note(connection, Act(actor="sara", act="pause"))
            raise Spilt

    with pytest.raises(Spilt):
        spill()
    with database.begin() as connection:
        connection.execute(select(users.c.name))
    assert audit.count(Acts()) == 0
    assert published == []


def test_each_entry_fits_the_one_before_it(database: Database, audit: AuditStore) -> None:
    acts(database, "queue a", "queue b", "queue c")
    key = audit.key(KEYS)
    assert key is not None
    before = ""
    for number, entry in enumerate(audit.in_order(), 1):
        assert entry.id == number
        assert entry.mac == entry.mac_after(before, key)
        before = entry.mac


@pytest.mark.parametrize(
    ("reason", "kept"),
    [
        ("a \0 within", "a ␀ within"),
        ("half a \udcff letter", "half a \\udcff letter"),
        ("password=hunter22", "password=***"),
        ("é ع 🙂", "é ع 🙂"),
        ("", ""),
    ],
)
def test_what_is_kept_is_what_the_mac_is_of(
    database: Database, audit: AuditStore, reason: str, kept: str
) -> None:
    with database.begin() as connection:
        note(connection, Act(actor="sara", act="pause", reason=reason, facts={"queue": reason}))
    (entry,) = audit.in_order()
    key = audit.key(KEYS)
    assert key is not None
    assert entry.mac == entry.mac_after("", key)
    assert entry.reason == kept
    assert entry.facts["queue"] == kept


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET actor = 'omar'",
        "UPDATE audit_entries SET id = id + 1",
        "DELETE FROM audit_entries",
    ],
)
def test_no_statement_changes_or_removes_an_entry(
    database: Database, audit: AuditStore, statement: str
) -> None:
    acts(database, "queue a")
    before = list(audit.in_order())
    with pytest.raises(DBAPIError, match="neither changed nor removed"), database.begin() as them:
        them.execute(text(statement))
    assert list(audit.in_order()) == before


def test_nothing_empties_the_whole_table(database: Database, audit: AuditStore) -> None:
    acts(database, "queue a")
    if database.upgrades_itself:
        return  # SQLite knows no TRUNCATE
    with pytest.raises(DBAPIError, match="neither changed nor removed"), database.begin() as them:
        them.execute(text("TRUNCATE audit_entries"))
    assert audit.count(Acts()) == 1


def test_many_at_once_make_one_chain(database: Database, audit: AuditStore) -> None:
    def act(name: str) -> None:
        for number in range(5):
            acts(database, f"queue {name}{number}")

    threads = [threading.Thread(target=act, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    key = audit.key(KEYS)
    assert key is not None
    entries = list(audit.in_order())
    assert [entry.id for entry in entries] == list(range(1, 21))
    befores = ["", *(entry.mac for entry in entries)]
    assert all(
        entry.mac == entry.mac_after(before, key)
        for before, entry in zip(befores, entries, strict=False)
    )


def test_entries_are_found_by_what_they_say(database: Database, audit: AuditStore) -> None:
    acts(database, "queue a", "queue b")
    with database.begin() as connection:
        note(connection, Act(actor="omar", act="cancel", subject="queue a"))
    newest = audit.newest(Acts(), limit=1)[0]
    assert newest.actor == "omar"
    assert audit.count(Acts(actor="sara")) == 2
    assert audit.count(Acts(act="cancel")) == 1
    assert audit.count(Acts(subject="queue a")) == 2
    assert audit.count(Acts(actor="omar", subject="queue b")) == 0
    assert audit.count(Acts(since=newest.at)) == 1
    assert audit.count(Acts(until=newest.at)) == 2
    assert audit.count(Acts(since=newest.at + timedelta(seconds=1))) == 0


def test_a_ledger_without_a_journal_keeps_no_audit(database: Database, audit: AuditStore) -> None:
    database.journal = None
    acts(database, "queue a")
    assert audit.count(Acts()) == 0
    assert audit.key(KEYS) is None


def test_the_key_is_sealed_and_made_once(database: Database, audit: AuditStore) -> None:
    acts(database, "queue a")
    first = audit.key(KEYS)
    acts(database, "queue b")
    assert audit.key(KEYS) == first
    with pytest.raises(UnknownKey):
        audit.key(Keys.parse("another key that is as long as it takes"))


def test_nothing_is_done_that_could_not_be_audited(database: Database, audit: AuditStore) -> None:
    acts(database, "queue a")
    with tampering(database) as connection:
        connection.execute(sealed_keys.delete())

    def add_mallory() -> None:
        mallory = {"name": "mallory", "role": "admin", "created_by": "mallory"}
        with database.begin() as connection:
            connection.execute(insert(users).values(**mallory, created_at=database_now()))
            note(connection, Act(actor="mallory", act="add user"))

    with pytest.raises(AuditKeyLost):
        add_mallory()
    with database.read() as connection:
        assert connection.execute(select(users.c.name)).all() == []


def test_ids_are_told_in_few_letters() -> None:
    assert ranges([7, 1, 2, 3]) == "1-3,7"
    assert ranges([]) == ""
    assert ranges(range(1, 10_001)) == "1-10000"
