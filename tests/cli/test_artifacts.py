"""Downloading: whole, as recorded, or not at all; and what a wrong storage is told."""

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from engine.app import build_app
from engine.reporting.proof import ProofFailed
from engine.settings import Settings
from engine.store.database import Database
from engine.store.run import Claim
from tests.builders.disk import a_small_disk
from tests.builders.report import ROWS, Desk, dataset, sales
from tests.builders.run import a_claim
from tests.builders.s3 import S3Server
from tests.builders.sftp import SftpServer
from tests.cli.conftest import Engine, engine_in


@pytest.fixture
def own_home(home: Path, tmp_path: Path) -> Path:
    """A copy of the home, which the test may spoil."""
    return Path(copytree(home, tmp_path / "home"))


@pytest.fixture
def own(own_home: Path) -> Engine:
    return engine_in(own_home)


def file_of(home: Path, artifact: Any) -> Path:
    return home / "var" / "artifacts" / str(artifact["path"])


@pytest.fixture
def artifact(told: Callable[..., Any]) -> Any:
    """The CSV of the home's run."""
    return next(
        each for each in told("artifacts", "list")["artifacts"] if each["name"].endswith(".csv")
    )


def refuses(own: Engine, artifact: Any, target: Path) -> str:
    """What `get` says when it gives nothing."""
    got = own("artifacts", "get", str(artifact["id"]), "-o", str(target))
    assert got.returncode == 1, got.stderr
    assert got.stderr.count("\n") == 1
    return str(got.stderr)


def test_a_file_can_be_written_to_stdout_or_a_device(own: Engine, artifact: Any) -> None:
    number = str(artifact["id"])
    got = own("artifacts", "get", number, "-o", "-")
    assert (got.returncode, got.stderr) == (0, "")
    assert len(got.stdout.splitlines()) == artifact["rows"] + 1
    assert own("artifacts", "get", number, "-o", os.devnull).returncode == 0
    assert not Path(os.devnull).is_file()


def test_a_file_that_changed_is_not_given_out(
    own: Engine, own_home: Path, artifact: Any, tmp_path: Path
) -> None:
    stored = file_of(own_home, artifact)
    stored.write_bytes(stored.read_bytes()[:-1])
    target = tmp_path / "breaks.csv"
    target.write_text("of before")
    got = own("artifacts", "get", str(artifact["id"]), "-o", str(target), "--force")
    assert got.returncode == 1
    assert "is damaged" in got.stderr
    assert target.read_text() == "of before"
    assert list(tmp_path.glob(".*")) == []


def test_a_file_that_was_removed_by_hand_or_by_retention_is_named(
    own: Engine, own_home: Path, artifact: Any, tmp_path: Path
) -> None:
    target = tmp_path / "breaks.csv"
    file_of(own_home, artifact).unlink()
    assert "was it removed by hand" in refuses(own, artifact, target)
    with closing(sqlite3.connect(own_home / "var" / "engine.db")) as ledger, ledger:
        ledger.execute("UPDATE artifacts SET deleted_at = '2026-11-30 00:00:00.000000'")
    said = refuses(own, artifact, target)
    assert "was deleted at 2026-11-30T00:00:00+00:00 by its retention" in said
    assert not target.exists()


def test_options_of_the_storages_client_are_read_from_the_file_and_the_environment_wins(
    own: Engine, own_home: Path, artifact: Any, tmp_path: Path, s3_server: S3Server
) -> None:
    bucket, stored = s3_server.make_bucket(), file_of(own_home, artifact).read_bytes()
    s3_server.client.put_object(Bucket=bucket, Key=f"nightly/{artifact['path']}", Body=stored)
    with (own_home / ".env").open("a") as file:
        file.write(f"ENGINE_STORAGE_URL=s3://{bucket}/nightly\n")
        file.writelines(f"{name}='{value}'\n" for name, value in s3_server.environment.items())
    target = tmp_path / "breaks.csv"
    got = own("artifacts", "get", str(artifact["id"]), "-o", str(target))
    assert got.returncode == 0, got.stderr
    assert target.read_bytes() == stored
    away = own("artifacts", "get", "1", "-o", "-", AWS_ENDPOINT_URL="http://127.0.0.1:9")
    assert away.returncode == 6
    assert "Could not connect to the endpoint URL" in away.stderr


