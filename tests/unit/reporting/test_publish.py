"""Publishing: a document becomes a whole file with a true record."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from engine.effects.faults import LeaseLost
from engine.exporters.document import Stream
from engine.exporters.formats import EXPORTERS, UnknownFormat
from engine.reporting.publish import KEEP_FOR, BadArtifactName, Publisher
from engine.store.database import Database
from engine.store.runs import RunStore
from tests.builders.database import a_database
from tests.builders.document import a_document
from tests.builders.publisher import a_publisher, publish
from tests.builders.run import a_claim, a_run


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return a_database(tmp_path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "artifacts"


@pytest.fixture
def publisher(database: Database, root: Path) -> Publisher:
    return a_publisher(root.parent, database)


def files_in(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


@pytest.mark.parametrize("format_name", [*EXPORTERS])
def test_the_record_is_true_of_the_file(
    publisher: Publisher, database: Database, root: Path, format_name: str
) -> None:
    run_id = a_run(database)
    document = a_document(rows=[("Aisha", 1), ("Badr", 2)])
    artifact = publish(publisher, run_id, document, format_name)
    data = (root / artifact.path).read_bytes()
    assert artifact.name == f"people{EXPORTERS[format_name].suffix}"
    assert artifact.media_type == EXPORTERS[format_name].media_type
    assert artifact.size == len(data)
    assert artifact.sha256 == hashlib.sha256(data).hexdigest()
    assert artifact.rows == 2
    assert artifact.expires_at == artifact.created_at + KEEP_FOR
    assert publisher.artifacts.list(run_id=run_id) == [artifact]


def test_a_document_that_fails_midway_is_neither_listed_nor_left(
    publisher: Publisher, database: Database, root: Path
) -> None:
    def rows() -> Any:
        yield ("Aisha", 1)
        raise ConnectionError("the source went away")

    for format_name in EXPORTERS:
        run_id, document = a_run(database), a_document(rows=Stream(rows))
        with pytest.raises(ConnectionError):
            publish(publisher, run_id, document, format_name)
    assert publisher.artifacts.list() == []
    assert list(root.rglob("*")) == []


def test_publishing_again_replaces_the_file_and_keeps_one_record(
    publisher: Publisher, database: Database, root: Path
) -> None:
    run_id = a_run(database)
    first = publish(publisher, run_id, a_document(rows=[("Aisha", 1)]), "csv")
    second = publish(publisher, run_id, a_document(rows=[("Badr", 2)]), "csv")
    assert publisher.artifacts.list() == [second]
    assert second.id == first.id
    assert [path.read_bytes() for path in files_in(root)] == [b"name,count\r\nBadr,2\r\n"]


def test_the_old_file_is_there_until_the_new_one_is_on_record(
    publisher: Publisher, database: Database, root: Path
) -> None:
    run_id = a_run(database)
    first = publish(publisher, run_id, a_document(rows=[("Aisha", 1)]), "csv")

    def rows() -> Any:
        # While the new file is being written, a reader gets the old one, with its own hash.
        (listed,) = publisher.artifacts.list()
        assert listed == first
        data = (root / listed.path).read_bytes()
        assert hashlib.sha256(data).hexdigest() == listed.sha256
        yield ("Badr", 2)

    publish(publisher, run_id, a_document(rows=Stream(rows)), "csv")
    assert len(files_in(root)) == 1


def test_an_attempt_that_lost_its_run_publishes_nothing(
    publisher: Publisher, database: Database, root: Path
) -> None:
    claim = a_claim(database)
    kept = publish(publisher, claim.run_id, a_document(), "csv", claim=claim)
    RunStore(database).succeed(claim, None)
    late = a_document(rows=[("Badr", 2)])
    with pytest.raises(LeaseLost):
        publish(publisher, claim.run_id, late, "csv", claim=claim)
    assert publisher.artifacts.list() == [kept]
    assert len(files_in(root)) == 1


def test_what_is_on_record_already_is_not_stored_again(
    publisher: Publisher, database: Database, root: Path
) -> None:
    run_id = a_run(database)
    first = publish(publisher, run_id, a_document(), "csv")
    assert publish(publisher, run_id, a_document(), "csv") == first
    assert [path.relative_to(root).as_posix() for path in files_in(root)] == [first.path]


@pytest.mark.parametrize("name", ["", "../people", "a/b", ".hidden", "two words", "a" * 200])
def test_a_name_that_no_file_should_have_is_refused(
    publisher: Publisher, database: Database, name: str
) -> None:
    with pytest.raises(BadArtifactName):
        publish(publisher, a_run(database), a_document(), name=name)


def test_an_unknown_format_names_the_known_ones(publisher: Publisher, database: Database) -> None:
    with pytest.raises(UnknownFormat, match="'docx'; there are: csv, csv-excel, xlsx, pdf"):
        publish(publisher, a_run(database), a_document(), "docx")
