"""The clients of storages can be loaded ahead of a fork."""

import subprocess
import sys

import pytest

from engine.artifact_files.storages import client_of

SCRIPT = "import sys, threading, {client}; sys.exit(threading.active_count() - 1)"


@pytest.mark.parametrize("url", ["s3://bucket", "sftp://host/x"])
def test_loading_a_client_starts_no_thread(url: str) -> None:
    (client,) = client_of(url)
    command = [sys.executable, "-c", SCRIPT.format(client=client)]
    assert subprocess.run(command, check=False).returncode == 0  # noqa: S603 - our own interpreter


def test_a_folder_needs_no_client() -> None:
    assert client_of("file:///x") == ()