def test_a_file_or_bucket_that_is_missing_on_a_server_is_named(
    own: Engine, artifact: Any, tmp_path: Path, s3_server: S3Server, sftp_server: SftpServer
) -> None:
    bucket, number = s3_server.make_bucket(), str(artifact["id"])
    for url, code, said in (
        (f"s3://{bucket}", 1, f"is not in s3://{bucket}; was it removed by hand"),
        ("s3://nobucket", 6, "there is no bucket 'nobucket'; make it, or correct ENGINE_STORAGE"),
        (sftp_server.url("/none"), 1, "/none; was it removed by hand, or is the root wrong?"),
    ):
        settings = {**s3_server.environment, "ENGINE_STORAGE_URL": url}
        got = own("artifacts", "get", number, "-o", str(tmp_path / "x.csv"), **settings)
        assert (got.returncode, got.stdout, got.stderr.count("\n")) == (code, "", 1), got.stderr
        assert said in got.stderr
        assert not (tmp_path / "x.csv").exists()


@pytest.mark.parametrize("number", ["4711", "0", "9" * 30, "x", "1.5", "²"])
def test_an_id_that_nothing_has_is_exit_3(own: Engine, number: str) -> None:
    got = own("artifacts", "get", number)
    assert (got.returncode, got.stderr.count("\n")) == (3, 1), got.stderr
    assert f"no artifact has the id {number}" in got.stderr.replace("'", "")


def test_a_target_without_room_is_left_as_it_was(
    own: Engine, artifact: Any, tmp_path: Path
) -> None:
    with a_small_disk(tmp_path / "small", megabytes=1) as disk:
        disk.fill()
        said = refuses(own, artifact, disk.folder / "breaks.csv")
        assert "No space left on device; check its free space" in said
        assert [each.name for each in disk.folder.iterdir()] == ["filler"]


def test_a_folder_for_the_target_that_is_not_there_is_named(
    own: Engine, artifact: Any, tmp_path: Path
) -> None:
    said = refuses(own, artifact, tmp_path / "nowhere" / "breaks.csv")
    assert f"cannot write 'breaks.csv' in {tmp_path / 'nowhere'}: No such file" in said


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        ("ftp://host/x", 2, "ENGINE_STORAGE_URL: a URL must start with file://"),
        ("s3://key:secret@bucket", 2, "s3://key:***@bucket"),
        ("sftp://me:secret@host/", 2, "write sftp://user@host:port/path"),
        ("sftp://me:secret@127.0.0.1:9/x", 6, "sftp://me:***@127.0.0.1:9/x does not answer"),
    ],
)
def test_a_wrong_storage_is_named_in_one_line(
    engine: Engine, artifact: Any, url: str, code: int, said: str
) -> None:
    commands = [["artifacts", "get", str(artifact["id"]), "-o", "-"]]
    if code == 2:
        commands.append(["queue", "work"])
    for command in commands:
        done = engine(*command, ENGINE_STORAGE_URL=url)
        assert done.returncode == code, done.stderr
        assert done.stderr.count("\n") == 1
        assert said in done.stderr
        assert "secret" not in done.stderr


@pytest.fixture
def desk(own_home: Path) -> Iterator[Desk]:
    """Where a daily report is published in the home."""
    app = build_app(Settings(home=own_home))
    yield Desk(publisher=app.publisher)
    app.close()


@pytest.fixture
def claimed(own_home: Path) -> Iterator[Callable[[], Claim]]:
    """Claims runs of the home, one after the other."""
    database = Database(Settings(home=own_home).database)
    yield lambda: a_claim(database)
    database.dispose()


