"""Artifacts in an object store that stumbles, refuses, or was left in the middle of an upload."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.artifact_files.faults import (
    MissingClient,
    StorageRefused,
    StorageUnreachable,
    StorageUnsupported,
)
from engine.artifact_files.files import ArtifactFiles
from engine.artifact_files.s3 import PART
from engine.artifact_files.storages import open_storage
from tests.builders.faulty import Faulty, a_faulty_way_to
from tests.builders.s3 import PAGE, S3Server
from tests.builders.spool import a_spooled_file

LONG = b"wallet\r\n" * (PART // 4)  # two parts


@dataclass
class Place:
    """A bucket, reached by the engine on a way that stumbles and by the test past it."""

    files: ArtifactFiles
    way: Faulty
    bucket: str
    client: Any

    def keys(self) -> list[str]:
        listed = self.client.list_objects_v2(Bucket=self.bucket)
        return [each["Key"] for each in listed.get("Contents", ())]

    def uploads(self) -> list[Any]:
        listed = self.client.list_multipart_uploads(Bucket=self.bucket)
        return list(listed.get("Uploads", ()))


@pytest.fixture
def place(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    bucket = s3_server.make_bucket()
    client = s3_server.client
    with a_faulty_way_to(s3_server.port) as way:
        monkeypatch.setenv("AWS_ENDPOINT_URL", way.endpoint)
        storage = open_storage(f"s3://{bucket}/nightly")
        files = ArtifactFiles(storage=storage, sleep=lambda _: None)
        yield Place(files, way, bucket, client)
        files.close()
        client.close()


def test_an_object_says_what_it_is(place: Place, tmp_path: Path) -> None:
    for number, data in enumerate((b"short", LONG)):
        file = a_spooled_file(tmp_path, data)
        place.files.put(file, f"7/{number}.csv")
        head = place.client.head_object(Bucket=place.bucket, Key=f"nightly/7/{number}.csv")
        assert head["ContentType"] == "text/csv"
        assert head["Metadata"] == {"sha256": file.sha256}
    assert place.way.count("uploadId") == 3  # its parts, and the end


@pytest.mark.parametrize("fault", ["reset", "slow down", "internal error"])
@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"short", "PUT"),
        (b"short", "HEAD"),
        (LONG, "POST"),
        (LONG, "partNumber=2"),
        (LONG, "POST /{}/nightly/7/a?uploadId"),
    ],
    ids=["put", "head", "begin", "part", "end"],
)
def test_what_passes_is_tried_again_from_the_spool(
    place: Place, tmp_path: Path, fault: str, data: bytes, where: str
) -> None:
    place.way.fail(fault, where.format(place.bucket), times=2)
    place.files.put(a_spooled_file(tmp_path, data), "7/a")
    assert place.way.times == 0
    with place.files.open("7/a") as source:
        assert source.read() == data
    assert place.keys() == ["nightly/7/a"]
    assert place.uploads() == []


@pytest.mark.parametrize("where", ["PUT", "POST"], ids=["part", "any post"])
def test_a_long_file_that_cannot_be_stored_leaves_no_parts(
    place: Place, tmp_path: Path, where: str
) -> None:
    place.way.fail("slow down", where)
    with pytest.raises(StorageUnreachable, match="does not answer: SlowDown: as the test wants"):
        place.files.put(a_spooled_file(tmp_path, LONG), "7/a")
    assert place.way.count(where) == 5
    assert place.keys() == []
    assert place.uploads() == []


def test_a_store_that_refuses_is_asked_once(place: Place, tmp_path: Path) -> None:
    place.way.fail("denied", "PUT")
    with pytest.raises(StorageRefused, match="refuses: AccessDenied: as the test wants it"):
        place.files.put(a_spooled_file(tmp_path), "7/a")
    assert place.way.count("PUT") == 1


def test_a_bucket_that_is_not_there_is_named(place: Place, tmp_path: Path) -> None:
    files = ArtifactFiles(storage=open_storage("s3://no-such-bucket"))
    said = (
        "s3://no-such-bucket refuses: there is no bucket 'no-such-bucket'; "
        "make it, or correct ENGINE_STORAGE_URL"
    )
    for ask in (
        lambda: files.put(a_spooled_file(tmp_path), "7/a"),
        lambda: files.put(a_spooled_file(tmp_path, LONG), "7/a"),
        lambda: files.open("7/a"),
        lambda: list(files.found()),
        lambda: files.delete_unfinished(datetime.now(UTC)),
    ):
        with pytest.raises(StorageRefused, match=said):
            ask()
    files.close()


def test_a_store_that_is_not_there_is_named(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    files = ArtifactFiles(storage=open_storage("s3://bucket"), sleep=lambda _: None)
    with pytest.raises(StorageUnreachable, match="s3://bucket does not answer: Could not connect"):
        files.put(a_spooled_file(tmp_path), "7/a")
    files.close()


def test_without_credentials_it_says_which_are_missing(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    files = ArtifactFiles(storage=open_storage(f"s3://{place.bucket}"), sleep=lambda _: None)
    with pytest.raises(StorageRefused, match="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        files.put(a_spooled_file(tmp_path), "7/a")
    files.close()


def test_a_download_that_is_cut_off_is_no_file(place: Place, tmp_path: Path) -> None:
    place.files.put(a_spooled_file(tmp_path, LONG), "7/a")
    with place.files.open("7/a") as source:
        source.read(10)
        place.way.fail("reset", "GET")
        with pytest.raises(StorageUnreachable):
            source.read()


def test_uploads_that_a_killed_process_left_go_once_they_are_old(place: Place) -> None:
    for key in ("nightly/7/a", "others/a"):
        place.client.create_multipart_upload(Bucket=place.bucket, Key=key)
    assert list(place.files.found()) == []
    # moto says of every upload that it began in 2010.
    assert place.files.delete_unfinished(datetime(2010, 1, 1, tzinfo=UTC)) == 0
    assert place.files.delete_unfinished(datetime.now(UTC)) == 1
    assert [each["Key"] for each in place.uploads()] == ["others/a"]


def test_objects_are_listed_page_by_page(place: Place) -> None:
    for number in range(PAGE + 1):
        place.client.put_object(Bucket=place.bucket, Key=f"nightly/{number}", Body=b"")
    place.client.put_object(Bucket=place.bucket, Key="nightly-2/other", Body=b"")
    assert sorted(int(file.path) for file in place.files.found()) == list(range(PAGE + 1))
    assert place.way.count("list-type=2") == 2


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("s3://key:secret@bucket/x", r"kept at 's3://key:\*\*\*@bucket/x': its credentials belong"),
        ("s3://localhost:9000/x", "the server is AWS_ENDPOINT_URL"),
        ("s3://bucket/x?region=y", "write s3://bucket/prefix"),
        ("gs://bucket/x", "write file:// or s3:// or sftp://"),
    ],
)
def test_a_wrong_url_says_what_is_right(url: str, said: str) -> None:
    with pytest.raises(StorageUnsupported, match=said):
        open_storage(url)


def test_a_missing_client_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(MissingClient, match=r"run `pip install engine\[s3\]`"):
        open_storage("s3://bucket")
