"""What commands say of secrets: keys by their ids, masks for values, and what is not there."""

import json
import stat
from pathlib import Path

import pytest

from engine.sealing import Keys
from tests.cli.conftest import Engine, engine_in

JOBS = '''
"""Jobs."""

from engine.authoring import JobContext, Personal, Secret, job


@job()
def pay(context: JobContext, *, token: Secret[str] = "default-hush", phone: Personal[str] = "",
        wallet_id: int = 0, note: str = "") -> None:
    """Pay."""
'''
SCHEDULES = """
schedules:
  paying:
    job: pay
    cron: "0 2 * * *"
    params: {token: hush-of-yaml, note: "${secret:gone}", wallet_id: 7}
"""
OLD, NEW = "o" * 32, "n" * 32


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a job that takes secrets."""
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "__init__.py").touch()
    (tmp_path / "jobs" / "paying.py").write_text(JOBS)
    (tmp_path / "schedules.yaml").write_text(SCHEDULES)
    return tmp_path


@pytest.fixture
def engine(home: Path) -> Engine:
    """Runs commands in it."""
    return engine_in(home)


def test_before_anything_is_sealed_there_is_no_key(engine: Engine, home: Path) -> None:
    listed = engine("secrets", "list")
    assert (listed.returncode, listed.stdout) == (
        0,
        "Nothing is sealed, and there is no key yet.\n",
    )
    assert json.loads(engine("secrets", "list", "--json").stdout) == {"keys": []}
    assert not (home / "var" / "secret.key").exists()


def test_a_run_shows_masks_and_its_key_shows_how_much_it_seals(engine: Engine, home: Path) -> None:
    params = ("-p", "token=hush", "-p", "phone=0551234567", "-p", "wallet_id=7")
    booked = json.loads(engine("run", "pay", *params, "--json").stdout)
    assert booked["params"] == {"token": "***", "phone": "***", "wallet_id": 7}
    assert stat.S_IMODE((home / "var" / "secret.key").stat().st_mode) == 0o600
    (key,) = json.loads(engine("secrets", "list", "--json").stdout)["keys"]
    assert (key["place"], key["parameters"], key["schedules"]) == ("first", 2, 0)
    for file in home.rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            assert b"0551234567" not in data
            assert b"token=hush" not in data
            assert b'"hush"' not in data


def test_a_key_that_is_taken_away_is_missing_and_rotating_says_so(engine: Engine) -> None:
    engine("run", "pay", "-p", "token=hush", ENGINE_SECRET_KEY=OLD)
    (old,), (new,) = Keys.parse(OLD).ids, Keys.parse(NEW).ids
    listed = engine("secrets", "list", "--json", ENGINE_SECRET_KEY=NEW)
    found = [(each["id"], each["place"]) for each in json.loads(listed.stdout)["keys"]]
    assert found == [(new, "first"), (old, "missing")]
    rotated = engine("secrets", "rotate", "--dry-run", ENGINE_SECRET_KEY=NEW)
    assert rotated.returncode == 1
    assert f"parameters: 1 cannot be opened; they are sealed under {old}" in rotated.stdout


def test_rotating_brings_everything_under_the_first_key(engine: Engine) -> None:
    engine("run", "pay", "-p", "token=hush", ENGINE_SECRET_KEY=OLD)
    both = {"ENGINE_SECRET_KEY": f"{NEW},{OLD}"}
    (old,), (new,) = Keys.parse(OLD).ids, Keys.parse(NEW).ids
    rehearsed = engine("secrets", "rotate", "--dry-run", **both)
    assert f"parameters: 1 would be sealed anew under the key {new}" in rehearsed.stdout
    rotated = engine("secrets", "rotate", **both)
    assert rotated.returncode == 0
    assert f"parameters: 1 sealed anew under the key {new}" in rotated.stdout
    assert f"the key {old} is needed no more" in rotated.stdout
    listed = engine("secrets", "list", "--json", ENGINE_SECRET_KEY=NEW)
    assert [each["id"] for each in json.loads(listed.stdout)["keys"]] == [new]
    again = json.loads(engine("secrets", "rotate", "--json", ENGINE_SECRET_KEY=NEW).stdout)
    assert [each["resealed"] for each in again["kinds"]] == [0, 0, 0]


def test_a_key_is_the_same_run_only_with_the_same_secret(engine: Engine) -> None:
    first = engine("run", "pay", "-p", "token=hush", "--key", "k")
    assert first.returncode == 0
    again = engine("run", "pay", "-p", "token=hush", "--key", "k")
    assert "booked before under this key" in again.stdout
    other = engine("run", "pay", "-p", "token=other", "--key", "k")
    assert other.returncode == 2
    assert "is the key of run" in other.stderr
    assert "hush" not in other.stderr


@pytest.mark.parametrize("given", ["token=${secret:gone}", "note=with ${secret:gone}, please"])
def test_a_secret_that_is_not_there_is_said_when_a_run_is_booked(
    engine: Engine, given: str
) -> None:
    booked = engine("run", "pay", "-p", given, "--json")
    assert booked.returncode == 0
    name, _, value = given.partition("=")
    assert json.loads(booked.stdout)["params"][name] == value
    assert "no secret is named 'gone'" in booked.stderr
    there = engine("run", "pay", "-p", given, ENGINE_SECRET_VAR_gone="x")
    assert there.stderr == "" or "gone" not in there.stderr


def test_a_value_that_is_not_allowed_is_not_repeated(engine: Engine) -> None:
    refused = engine("run", "pay", "-p", "wallet_id=${secret:x}", "-p", "phon=hush")
    assert refused.returncode == 2
    assert "did you mean 'phone'?" in refused.stderr
    assert "hush" not in refused.stderr


def test_the_schedules_file_is_checked_for_secrets_that_are_not_there(engine: Engine) -> None:
    checked = engine("schedules", "check")
    assert (checked.returncode, checked.stdout) == (0, "schedules.yaml: 1 schedule, no errors\n")
    assert "paying: no secret is named 'gone'" in checked.stderr
    told = json.loads(engine("schedules", "check", "--json").stdout)
    assert told["valid"] is True
    assert [(each["schedule"], "gone" in each["text"]) for each in told["missing_secrets"]] == [
        ("paying", True)
    ]
    fine = engine("schedules", "check", ENGINE_SECRET_VAR_gone="x")
    assert fine.stderr == ""


def test_the_secrets_of_the_schedules_file_are_not_listed(engine: Engine) -> None:
    listed = engine("schedules", "list", "--json")
    (paying,) = json.loads(listed.stdout)["schedules"]
    assert paying["params"] == {"token": "***", "note": "${secret:gone}", "wallet_id": 7}


def test_the_jobs_show_which_parameters_are_sealed_and_no_default_of_theirs(
    engine: Engine,
) -> None:
    (pay,) = json.loads(engine("jobs", "--json").stdout)["jobs"]
    token, phone, wallet, _ = pay["params"]
    assert (token["type"], token["default"], token["sealed"]) == ("text, secret", "***", "secret")
    assert phone["sealed"] == "personal"
    assert (wallet["default"], wallet["sealed"]) == (0, None)
    assert "default-hush" not in engine("jobs").stdout


def test_a_secret_is_refused_as_the_key_of_its_run_and_hidden_where_it_is_repeated(
    engine: Engine, home: Path
) -> None:
    said = "KeySecret1234"
    refused = engine("run", "pay", "-p", f"token={said}", "--key", said)
    assert refused.returncode == 2
    assert "the key '***' holds a secret" in refused.stderr
    assert said not in refused.stdout + refused.stderr
    repeated = ("-p", f"token={said}", "-p", f"note=with {said}")
    booked = json.loads(engine("run", "pay", *repeated, "--json").stdout)
    assert booked["params"] == {"token": "***", "note": "with ***"}
    for file in home.rglob("*"):
        assert not file.is_file() or said.encode() not in file.read_bytes()
