"""Looking on while a run goes on: its logs over retries, its timeline on a terminal."""

from collections.abc import Mapping
from typing import Any

import pytest

from engine.cli.table import width_of
from tests.builders.home import Home
from tests.builders.terminal import on_a_terminal
from tests.processes.waiting import until

pytestmark = pytest.mark.process

JOB = '''
from datetime import timedelta

from engine.authoring import JobContext, RetryPolicy, job


@job(retry=RetryPolicy(attempts=2, waits=(timedelta(seconds=2),)))
def stumble(context: JobContext) -> None:
    """Fail, some time after saying something."""
    print("before", flush=True)
    raise RuntimeError("a stone in the way, and a long explanation of where it came from and why")
'''


@pytest.fixture(params=["home", "postgres_home"])
def stumbling(request: pytest.FixtureRequest) -> Home:
    """A home with a job that fails twice, on every kind of ledger."""
    home: Home = request.getfixturevalue(request.param)
    (home.folder / "jobs" / "stumbling.py").write_text(JOB)
    return home


def test_the_logs_of_a_run_are_followed_over_its_retries_to_its_end(stumbling: Home) -> None:
    run = stumbling.book("stumble", attempts=2)
    follower = stumbling.start("runs", "logs", run.reference, "--follow")
    stumbling.start_worker()
    assert follower.wait(timeout=60) == 0
    assert stumbling.ended(run)
    followed = [line for line in stumbling.said().splitlines() if f" {run.reference}/" in line]
    assert [line.split()[2] for line in followed if line.endswith("before")] == [
        f"{run.reference}/1",
        f"{run.reference}/2",
    ]
    waited: Mapping[str, Any] = stumbling.json("runs", "logs", run.reference, "--follow")
    assert {line["attempt"] for line in waited["lines"]} == {1, 2}


def test_a_run_is_shown_as_a_timeline_that_fits_the_terminal(stumbling: Home) -> None:
    run = stumbling.book("stumble", attempts=2)
    stumbling.start_worker()
    until(lambda: stumbling.ended(run), within=60)
    shown = stumbling.json("runs", "show", run.reference)
    assert [moment["kind"] for moment in shown["timeline"]] == ["booked", "attempt", "attempt"]
    assert shown["timeline"][2]["waited_ms"] >= 1_900
    for columns in (80, 120):
        screen = on_a_terminal(
            "runs", "show", run.reference, environment=stumbling.environment, columns=columns
        )
        assert screen.code == 0
        # A stack trace is as long as it is.
        above = screen.lines[: screen.lines.index("attempt 1:")]
        assert all(width_of(line) <= columns for line in above)
        listed = on_a_terminal("runs", "list", environment=stumbling.environment, columns=columns)
        assert all(width_of(line) <= columns for line in listed.lines)
        assert run.reference in listed.text
