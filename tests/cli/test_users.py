"""`engine users`, and what commands ask of whoever acts."""

import inspect
import json
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Any

import pytest

from engine.cli.acting import FREE, NEEDS
from tests.builders.app import ROOT
from tests.builders.commands import every_command
from tests.cli.conftest import Engine, engine_in

COMMANDS = dict(every_command())


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """Runs a command in a home whose ledger has no users yet."""
    return engine_in(a_home(tmp_path))


def a_home(folder: Path) -> Path:
    """A home with the project's own jobs, and nothing else yet."""
    copytree(ROOT / "jobs", folder / "jobs", ignore=ignore_patterns("__pycache__"))
    (folder / "schedules.yaml").write_text("schedules: {}\n")
    return folder


def a_user(engine: Engine, name: str, role: str, *scopes: str, **by: str) -> dict[str, str]:
    """The environment of a new user."""
    assert engine("users", "add", name, "--role", role, **by).returncode == 0
    options = [word for scope in scopes for word in ("--scope", scope)]
    given = engine("users", "token", name, *options, **by)
    assert given.returncode == 0
    return {"ENGINE_TOKEN": given.stdout.strip()}


def test_every_command_has_a_role_or_a_reason_to_need_none() -> None:
    assert set(COMMANDS) >= FREE | set(NEEDS)
    assert not FREE & set(NEEDS)


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_that_acts_is_not_for_those_who_only_look(words: str) -> None:
    callback = COMMANDS[words].callback
    assert callback is not None
    source = inspect.getsource(inspect.unwrap(callback))
    if "acting(" in source or "_discard(" in source:
        assert words in NEEDS


def test_from_the_first_user_on_a_token_says_who_acts(engine: Engine) -> None:
    assert "whoever can log in" in engine("users", "list").stdout
    not_yet = engine("users", "add", "omar", "--role", "viewer")
    assert (not_yet.returncode, "admin" in not_yet.stderr) == (2, True)
    sara = a_user(engine, "sara", "admin")
    refused = engine("runs", "list")
    assert (refused.returncode, refused.stdout) == (5, "")
    assert "ENGINE_TOKEN" in refused.stderr
    assert engine("runs", "list", **sara).returncode == 0
    omar = a_user(engine, "omar", "viewer", **sara)
    assert engine("runs", "list", **omar).returncode == 0
    too_low = engine("queue", "pause", "default", **omar)
    assert too_low.returncode == 5
    assert "omar is viewer" in too_low.stderr
    assert "operator: sara" in too_low.stderr
    paused = json.loads(engine("queue", "pause", "default", "--json", **sara).stdout)
    assert paused["paused"][0]["actor"] == "sara"


def test_an_actor_cannot_be_claimed(engine: Engine) -> None:
    claims = dict.fromkeys(("USER", "LOGNAME", "SUDO_USER", "SUDO_UID"), "mallory")
    paused = engine("queue", "pause", "default", "--json", **claims)
    assert "mallory" not in paused.stdout
    # `audit list --actor` looks for what somebody did.
    acts = [each for words, each in COMMANDS.items() if words != "audit list"]
    options = {opt for command in acts for param in command.params for opt in param.opts}
    assert not options & {"--actor", "--as", "--user", "--by"}


def test_a_token_of_nobody_is_refused(engine: Engine) -> None:
    refused = engine("users", "list", ENGINE_TOKEN="engine_nonsense")
    assert refused.returncode == 5
    assert "ENGINE_TOKEN" in refused.stderr
    assert "nonsense" not in refused.stderr


def test_what_needs_no_ledger_needs_no_token(engine: Engine) -> None:
    a_user(engine, "sara", "admin")
    away = {"ENGINE_DATABASE_URL": "postgresql://engine@127.0.0.1:1/engine"}
    others = {"demo", "up", "scheduler", "queue work", "doctor", "database upgrade"}
    for words in FREE - others:
        assert engine(*words.split()).returncode == 0
        assert words == "database status" or engine(*words.split(), **away).returncode == 0
    assert engine("doctor", "--only", "no_worker").returncode in (0, 4)


def test_a_user_that_is_disabled_is_nobody(engine: Engine) -> None:
    sara = a_user(engine, "sara", "admin")
    omar = a_user(engine, "omar", "operator", **sara)
    unasked = engine("users", "disable", "omar", **sara)
    assert unasked.returncode == 5
    assert engine("users", "disable", "omar", "--yes", "--reason", "left", **sara).returncode == 0
    assert engine("runs", "list", **omar).returncode == 5
    assert "omar" not in engine("users", "list", **sara).stdout
    assert "omar" in engine("users", "list", "--all", **sara).stdout


def test_a_token_is_shown_once_ends_and_is_good_for_its_scope(engine: Engine) -> None:
    sara = a_user(engine, "sara", "admin")
    reader = a_user(engine, "board", "operator", "read", **sara)
    assert engine("runs", "list", **reader).returncode == 0
    out_of_scope = engine("queue", "pause", "default", **reader)
    assert (out_of_scope.returncode, "read only" in out_of_scope.stderr) == (5, True)
    listed: Any = json.loads(engine("users", "list", "--json", **sara).stdout)
    (board,) = [user for user in listed["users"] if user["name"] == "board"]
    assert board["tokens"][0]["scopes"] == ["read"]
    assert reader["ENGINE_TOKEN"] not in json.dumps(listed)
    assert engine("users", "revoke", str(board["tokens"][0]["id"]), **sara).returncode == 0
    assert engine("runs", "list", **reader).returncode == 5
    assert engine("users", "revoke", "99", **sara).returncode == 3


def test_who_only_looks_raises_no_event(engine: Engine) -> None:
    viewer = a_user(engine, "board", "viewer", **a_user(engine, "sara", "admin"))
    seen = engine("queue", "monitor", "default:0", "--max-failed", "0", **viewer)
    assert seen.returncode in (0, 4)
    assert "no event was raised: board is viewer" in seen.stderr
    assert json.loads(engine("events", "list", "--json", **viewer).stdout)["events"] == []


def test_what_is_completed_is_for_those_who_may_look(engine: Engine) -> None:
    sara = a_user(engine, "sara", "admin")
    booked: Any = json.loads(engine("run", "purge_expired_artifacts", "--json", **sara).stdout)
    asked = {
        "_ENGINE_COMPLETE": "complete_bash",
        "COMP_WORDS": "engine runs show ",
        "COMP_CWORD": "3",
    }
    assert booked["reference"] in engine(**asked, **sara).stdout
    assert booked["reference"] not in engine(**asked).stdout


def test_a_token_in_the_file_that_all_share_is_refused(tmp_path: Path) -> None:
    home = a_home(tmp_path)
    with (home / ".env").open("a") as file:
        file.write("ENGINE_TOKEN=engine_shared\n")
    refused = engine_in(home)("runs", "list")
    assert refused.returncode == 2
    assert "ENGINE_TOKEN" in refused.stderr
    assert "engine_shared" not in refused.stderr
