"""Verifying: on every kind of storage, nothing of a report's file or manifest changes unseen."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from engine.artifact_files.files import ArtifactFiles
from engine.operations.download import FileExpired
from engine.operations.verifying import verify
from engine.store.artifacts import Artifact
from engine.store.database import Database
from tests.builders.database import a_database
from tests.builders.document import a_document
from tests.builders.publisher import a_publisher, publish
from tests.builders.report import Desk, dataset, sales
from tests.builders.run import a_claim
from tests.builders.spool import a_spooled_file


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return a_database(tmp_path)


@pytest.fixture
def desk(database: Database, tmp_path: Path, files: ArtifactFiles) -> Desk:
    return Desk(publisher=replace(a_publisher(tmp_path, database), files=files))


def problems(desk: Desk, artifact: Artifact) -> str:
    return "; ".join(verify(desk.publisher.files, artifact).problems)


def store(desk: Desk, path: str, data: bytes, aside: Path) -> None:
    """Put other bytes in the place of a stored file."""
    desk.publisher.files.put(a_spooled_file(aside, data), path)


def test_a_file_that_is_as_it_was_has_no_problem(desk: Desk, database: Database) -> None:
    formats = [*desk.publisher.exporters.keys() - {"pdf", "csv-excel"}]
    made = desk.publish(a_claim(database), formats)
    for artifact in made:
        verified = verify(desk.publisher.files, artifact)
        assert verified.problems == []
        rows = ["rows"] if artifact.name.endswith("html") else ["rows", "totals"]
        assert verified.checked == ["size", "sha256", "manifest", *rows]


def test_bytes_that_changed_are_found_and_so_is_what_they_change(
    desk: Desk, database: Database, tmp_path: Path
) -> None:
    (made,) = desk.publish(a_claim(database))
    changed = desk.stored(made.path).replace(b"1250.50", b"1251.50")
    store(desk, made.path, changed, tmp_path)
    said = problems(desk, made)
    assert f"{made.sha256} on record" in said
    assert "bytes" not in said
    assert "total sales SAR of sales is 1,351.50 in the file, 1,350.50 in its manifest" in said
    store(desk, made.path, changed[:-30], tmp_path)
    assert f"it has {made.size - 30} bytes, {made.size} on record" in problems(desk, made)


def test_a_record_that_changed_with_its_file_is_found_by_the_manifest(
    desk: Desk, database: Database, tmp_path: Path
) -> None:
    (made,) = desk.publish(a_claim(database))
    (other,) = desk.publish(a_claim(database), document=sales([]), read=dataset(sales([])))
    store(desk, made.path, desk.stored(other.path), tmp_path)
    forged = replace(made, size=other.size, sha256=other.sha256, rows=0)
    said = problems(desk, forged)
    assert "sha256 is" in said
    assert "rows are 3 in its manifest, 0 on record" in said
    assert "rows of sales are 0 in the file, 3 in its manifest: off by -3" in said


def test_a_manifest_that_changed_or_is_gone_is_found(
    desk: Desk, database: Database, tmp_path: Path
) -> None:
    (made,) = desk.publish(a_claim(database))
    beside = made.paths[-1]
    forged = json.dumps({**(made.manifest or {}), "asked_by": "nobody"}).encode()
    store(desk, beside, forged, tmp_path)
    assert "it differs in asked_by" in problems(desk, made)
    store(desk, beside, b"{", tmp_path)
    assert "the manifest beside it is damaged" in problems(desk, made)
    desk.publisher.files.delete(beside)
    assert "was it removed by hand" in problems(desk, made)


def test_a_file_that_is_gone_is_a_problem_or_retentions_doing(
    desk: Desk, database: Database
) -> None:
    (made,) = desk.publish(a_claim(database))
    desk.publisher.files.delete(made.path)
    assert "was it removed by hand" in problems(desk, made)
    with pytest.raises(FileExpired):
        verify(desk.publisher.files, replace(made, deleted_at=made.created_at))


def test_a_file_without_a_manifest_is_told_by_its_hash(desk: Desk, database: Database) -> None:
    made = publish(desk.publisher, a_claim(database).run_id, a_document(rows=[("Aisha", 1)]))
    verified = verify(desk.publisher.files, made)
    assert (verified.checked, verified.problems) == (["size", "sha256"], [])
