"""Records of files: one for each run and name, and they outlive the files."""

from datetime import timedelta
from typing import Any

import pytest

from engine.errors import UnknownId
from engine.store.artifacts import ArtifactStore, NewArtifact, VersionTaken
from engine.store.database import Database
from engine.store.runs import RunStore
from tests.builders.clock import FakeClock
from tests.builders.run import a_claim, a_run


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(database: Database, clock: FakeClock) -> ArtifactStore:
    return ArtifactStore(database, clock)


def a_file(run_id: int, **changes: Any) -> NewArtifact:
    values: dict[str, Any] = {
        "name": "breaks.csv",
        "media_type": "text/csv",
        "size": 10,
        "sha256": "ab" * 32,
        "rows": 3,
        "path": f"{run_id}/{changes.get('name', 'breaks.csv')}",
    }
    return NewArtifact(run_id=run_id, **{**values, **changes})


def test_it_is_read_back_as_it_was_recorded(store: ArtifactStore, database: Database) -> None:
    run_id = a_run(database)
    recorded = store.add(a_file(run_id), keep_for=timedelta(days=90))
    assert recorded is not None
    assert recorded.replaced_paths == ()
    assert store.get(recorded.artifact.id) == recorded.artifact
    assert recorded.artifact.as_json() == {
        "id": recorded.artifact.id,
        "run_id": run_id,
        "name": "breaks.csv",
        "media_type": "text/csv",
        "size": 10,
        "sha256": "ab" * 32,
        "rows": 3,
        "path": f"{run_id}/breaks.csv",
        "report": None,
        "version": 1,
        "quarantined": None,
        "created_at": "2026-11-24T06:00:00.000Z",
        "expires_at": "2027-02-22T06:00:00.000Z",
    }


def test_an_unknown_id_says_so(store: ArtifactStore) -> None:
    with pytest.raises(UnknownId, match="no artifact has the id 99"):
        store.get(99)


def test_the_newest_are_listed_first_and_can_be_filtered(
    store: ArtifactStore, database: Database, clock: FakeClock
) -> None:
    first, second = a_run(database), a_run(database)
    for run_id in (first, second):
        for name in ("a.csv", "b.pdf"):
            store.add(a_file(run_id, name=name))
            clock.advance(timedelta(seconds=1))
    listed = [(each.run_id, each.name) for each in store.list()]
    assert listed == [(second, "b.pdf"), (second, "a.csv"), (first, "b.pdf"), (first, "a.csv")]
    assert [each.name for each in store.list(run_id=first)] == ["b.pdf", "a.csv"]
    assert [each.run_id for each in store.list(name="a.csv")] == [second, first]
    assert len(store.list(limit=3)) == 3


def test_the_same_run_and_name_replaces_and_tells_which_file_is_left_over(
    store: ArtifactStore, database: Database
) -> None:
    run_id = a_run(database)
    first = store.add(a_file(run_id, path="1/old"))
    second = store.add(a_file(run_id, path="1/new", size=11))
    assert first is not None
    assert second is not None
    assert second.replaced_paths == ["1/old"]
    assert second.artifact.id == first.artifact.id
    assert [each.path for each in store.list()] == ["1/new"]


def test_a_deleted_file_stays_on_record_and_can_come_back(
    store: ArtifactStore, database: Database, clock: FakeClock
) -> None:
    run_id = a_run(database)
    recorded = store.add(a_file(run_id))
    assert recorded is not None
    assert store.mark_deleted(recorded.artifact) is True
    assert store.mark_deleted(recorded.artifact) is False
    assert store.list() == []
    assert store.recorded([recorded.artifact.path]) == set()
    assert store.get(recorded.artifact.id).deleted_at == clock.now()
    assert len(store.list(deleted=True)) == 1
    again = store.add(a_file(run_id, path="1/again"))
    assert again is not None
    assert again.replaced_paths == ()
    assert [each.path for each in store.list()] == ["1/again"]


def test_a_record_that_got_another_file_is_not_marked_deleted_for_the_old_one(
    store: ArtifactStore, database: Database
) -> None:
    run_id = a_run(database)
    old = store.add(a_file(run_id, path="1/old"))
    store.add(a_file(run_id, path="1/new"))
    assert old is not None
    assert store.mark_deleted(old.artifact) is False
    assert len(store.list()) == 1


