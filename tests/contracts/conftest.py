"""What the contracts of several families ask for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.artifact_files.files import ArtifactFiles
from engine.artifact_files.storages import STORAGES, open_storage
from tests.builders.s3 import S3Server


@pytest.fixture(params=[*STORAGES])
def files(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ArtifactFiles]:
    """An empty storage of each kind."""
    if request.param == "file":
        url = f"file://{tmp_path / 'artifacts'}"
    elif request.param == "s3":
        server: S3Server = request.getfixturevalue("s3_server")
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        url = f"s3://{server.make_bucket()}/some/prefix"
    else:
        url = request.getfixturevalue("sftp_server").url(f"/{tmp_path.name}/artifacts")
    files = ArtifactFiles(storage=open_storage(url))
    yield files
    files.close()
