"""The commands given what nobody should give them: one line, an exit code, nothing done."""

from pathlib import Path

import pytest

from engine.app import build_app
from engine.execution.outcome import run_error
from engine.settings import Settings
from engine.store.run import NewRun
from tests.cli.conftest import Done, Engine, engine_in

JOBS = '''"""Trials."""

from enum import Enum

from engine.authoring import JobContext, job


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@job()
def paint(context: JobContext, *, colour: Colour = Colour.RED) -> None:
    """Paint."""


@job()
def wash(context: JobContext) -> None:
    """Wash."""
'''


@pytest.fixture
def trials(tmp_path: Path) -> Engine:
    """Runs a command in a home of its own, whose jobs are trials."""
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "__init__.py").write_text("")
    (tmp_path / "jobs" / "trials.py").write_text(JOBS)
    return engine_in(tmp_path)


def assert_refused(done: Done, *words: str) -> None:
    """Exit 2, one line on stderr that says these words."""
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert all(word in done.stderr for word in words), done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--at", "9999-12-31T23:59:59-12:00"), ("--at", "no instant")),
        (("--at", "0001-01-01T00:00:00+12:00"), ("--at", "no instant")),
        (("--key", ""), ("--key", "empty")),
        (("--key", "\udcff"), ("not UTF-8",)),
        (("-p", "colour=green"), ("'red' or 'blue'",)),
    ],
)
def test_what_cannot_be_booked_is_refused_in_one_line(
    trials: Engine, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    assert_refused(trials("run", "paint", *arguments), *words)
    assert trials("runs", "list").stdout.startswith("No runs yet")


def test_a_key_is_not_shared_by_different_work(trials: Engine) -> None:
    assert trials("run", "paint", "-p", "colour=red", "--key", "k").returncode == 0
    assert trials("run", "paint", "-p", "colour=red", "--key", "k").returncode == 0
    assert_refused(trials("run", "paint", "-p", "colour=blue", "--key", "k"), "'k'", "paint", "red")
    assert_refused(trials("run", "wash", "--key", "k"), "'k'", "paint")


def test_an_env_file_that_is_not_text_is_named(trials: Engine, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xff\xfe")
    assert_refused(trials("jobs"), ".env", "not UTF-8")


@pytest.mark.parametrize("annotation", ['"Missing"', "object()", "type('Own', (), {})"])
def test_a_job_whose_annotations_mean_nothing_is_named(
    trials: Engine, tmp_path: Path, annotation: str
) -> None:
    source = (
        f"from engine.authoring import job\n@job()\ndef odd(context, *, x: {annotation}): ...\n"
    )
    (tmp_path / "jobs" / "odd.py").write_text(source)
    assert_refused(trials("run", "odd", "-p", "x=1"), "'odd'")


def test_a_failed_run_shows_where_it_failed(trials: Engine, tmp_path: Path) -> None:
    app = build_app(Settings(home=tmp_path))
    run, _ = app.runs.book(NewRun(job="paint", queue="default"))
    claim = app.runs.claim(run.id, "a worker")
    assert claim is not None
    app.runs.fail(claim, run_error("ValueError", "no paint", "File x, line 3, in the_failing_line"))
    app.close()
    shown = trials("runs", "show", run.reference)
    assert "the_failing_line" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("queue", "work", "--timeout", "inf"), "--timeout"),
        (("queue", "work", "--timeout", "1e15"), "--timeout"),
        (("queue", "work", "--max-time", "inf"), "--max-time"),
        (("queue", "work", "--grace", "inf"), "--grace"),
        (("queue", "work", "--tries", "99999999999999999999"), "--tries"),
        (("queue", "work", "--queue", "a,,b"), "--queue"),
        (("queue", "flush", "--hours", "1e8", "--yes"), "--hours"),
        (("queue", "prune", "--hours", "1e300", "--yes"), "--hours"),
        (("queue", "retry", "all", "--limit", "99999999999999999999"), "--limit"),
        (("queue", "restart", "--timeout", "inf"), "--timeout"),
    ],
)
def test_a_number_past_all_reason_is_refused_by_its_option(
    trials: Engine, arguments: tuple[str, ...], option: str
) -> None:
    done = trials(*arguments)
    assert done.returncode == 2, done.stderr
    assert option in done.stderr
    assert "Traceback" not in done.stderr