def test_files_expire_by_their_own_date_or_by_their_age(
    store: ArtifactStore, database: Database, clock: FakeClock
) -> None:
    run_id = a_run(database)
    store.add(a_file(run_id, name="short"), keep_for=timedelta(days=1))
    store.add(a_file(run_id, name="long"), keep_for=timedelta(days=9))
    store.add(a_file(run_id, name="for ever"))
    clock.advance(timedelta(days=2))
    now = clock.now()
    assert [each.name for each in store.expired(now)] == ["short"]
    by_age = store.expired(now, made_before=now - timedelta(days=1))
    assert [each.name for each in by_age] == ["short", "long", "for ever"]


def test_an_attempt_that_lost_its_lease_records_nothing(
    store: ArtifactStore, database: Database
) -> None:
    claim = a_claim(database)
    assert store.add(a_file(claim.run_id), claim=claim) is not None
    RunStore(database).succeed(claim, None)
    assert store.add(a_file(claim.run_id, path="1/late"), claim=claim) is None
    assert [each.path for each in store.list()] == [f"{claim.run_id}/breaks.csv"]


def a_version(run_id: int, version: int, **changes: Any) -> NewArtifact:
    name = changes.pop("name", f"sales.v{version}.csv")
    return a_file(
        run_id,
        **{
            "name": name,
            "path": f"{run_id}/{name}",
            "report": "sales",
            "series": "sales 2026",
            "version": version,
            "manifest": {"rows": [1, "\u0633"]},
            **changes,
        },
    )


def test_each_run_of_a_series_is_a_version_of_its_own(
    store: ArtifactStore, database: Database
) -> None:
    first, second = a_run(database), a_run(database)
    assert store.next_version("sales 2026", first) == 1
    store.add(a_version(first, 1))
    assert store.next_version("sales 2026", first) == 1
    assert store.next_version("sales 2026", second) == 2
    assert store.next_version("another", second) == 1
    store.add(a_version(second, 2))
    assert [each.version for each in store.list()] == [2, 1]
    assert [each.version for each in store.list(latest=True)] == [2]
    assert store.list(report="sales", latest=True)[0].manifest == {"rows": [1, "\u0633"]}
    assert store.list(report="Sales") == []


def test_a_version_is_recorded_once(store: ArtifactStore, database: Database) -> None:
    first, second = a_run(database), a_run(database)
    store.add(a_version(first, 1))
    with pytest.raises(VersionTaken):
        store.add(a_version(second, 1))
    again = store.add(a_version(first, 1, path="1/again"))  # a retried attempt
    assert again is not None
    assert again.replaced_paths == [f"{first}/sales.v1.csv", f"{first}/sales.v1.csv.manifest.json"]
    assert [each.run_id for each in store.list()] == [first]


def test_a_version_whose_file_is_gone_stays_taken(store: ArtifactStore, database: Database) -> None:
    recorded = store.add(a_version(a_run(database), 1))
    assert recorded is not None
    store.mark_deleted(recorded.artifact)
    assert store.next_version("sales 2026", a_run(database)) == 2


def test_what_is_in_quarantine_is_no_version_and_not_listed(
    store: ArtifactStore, database: Database
) -> None:
    bad, good = a_run(database), a_run(database)
    store.add(a_version(bad, 1, name="bad.csv", quarantined="a row is missing"))
    assert store.list() == []
    assert store.next_version("sales 2026", good) == 1
    store.add(a_version(good, 1))
    assert [each.name for each in store.list(latest=True)] == ["sales.v1.csv"]
    assert [each.name for each in store.list(quarantined=True)] == ["bad.csv"]
    assert len(store.list(quarantined=None)) == 2


def test_a_manifest_is_on_record_with_its_file(store: ArtifactStore, database: Database) -> None:
    recorded = store.add(a_version(a_run(database), 1))
    assert recorded is not None
    path = recorded.artifact.path
    assert recorded.artifact.paths == [path, f"{path}.manifest.json"]
    asked = [*recorded.artifact.paths, "1/other", "1/other.manifest.json"]
    assert store.recorded(asked) == {*recorded.artifact.paths}
