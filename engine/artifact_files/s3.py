"""An object store as a storage: `s3://bucket/prefix`, at Amazon or where `AWS_ENDPOINT_URL` says.

Endpoint, region and credentials come from the usual `AWS_*` environment, to which `.env` adds, from
profiles and roles. A put of an object is atomic there, and so is the end of an upload in parts.
"""

import asyncio
import base64
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from functools import cached_property
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from engine.artifact_files.faults import (
    FileDamaged,
    FileMissing,
    StorageRefused,
    StorageUnreachable,
    StorageUnsupported,
)
from engine.artifact_files.ranges import open_ranges
from engine.artifact_files.spool import SpooledFile
from engine.artifact_files.storage import FoundFile
from engine.errors import EngineError
from engine.redaction.urls import without_password

# A file up to this size is one request; a longer one goes in parts of it, at most 10,000.
PART = 16 * 1024 * 1024
_MOST_PARTS = 10_000
_ANSWERS = {"connect_timeout": 5, "read_timeout": 60}  # seconds
# What a server says when it is worth asking again.
_PASSING = {"SlowDown", "RequestTimeout", "Throttling", "ThrottlingException", "BadDigest"}


class S3:
    """The objects of a bucket whose keys begin with a prefix."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.shown = without_password(url)
        if "@" in parts.netloc:
            raise self._unsupported("its credentials belong into AWS_ACCESS_KEY_ID and its like")
        if not parts.netloc or ":" in parts.netloc or parts.query or parts.fragment:
            raise self._unsupported("write s3://bucket/prefix; the server is AWS_ENDPOINT_URL")
        self.bucket = parts.netloc
        self._prefix = "".join(f"{part}/" for part in parts.path.split("/") if part)

    def put(self, file: SpooledFile, path: str) -> None:
        """One request, or parts that become an object once all are there."""
        object_ = {
            "Key": self._prefix + path,
            "ContentType": file.media_type,
            "Metadata": {"sha256": file.sha256},
        }
        if file.size <= PART:
            self._put_whole(file, object_)
        else:
            self._put_parts(file, object_)
        self._require_as_sent(file, self._prefix + path)

    def open(self, path: str) -> BinaryIO:
        """The object, read range by range."""
        size = self._size(path)
        where = f"{self.bucket}/{self._prefix}{path}"

        def read(start: int, length: int) -> bytes:
            try:
                piece: bytes = self._files.cat_file(where, start=start, end=start + length)
            except FileNotFoundError as error:
                raise FileMissing(path=path, root=self.shown) from error
            except Exception as error:
                raise self._explained(error) from error
            if len(piece) != length:
                raise StorageUnreachable(url=self.shown, reason=f"{path!r} was cut off")
            return piece

        return open_ranges(size, read)

    def delete(self, path: str) -> None:
        """Remove the object; S3 does not say whether there was one."""
        self._ask("delete_object", Key=self._prefix + path)

    def found(self) -> Iterator[FoundFile]:
        """Every object, a thousand a request."""
        place: dict[str, str] = {}
        while True:
            page = self._ask("list_objects_v2", Prefix=self._prefix, **place)
            for each in page.get("Contents", ()):
                path = each["Key"].removeprefix(self._prefix)
                yield FoundFile(path=path, modified_at=each["LastModified"])
            if not page.get("IsTruncated"):
                return
            place = {"ContinuationToken": page["NextContinuationToken"]}

    def delete_unfinished(self, begun_before: datetime) -> int:
        """Give up uploads in parts whose process was killed."""
        aborted = 0
        place: dict[str, str] = {}
        while True:
            page = self._ask("list_multipart_uploads", Prefix=self._prefix, **place)
            for each in page.get("Uploads", ()):
                if each["Initiated"] < begun_before:
                    self._abort(each["Key"], each["UploadId"])
                    aborted += 1
            if not page.get("IsTruncated"):
                return aborted
            place = {
                "KeyMarker": page["NextKeyMarker"],
                "UploadIdMarker": page["NextUploadIdMarker"],
            }

    def close(self) -> None:
        """Let go of the connections."""
        vars(self).pop("_files", None)

    @cached_property
    def _files(self) -> Any:
        from s3fs import S3FileSystem

        config = {
            **_ANSWERS,
            # Who stores a file decides how often it is tried, and can say so meanwhile.
            "retries": {"total_max_attempts": 1},
            # Newer checksums are unknown to many a store; Content-MD5 is not.
            "request_checksum_calculation": "when_required",
            "response_checksum_validation": "when_required",
        }
        files = S3FileSystem(
            config_kwargs=config, skip_instance_cache=True, use_listings_cache=False
        )
        files.retries = 1
        return files

    def _put_whole(self, file: SpooledFile, object_: Mapping[str, Any]) -> None:
        data = file.location.read_bytes()
        _require_as_written(file, hashlib.sha256(data).hexdigest())
        self._ask("put_object", **object_, Body=data, ContentMD5=_md5(data))

    def _put_parts(self, file: SpooledFile, object_: Mapping[str, Any]) -> None:
        key = object_["Key"]
        upload = self._ask("create_multipart_upload", **object_)["UploadId"]
        size = max(PART, -(-file.size // _MOST_PARTS))
        digest = hashlib.sha256()
        parts: list[dict[str, Any]] = []
        try:
            with file.location.open("rb") as source:
                while data := source.read(size):
                    digest.update(data)
                    part = {"PartNumber": len(parts) + 1}
                    sent = self._ask(
                        "upload_part",
                        Key=key,
                        UploadId=upload,
                        Body=data,
                        ContentMD5=_md5(data),
                        **part,
                    )
                    parts.append({**part, "ETag": sent["ETag"]})
            _require_as_written(file, digest.hexdigest())
            self._ask(
                "complete_multipart_upload",
                Key=key,
                UploadId=upload,
                MultipartUpload={"Parts": parts},
            )
        except BaseException:
            # What cannot be given up now, the purge gives up later.
            with suppress(EngineError):
                self._abort(key, upload)
            raise

    def _abort(self, key: str, upload: str) -> None:
        with suppress(FileNotFoundError):
            self._ask("abort_multipart_upload", Key=key, UploadId=upload)

    def _require_as_sent(self, file: SpooledFile, key: str) -> None:
        head = self._ask("head_object", Key=key)
        there = (head["ContentLength"], head["Metadata"].get("sha256"))
        if there != (file.size, file.sha256):
            self._ask("delete_object", Key=key)
            reason = f"{key!r} has {there[0]} bytes there, not {file.size}, or is another file"
            raise StorageUnreachable(url=self.shown, reason=reason)

    def _size(self, path: str) -> int:
        try:
            return int(self._ask("head_object", Key=self._prefix + path)["ContentLength"])
        except FileNotFoundError as error:
            self._require_bucket()
            raise FileMissing(path=path, root=self.shown) from error

    def _require_bucket(self) -> None:
        """Raise StorageRefused if it is the bucket that is missing: HEAD does not say what is."""
        try:
            self._ask("head_bucket")
        except FileNotFoundError as error:
            raise self._without_bucket() from error

    def _ask(self, action: str, **facts: Any) -> Any:
        """One request; FileNotFoundError for an object or upload that is not there."""
        try:
            return self._files.call_s3(action, Bucket=self.bucket, **facts)
        except FileNotFoundError as error:
            if _told(error)[0] == "NoSuchBucket":
                raise self._without_bucket() from error
            raise
        except Exception as error:
            raise self._explained(error) from error

    def _explained(self, error: Exception) -> Exception:
        """The error as a line; itself if it is no matter of the store or the way there."""
        from botocore.exceptions import BotoCoreError, NoCredentialsError

        code, text, status = _told(error)
        if code:
            passing = status >= 500 or status == 429 or code in _PASSING
            reason = f"{code}: {text}" if text else code
            kind = StorageUnreachable if passing else StorageRefused
            return kind(url=self.shown, reason=reason)
        if isinstance(error, NoCredentialsError):
            reason = (
                "no credentials are given; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
                "in .env for example"
            )
            return StorageRefused(url=self.shown, reason=reason)
        package = type(error).__module__.partition(".")[0]
        ours = isinstance(error, OSError | BotoCoreError | asyncio.TimeoutError)
        if ours or package in {"aiohttp", "fsspec", "botocore"}:
            return StorageUnreachable(url=self.shown, reason=_one_line(error))
        return error

    def _without_bucket(self) -> StorageRefused:
        reason = f"there is no bucket {self.bucket!r}; make it, or correct ENGINE_STORAGE_URL"
        return StorageRefused(url=self.shown, reason=reason)

    def _unsupported(self, text: str) -> StorageUnsupported:
        return StorageUnsupported(url=self.shown, text=text)


def _told(error: BaseException) -> tuple[str, str, int]:
    """The code, text and status with which the store answered; "" if it did not."""
    cause: BaseException | None = error
    while cause is not None:
        response = getattr(cause, "response", None)
        if isinstance(response, dict) and "Error" in response:
            status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            told = response["Error"]
            return str(told.get("Code", "")), str(told.get("Message", "")), int(status)
        cause = cause.__cause__
    return "", "", 0


def _require_as_written(file: SpooledFile, sha256: str) -> None:
    if sha256 != file.sha256:
        raise FileDamaged(path=file.name, root=file.location.parent, text="its hash differs")


def _md5(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
