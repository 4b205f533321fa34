"""The artifacts' storage is away: nothing is read twice for it, nothing half stored is listed."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.states import RunState
from tests.builders.nightly import Nightly
from tests.builders.s3 import S3Server
from tests.builders.sftp import SftpServer
from tests.processes.waiting import until

pytestmark = pytest.mark.process

FILES = ["wallets-2026-11-24.csv", "wallets-2026-11-24.pdf", "wallets-2026-11-24.xlsx"]

Server = S3Server | SftpServer


@pytest.fixture
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """A storage's server, of the kind that the test asks for, that is not there yet."""
    server: Server = S3Server() if request.param == "s3" else SftpServer(tmp_path / "sftp")
    yield server
    server.stop()


@pytest.fixture
def home(server: Server, tmp_path: Path) -> Iterator[Nightly]:
    """A home whose files are at that server."""
    if isinstance(server, S3Server):
        home = Nightly(tmp_path / "home", storage_url="s3://reports/nightly")
        home.more |= server.environment
    else:
        home = Nightly(tmp_path / "home", storage_url=server.url())
    yield home
    home.close()


def start(server: Server) -> None:
    server.start()
    if isinstance(server, S3Server):
        server.make_bucket("reports")


@pytest.mark.parametrize("server", ["s3", "sftp"], indirect=True)
def test_a_run_whose_files_could_not_be_stored_stores_them_later_without_its_source(
    home: Nightly, server: Server, tmp_path: Path
) -> None:
    run = home.reconcile(attempts=5)
    home.start_worker()
    failed = home.until(run, RunState.RETRYING)
    assert failed.state is RunState.RETRYING
    assert failed.error is not None
    assert failed.error.type == "StorageUnreachable"
    assert "does not answer" in failed.error.message
    assert home.json("artifacts", "list")["artifacts"] == []
    assert home.spooled() == [run.reference]
    breaks = home.json("breaks", "list")
    # There is nothing to be queried any more.
    home.world.path.unlink()
    start(server)
    ended = home.until(run)
    assert ended.state is RunState.SUCCEEDED
    assert ended.attempt > 1
    assert ended.result["breaks"] == ended.result["opened"] == len(breaks["breaks"])
    assert home.json("breaks", "list") == breaks
    until(lambda: home.spooled() == [], within=20)
    artifacts = home.json("artifacts", "list")["artifacts"]
    assert sorted(each["name"] for each in artifacts) == FILES
    for each in artifacts:
        target = tmp_path / each["name"]
        got = home.run("artifacts", "get", str(each["id"]), "-o", str(target))
        assert (got.returncode, got.stderr) == (0, "")
        assert hashlib.sha256(target.read_bytes()).hexdigest() == each["sha256"]


@pytest.mark.parametrize("server", ["s3"], indirect=True)
def test_what_is_kept_for_a_run_goes_when_the_run_has_failed_for_good(
    home: Nightly, server: Server
) -> None:
    run = home.reconcile(attempts=1)
    home.start_worker()
    until(lambda: home.spooled() == [run.reference], within=30)
    assert home.until(run).state is RunState.FAILED
    until(lambda: home.spooled() == [], within=20)


@pytest.mark.parametrize("server", ["sftp"], indirect=True)
def test_a_download_from_a_storage_that_is_away_is_one_line_and_leaves_nothing(
    home: Nightly, server: Server, tmp_path: Path
) -> None:
    start(server)
    run = home.reconcile()
    home.start_worker()
    assert home.until(run).state is RunState.SUCCEEDED
    server.stop()
    target = tmp_path / "a.csv"
    got = home.run("artifacts", "get", "1", "-o", str(target))
    assert got.returncode == 6
    assert got.stderr.count("\n") == 1
    assert "does not answer" in got.stderr
    assert "secret" not in got.stderr
    assert not target.exists()
    assert list(tmp_path.glob(".a.csv*")) == []
