"""A real worker carries out runs with secrets, and nothing of them is left in the home."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import select

from engine.states import RunState
from engine.store.sealed_params import SealedParamStore
from engine.store.tables import effects
from engine.store.user_tables import metadata
from tests.builders.home import Home
from tests.processes.waiting import until

pytestmark = pytest.mark.process

# What the job does with each of them is known here, and nowhere in the home.
TOKEN, PHONE, FROM_FILE = "hush-7QpX/2+wz", "966551239876", "line-one-9k\nline-two-8j"
MAIL = "sara.k@example.com"
_JOBS = """
import json, logging, resource, sys, threading
from pathlib import Path
from engine.authoring import Personal, RetryPolicy, Secret, job

def say(context, heard, **params):
    Path(heard).write_text(json.dumps(params))
    print(*params.values(), params)
    sys.stderr.write(f"{params['api_key']}\\n")
    logging.getLogger("said").warning("logged %r", params, extra=params)
    context.progress(1, 2, f"with {params['token']}, {params['note']}")
    if params["fails"]:
        raise RuntimeError("x" * 3990 + f"{params['token']} {params!r}")
    return {"list": list(params.values()), **params}

@job(retry=RetryPolicy(attempts=1))
def say_in_a_process(context, *, heard: str, token: str, phone: Personal[str], api_key: str,
                     pin: int, note: str = "", fails: bool = False):
    assert resource.getrlimit(resource.RLIMIT_CORE)[0] == 0  # no file of its memory is left
    return say(context, heard, token=token, phone=phone, api_key=api_key, pin=pin, note=note,
               fails=fails)

@job(isolated=False, retry=RetryPolicy(attempts=1))
def say_in_a_thread(context, *, heard: str, token: str, phone: Personal[str], api_key: str,
                    pin: int, note: str = "", fails: bool = False):
    return say(context, heard, token=token, phone=phone, api_key=api_key, pin=pin, note=note,
               fails=fails)

@job(retry=RetryPolicy(attempts=1))
def once_in_a_process(context, *, token: str):
    context.once("key " + token, None, lambda: None)

@job(isolated=False, retry=RetryPolicy(attempts=1))
def once_in_a_thread(context, *, token: str):
    context.once("key " + token, None, lambda: None)

@job(retry=RetryPolicy(attempts=1))
def once_in_its_own_thread(context, *, token: str):
    errors = []
    def work():
        try:
            context.once("key " + token, None, lambda: None)
        except Exception as error:
            errors.append(error)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    raise errors[0]
