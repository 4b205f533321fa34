"""All that is sealed: under which keys it is, and how it comes under the first one."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from engine.sealing import Keys, Sealer
from engine.store.act import Act, note
from engine.store.audit_key import read_key
from engine.store.database import Database
from engine.store.runs import RunStore
from engine.store.schedule_marks import (
    PURPOSE,
    SEALED,
    ScheduleMark,
    context_of,
    definition_of,
    put_first_marks,
)
from engine.store.sealed_params import SealedParamStore, SealedRun, ToSeal
from engine.store.sealed_values import SealedCount, SealedValueStore
from engine.store.tables import sealed_params
from engine.store.user_tables import audit_entries
from tests.builders.audit import a_journal
from tests.builders.booking import a_run

OLD, NEW = Keys.parse("o" * 32), Keys.parse("n" * 32)
BOTH = Keys.parse("n" * 32 + "," + "o" * 32)
NOW = datetime(2026, 1, 31, tzinfo=UTC)


@pytest.fixture
def values(database: Database) -> SealedValueStore:
    """All that is sealed in the ledger."""
    return SealedValueStore(database)


def seal_everything(database: Database, keys: Keys) -> None:
    """Two parameters of one run, one of another, a schedule, and the key of the audit."""
    runs = RunStore(database)
    for hidden in ({"token": "hush", "pin": 1234}, {"token": "other"}):
        a_run(runs, params=dict.fromkeys(hidden, "***"), to_seal=ToSeal(hidden, Sealer(keys)))
    mark = ScheduleMark(schedule="hourly", fingerprint="f", booked_until=NOW, version="v")
    plain = ScheduleMark(schedule="plain", fingerprint="f", booked_until=NOW, version="v")
    sealed = Sealer(keys, PURPOSE).seal('{"token": "hush"}', context_of("hourly"))
    a_journal(database, keys)
    with database.begin() as connection:
        definition = {"job": "purge", "params": {"token": "***"}, SEALED: sealed}
        put_first_marks(connection, [(mark, definition), (plain, {"job": "purge"})])
        note(connection, Act(actor="ann", act="pause"))


def opened(database: Database, keys: Keys) -> list[object]:
    """What everything opens to."""
    sealed, runs = SealedParamStore(database), RunStore(database)
    found: list[object] = []
    for run in reversed(runs.newest()):
        bound = SealedRun(reference=run.reference, job=run.job)
        found.append(bound.open(Sealer(keys), sealed.of_run(run.id)))
    with database.read() as connection:
        definition = definition_of(connection, "hourly") or {}
        found.append(Sealer(keys, PURPOSE).open(definition[SEALED], context_of("hourly")))
        assert read_key(connection, keys) is not None
    return found


def test_an_empty_ledger_has_nothing_sealed(values: SealedValueStore) -> None:
    assert values.counts() == []
    assert [each.resealed for each in values.reseal(NEW, actor="ann")] == [0, 0, 0]


def test_what_is_sealed_is_counted_by_kind_and_key(
    database: Database, values: SealedValueStore
) -> None:
    seal_everything(database, OLD)
    a_run(RunStore(database), params={"a": "***"}, to_seal=ToSeal({"a": 1}, Sealer(NEW)))
    (old,), (new,) = OLD.ids, NEW.ids
    assert sorted(values.counts(), key=str) == sorted(
        [
            SealedCount(kind="keys", key_id=old, count=1),
            SealedCount(kind="parameters", key_id=old, count=3),
            SealedCount(kind="parameters", key_id=new, count=1),
            SealedCount(kind="schedules", key_id=old, count=1),
        ],
        key=str,
    )


def test_all_of_it_comes_under_the_first_key(database: Database, values: SealedValueStore) -> None:
    seal_everything(database, OLD)
    before = opened(database, OLD)
    a_journal(database, BOTH)
    done = values.reseal(BOTH, actor="ann")
    assert [(each.kind, each.resealed, each.unopened) for each in done] == [
        ("parameters", 3, {}),
        ("schedules", 1, {}),
        ("keys", 1, {}),
    ]
    assert {each.key_id for each in values.counts()} == set(NEW.ids)
    assert opened(database, NEW) == before
    assert [each.resealed for each in values.reseal(BOTH, actor="ann")] == [0, 0, 0]


def test_who_did_it_is_in_the_audit_and_nothing_of_a_value(
    database: Database, values: SealedValueStore
) -> None:
    seal_everything(database, OLD)
    a_journal(database, BOTH)
    values.reseal(BOTH, actor="ann")
    with database.read() as connection:
        found = connection.execute(
            select(audit_entries).where(audit_entries.c.act == "rotate").order_by("id")
        ).all()
    rows = [row._mapping for row in found]
    assert [(row["actor"], row["subject"], row["count"], row["facts"]["kind"]) for row in rows] == [
        ("ann", "secrets", 3, "parameters"),
        ("ann", "secrets", 1, "schedules"),
        ("ann", "secrets", 1, "keys"),
    ]
    assert "hush" not in str(found)


def test_a_rehearsal_changes_nothing(database: Database, values: SealedValueStore) -> None:
    seal_everything(database, OLD)
    before = values.counts()
    done = values.reseal(BOTH, actor="ann", rehearse=True)
    assert [each.resealed for each in done] == [3, 1, 1]
    assert values.counts() == before


def test_what_cannot_be_opened_stays_and_is_counted(
    database: Database, values: SealedValueStore
) -> None:
    seal_everything(database, OLD)
    with database.begin() as connection:
        moved = Sealer(OLD).seal("hush", "somewhere else")
        here = sealed_params.c.name == "pin"
        connection.execute(update(sealed_params).where(here).values(sealed=moved))
    a_journal(database, BOTH)
    parameters, *_ = values.reseal(BOTH, actor="ann")
    assert (parameters.resealed, parameters.unopened) == (2, {OLD.ids[0]: 1})
    lost = values.reseal(Keys.parse("x" * 32), actor="ann")
    assert [each.resealed for each in lost] == [0, 0, 0]
    assert sum(sum(each.unopened.values()) for each in lost) == 5
