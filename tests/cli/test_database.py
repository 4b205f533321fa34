"""`engine database` on a server, and what every other command says of a ledger it cannot use."""

import json
from pathlib import Path
from shutil import copytree

import pytest

from engine.store.database import REVISION
from tests.builders.app import ROOT
from tests.builders.database import a_postgres_ledger
from tests.builders.postgres import PostgresServer
from tests.cli.conftest import Done, engine_in

NEEDING_THE_LEDGER = [
    ("run", "purge_expired_artifacts"),
    ("runs", "list"),
    ("runs", "show", "1"),
    ("breaks", "list"),
    ("artifacts", "list"),
    ("queue", "status"),
    ("up",),
]
# They wait for a server that is away.
PATIENT = [("queue", "work"), ("scheduler",)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's jobs and schedules, and nothing done yet."""
    folder = tmp_path_factory.mktemp("home")
    copytree(ROOT / "jobs", folder / "jobs")
    (folder / "schedules.yaml").write_text("schedules: {}\n")
    return folder


@pytest.fixture
def url(postgres_server: PostgresServer) -> str:
    """Of a database without tables."""
    return postgres_server.url_of(postgres_server.make_database())


def refused(done: Done) -> str:
    """The one line that is said."""
    assert done.returncode == 6, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line


def test_a_ledger_on_a_server_is_upgraded_by_its_command(home: Path, url: str) -> None:
    engine = engine_in(home)

    def status() -> object:
        return json.loads(engine("database", "status", "--json", ENGINE_DATABASE_URL=url).stdout)

    wanted = {"url": url, "wanted": REVISION}
    assert status() == wanted | {"revision": None, "current": False}
    shown = engine("database", "status", ENGINE_DATABASE_URL=url).stdout
    assert "none: run the upgrade" in shown
    done = engine("database", "upgrade", ENGINE_DATABASE_URL=url)
    assert (done.returncode, done.stdout) == (0, f"upgraded to revision {REVISION}\n")
    assert status() == wanted | {"revision": REVISION, "current": True}
    again = engine("database", "upgrade", "--json", ENGINE_DATABASE_URL=url)
    assert json.loads(again.stdout) == {"upgraded": False, "revision": REVISION}
    assert engine("runs", "list", ENGINE_DATABASE_URL=url).stdout.startswith("No runs yet")


@pytest.mark.parametrize("command", [*NEEDING_THE_LEDGER, *PATIENT])
def test_a_ledger_that_is_behind_is_named_with_the_command_to_run(
    home: Path, url: str, command: tuple[str, ...]
) -> None:
    line = refused(engine_in(home)(*command, ENGINE_DATABASE_URL=url, ENGINE_METRICS="off"))
    assert line == (
        f"engine: the run ledger {url} has no tables, and this version needs revision "
        f"{REVISION}; run `engine database upgrade`"
    )


@pytest.mark.parametrize("command", [*NEEDING_THE_LEDGER, ("database", "upgrade")])
def test_a_server_that_is_down_is_one_line_without_its_password(
    home: Path, command: tuple[str, ...]
) -> None:
    url = "postgresql://clerk:hush@127.0.0.1:1/engine"
    line = refused(engine_in(home)(*command, ENGINE_DATABASE_URL=url))
    assert line.startswith(
        "engine: the run ledger postgresql://clerk:***@127.0.0.1:1/engine cannot"
    )
    assert "Connection refused" in line


def test_a_run_that_is_booked_on_a_server_is_found_there(
    home: Path, postgres_server: PostgresServer
) -> None:
    engine = engine_in(home)
    ledger = {
        "ENGINE_DATABASE_URL": a_postgres_ledger(postgres_server),
        "ENGINE_SECRET_KEY": "a key of this test that is long enough",
    }
    booked = [
        json.loads(
            engine("run", "purge_expired_artifacts", "--key", "night 24", "--json", **ledger).stdout
        )
        for _ in range(2)
    ]
    assert booked[0]["id"] == booked[1]["id"]
    found = json.loads(engine("runs", "show", str(booked[0]["id"]), "--json", **ledger).stdout)
    assert found["reference"] == booked[0]["reference"]


def test_nothing_is_done_on_a_server_that_could_not_be_audited_for_want_of_a_key(
    home: Path, postgres_server: PostgresServer
) -> None:
    ledger = {"ENGINE_DATABASE_URL": a_postgres_ledger(postgres_server)}
    for command in ("run purge_expired_artifacts", "queue pause default", "queue flush --yes"):
        refused = engine_in(home)(*command.split(), **ledger)
        assert refused.returncode == 2, command
        assert "ENGINE_SECRET_KEY is not set" in refused.stderr
    assert engine_in(home)("runs", "list", **ledger).stdout.startswith("No runs yet")


@pytest.mark.parametrize(
    "command",
    [
        ("runs", "show", "9" * 18),
        ("runs", "show", "9" * 30),
        ("breaks", "show", "9" * 30),
        ("artifacts", "get", "9" * 30),
    ],
)
def test_a_number_that_no_database_holds_is_an_unknown_id(
    home: Path, postgres_server: PostgresServer, command: tuple[str, ...]
) -> None:
    engine = engine_in(home)
    for ledger in ({}, {"ENGINE_DATABASE_URL": a_postgres_ledger(postgres_server)}):
        done = engine(*command, **ledger)
        assert done.returncode == 3, done.stderr


@pytest.mark.parametrize("key", ["k" * 201, "a\nb"])
def test_a_key_that_no_database_keeps_is_refused(home: Path, key: str) -> None:
    done = engine_in(home)("run", "purge_expired_artifacts", "--key", key)
    assert done.returncode == 2
    assert "a key has 1 to 200 characters" in done.stderr
    assert "Traceback" not in done.stderr
