"""`engine up`: whose runs it carries out, and from where it may be started."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.cli.queue_names import served
from engine.job import Job
from tests.builders.schedule import a_schedule
from tests.cli.conftest import Engine


def test_the_queue_of_a_schedule_is_served_though_no_job_has_it() -> None:
    jobs = {"pay": Job(name="pay", function=lambda context: None, queue="payouts")}
    schedules = {"nightly": a_schedule(queue="night")}
    assert served(jobs, schedules) == ["default", "night", "payouts"]


def test_it_runs_the_jobs_of_its_home_wherever_it_is_started(tmp_path: Path) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    for folder in (home, elsewhere):
        (folder / "jobs").mkdir(parents=True)
    (home / "jobs" / "trials.py").write_text(
        "from engine.authoring import job\n@job()\ndef trial(context): ...\n"
    )
    (home / "schedules.yaml").write_text("schedules: {now: {job: trial, every: 1s}}\n")
    (elsewhere / "jobs" / "__init__.py").write_text("")
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    said = []
    with subprocess.Popen(  # noqa: S603 - our own command
        [Path(sys.executable).parent / "engine", "up"],
        cwd=elsewhere,
        env=environment | {"ENGINE_HOME": str(home)},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line)
            if "state=succeeded" in line and process.poll() is None:
                process.send_signal(signal.SIGINT)
    assert process.returncode == 0, "".join(said)


@pytest.mark.parametrize(
    ("arguments", "settings", "said"),
    [
        (["--queue", "bad name"], {}, "--queue: 'bad name' is no queue's name"),
        (["--queue", "default,Night"], {}, "--queue: 'Night' is no queue's name"),
        (["--queue", ","], {}, "--queue: '' is no queue's name"),
        ([], {"ENGINE_STORAGE_URL": "s3://key:secret@bucket"}, "credentials belong into AWS_"),
        ([], {"ENGINE_STORAGE_URL": "sftp://me:secret@host/"}, "write sftp://user@host:port/path"),
        ([], {"ENGINE_QUEUE_URL": "postgresql://me:secret@h/q?nope=1"}, "ENGINE_QUEUE_URL: "),
        ([], {"ENGINE_SOURCES__CANTEEN": "oracle://me:secret@h/x"}, "oracle:// is not supported"),
    ],
)
def test_what_is_wrong_is_said_in_a_line_before_anything_starts(
    engine: Engine, arguments: list[str], settings: dict[str, str], said: str
) -> None:
    done = engine("up", *arguments, **settings)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert said in done.stderr
    assert "secret" not in done.stderr
