"""What a job prints, logs or raises is stored without the passwords of the settings."""

from pathlib import Path

import pytest

from engine.states import RunState
from tests.builders.home import Home
from tests.processes.waiting import until

pytestmark = pytest.mark.process

_JOBS = """
import logging, os, sys
from engine.authoring import RetryPolicy, job

SAID = "{password}"

def leak(context):
    print("bare", SAID)
    sys.stderr.write(f"conninfo host=db password={{SAID[:3]}}xyz user=me\\n")
    logging.getLogger("leaks").warning("logged %s", SAID)
    context.progress(1, 2, f"with {{SAID}}")
    raise RuntimeError(f"cannot log in with {{SAID}}, PGPASSWORD={{SAID[:2]}}abc")

@job(retry=RetryPolicy(attempts=1))
def leak_in_a_process(context): leak(context)

@job(isolated=False, retry=RetryPolicy(attempts=1))
def leak_in_a_thread(context): leak(context)
"""


@pytest.mark.parametrize("job", ["leak_in_a_process", "leak_in_a_thread"])
def test_a_password_that_a_job_lets_slip_is_not_stored(home: Home, job: str) -> None:
    (home.folder / "jobs" / "leaks.py").write_text(_JOBS.format(password="hun/ter@2"))
    home.more["ENGINE_SOURCES__CANTEEN"] = "postgresql://reader:hun%2Fter%402@db/canteen"
    home.start_worker("-w", "1")
    run = home.book(job)
    until(lambda: home.ended(run), within=20)
    assert home.runs.get(run.id).state is RunState.FAILED
    shown = home.run("runs", "show", run.reference, "--json").stdout
    logs = home.run("runs", "logs", run.reference).stdout
    assert "cannot log in with ***, PGPASSWORD=***" in shown
    for line in ("logged ***",) if job.endswith("thread") else ("bare ***", "logged ***"):
        assert line in logs
    if job.endswith("process"):
        assert "conninfo host=db password=*** user=me" in logs
    _ledger_has_none_of("hun/ter@2", "hun%2Fter%402", "huabc", "hunxyz", folder=home.folder / "var")


def _ledger_has_none_of(*texts: str, folder: Path) -> None:
    for file in folder.glob("engine.db*"):
        data = file.read_bytes()
        assert not [text for text in texts if text.encode() in data]