"""


@pytest.mark.parametrize("where", ["process", "thread"])
@pytest.mark.parametrize("ends", ["well", "badly"])
def test_nothing_of_a_secret_is_found_after_its_run(
    home: Home, tmp_path: Path, where: str, ends: str
) -> None:
    heard = _prepare(home, tmp_path)
    home.start_worker("-w", "1")
    fails = ends == "badly"
    booked = home.json("run", f"say_in_a_{where}", *_params(heard, fails=fails))
    assert (booked["params"]["token"], booked["params"]["phone"]) == ("***", "***")
    assert booked["params"]["api_key"] == "${secret:api}"
    assert booked["params"]["note"] == "to ***, soon"
    run = home.runs.get(booked["id"])
    until(lambda: home.ended(run), within=20)
    assert home.runs.get(run.id).state is (RunState.FAILED if fails else RunState.SUCCEEDED)
    assert json.loads(heard.read_text()) == {
        "token": TOKEN,
        "phone": PHONE,
        "api_key": FROM_FILE,
        "pin": 739154,
        "note": f"to {MAIL}, soon",
        "fails": fails,
    }
    sealed = SealedParamStore(home.database)
    if fails:
        assert sealed.of_run(run.id)
        home.run("queue", "forget", str(run.id), "--yes", "--reason", "tried")
    until(lambda: not sealed.of_run(run.id))
    shown = home.run("runs", "show", run.reference, "--json")
    shown_too = home.run("runs", "logs", run.reference)
    assert "***" in shown.stdout
    assert _found_in(shown.stdout + shown.stderr + shown_too.stdout + shown_too.stderr) == []
    assert {str(file): found for file in _files(home) if (found := _found(file.read_bytes()))} == {}


def test_a_secret_that_is_not_there_fails_the_run_and_says_so(home: Home, tmp_path: Path) -> None:
    heard = _prepare(home, tmp_path)
    params = ["-p", "token=${secret:gone}", *_params(heard)[2:]]
    told = home.run("run", "say_in_a_process", *params)
    assert told.returncode == 0
    assert "no secret is named 'gone'" in told.stderr
    home.start_worker("-w", "1")
    run = home.runs.newest()[0]
    until(lambda: home.ended(run), within=20)
    error = home.runs.get(run.id).error
    assert error is not None
    assert error.type == "NoSuchSecret"
    assert not heard.exists()


@pytest.mark.parametrize("job", ["once_in_a_process", "once_in_a_thread", "once_in_its_own_thread"])
def test_no_effect_has_a_secret_of_its_run_in_its_key(home: Home, tmp_path: Path, job: str) -> None:
    _prepare(home, tmp_path)
    home.start_worker("-w", "1")
    run = home.runs.get(home.json("run", job, "-p", f"token={TOKEN}")["id"])
    until(lambda: home.ended(run), within=20)
    error = home.runs.get(run.id).error
    assert error is not None
    assert error.type == "TellingKey"
    assert "'key ***'" in error.message
    with home.database.read() as connection:
        assert connection.execute(select(effects)).all() == []


def _prepare(home: Home, tmp_path: Path) -> Path:
    (home.folder / "jobs" / "saying.py").write_text(_JOBS)
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "api").write_text(FROM_FILE + "\n")
    home.more["ENGINE_SECRETS_DIR"] = str(secrets)
    return tmp_path / "heard.json"


def _params(heard: Path, *, fails: bool = False) -> list[str]:
    given = {
        "token": TOKEN,
        "heard": str(heard),
        "phone": PHONE,
        "api_key": "${secret:api}",
        "pin": "739154",
        "note": f"to {MAIL}, soon",
        "fails": str(fails).lower(),
    }
    return [word for name, value in given.items() for word in ("-p", f"{name}={value}")]


def _files(home: Home) -> Iterator[Path]:
    return (file for file in home.folder.rglob("*") if file.is_file())


def _found_in(text: str) -> list[str]:
    return _found(text.encode())


def _found(data: bytes) -> list[str]:
    lines = FROM_FILE.splitlines()
    return [
        form
        for text in (TOKEN, PHONE, MAIL, "739154", *lines)
        for form in (text, quote(text, safe=""), base64.b64encode(text.encode()).decode())
        if form.encode() in data or form.encode("utf-16-le") in data
    ]


def test_with_a_ledger_on_postgres_every_process_needs_the_key(
    postgres_home: Home, tmp_path: Path
) -> None:
    home = postgres_home
    heard = _prepare(home, tmp_path)
    home.more["ENGINE_SECRET_KEY"] = ""
    refused = home.run("run", "say_in_a_process", *_params(heard))
    assert refused.returncode == 2
    assert "ENGINE_SECRET_KEY" in refused.stderr
    assert home.runs.newest() == []
    home.more["ENGINE_SECRET_KEY"] = "k" * 32
    home.start_worker("-w", "1")
    run = home.runs.get(home.json("run", "say_in_a_process", *_params(heard))["id"])
    until(lambda: home.ended(run), within=30)
    assert home.runs.get(run.id).state is RunState.SUCCEEDED
    assert json.loads(heard.read_text())["token"] == TOKEN
    until(lambda: not SealedParamStore(home.database).of_run(run.id))
    with home.database.read() as connection:
        for table in metadata.sorted_tables:
            rows = str(connection.execute(select(table)).all())
            assert (table.name, _found_in(rows)) == (table.name, [])
    assert {str(file): found for file in _files(home) if (found := _found(file.read_bytes()))} == {}