def said(done: Any) -> Any:
    return json.loads(done.stdout)["artifacts"]


def test_the_last_versions_are_listed_and_all_if_asked_for(
    own: Engine, claimed: Callable[[], Claim], desk: Desk
) -> None:
    for rows in (ROWS, ROWS[:1]):
        document = sales(rows)
        desk.publish(claimed(), document=document, read=dataset(document))
    daily = ("artifacts", "list", "--report", "daily_sales", "--json")
    assert [each["name"] for each in said(own(*daily))] == ["daily-sales-2026-11-23.v2.csv"]
    assert [each["version"] for each in said(own(*daily, "--all-versions"))] == [2, 1]
    assert "daily-sales-2026-11-23.v2.csv" in own("artifacts", "list").stdout


def test_a_manifest_can_be_had_with_or_without_its_file(
    own: Engine, claimed: Callable[[], Claim], desk: Desk, tmp_path: Path
) -> None:
    (made,) = desk.publish(claimed())
    shown = own("artifacts", "get", str(made.id), "--manifest", "-o", "-")
    assert json.loads(shown.stdout) == made.manifest
    assert own("artifacts", "get", str(made.id), "--manifest", "-o", str(tmp_path)).returncode == 0
    file = tmp_path / "daily-sales-2026-11-23.csv.manifest.json"
    assert json.loads(file.read_text()) == made.manifest


def test_a_file_without_a_manifest_says_so(own: Engine, artifact: Any) -> None:
    got = own("artifacts", "get", str(artifact["id"]), "--manifest", "-o", "-")
    assert (got.returncode, got.stderr.count("\n")) == (1, 1)
    assert "has no manifest" in got.stderr


def test_what_is_in_quarantine_is_given_to_those_only_who_ask_for_it(
    own: Engine, claimed: Callable[[], Claim], desk: Desk
) -> None:
    claim = claimed()
    lost = replace(sales(), tables=[replace(sales().main, rows=ROWS[:2])])
    with pytest.raises(ProofFailed):
        desk.publish(claim, document=lost, read=dataset(sales()))
    assert "quarantined" not in own("artifacts", "list").stdout
    (kept,) = said(own("artifacts", "list", "--quarantined", "--json"))
    assert "rows of sales are 2" in kept["quarantined"]
    number = str(kept["id"])
    refused = own("artifacts", "get", number, "-o", "-")
    assert (refused.returncode, refused.stdout) == (5, "")
    assert "is in quarantine: daily-sales-2026-11-23.csv: rows of sales are 2" in refused.stderr
    given = own("artifacts", "get", number, "-o", "-", "--quarantined")
    assert (given.returncode, given.stdout.count("\n")) == (0, 3)
    assert own("artifacts", "verify", number).returncode == 1


def test_every_file_can_be_verified(
    own: Engine, own_home: Path, claimed: Callable[[], Claim], desk: Desk
) -> None:
    (made,) = desk.publish(claimed())
    whole = own("artifacts", "verify", "--all", "--json")
    assert whole.returncode == 0, whole.stderr
    assert {each["verified"] for each in said(whole)} == {True}
    assert len(said(whole)) == 4
    one = own("artifacts", "verify", str(made.id))
    assert one.stdout == (
        f"{made.id} {made.name}: as it was (size, sha256, manifest, rows, totals)\n"
    )
    stored = own_home / "var" / "artifacts" / made.path
    stored.write_bytes(stored.read_bytes().replace(b"Salmiya", b"salmiya"))
    found = own("artifacts", "verify", "--all", "--json")
    assert found.returncode == 1
    (changed,) = [each for each in said(found) if not each["verified"]]
    assert changed["name"] == made.name
    assert changed["problems"][0].startswith("its SHA-256 is")


def test_verifying_nothing_or_two_things_is_wrong_use(own: Engine) -> None:
    for arguments in ((), ("1", "--all")):
        assert own("artifacts", "verify", *arguments).returncode == 2
    assert own("artifacts", "verify", "4711").returncode == 3
