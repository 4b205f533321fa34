"""`engine jobs`: what can be run, and by which policies."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import engine_in

JOBS = '''
from datetime import timedelta

from engine.authoring import JobContext, RetryPolicy, job


@job()
def ordinary(context: JobContext) -> None:
    """Say nothing of retries."""


@job(
    retry=RetryPolicy(
        attempts=5,
        waits=(timedelta(seconds=5), timedelta(minutes=2)),
        retry_on=(ConnectionError, "GatewayBusy"),
        never_retry_on=("TimeLimitExceeded",),
        retry_until=timedelta(hours=6),
    ),
    time_limit=None,
)
def settle(context: JobContext, *, day: str) -> None:
    """Say all of it."""
'''


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """A home with two jobs."""
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "__init__.py").touch()
    (tmp_path / "jobs" / "policies.py").write_text(JOBS)
    return tmp_path


def test_policies_are_shown(told: Path) -> None:
    shown = engine_in(told)("jobs").stdout
    lines = {line.split()[0]: " ".join(line.split()) for line in shown.splitlines()}
    assert "ordinary default 3 10 s, doubling, jitter" in lines["ordinary"]
    settle = lines["settle"]
    assert "settle default 5 5,120 s on ConnectionError, GatewayBusy;" in settle
    assert "never on TimeLimitExceeded; for 21600 s none" in settle


def test_policies_are_there_for_programs(told: Path) -> None:
    jobs = json.loads(engine_in(told)("jobs", "--json").stdout)["jobs"]
    ordinary, settle = sorted(jobs, key=lambda each: str(each["name"]))
    assert (ordinary["attempts"], ordinary["backoff"], ordinary["jitter"]) == (3, "doubling", True)
    assert (ordinary["backoff_seconds"], ordinary["longest_wait_seconds"]) == ([10.0], 3600.0)
    assert (settle["attempts"], settle["backoff"], settle["jitter"]) == (5, "listed", False)
    assert settle["backoff_seconds"] == [5.0, 120.0]
    assert settle["retry_on"] == ["ConnectionError", "GatewayBusy"]
    assert settle["never_retry_on"] == ["TimeLimitExceeded"]
    assert settle["retry_until_seconds"] == 21600.0
    assert (ordinary["retry_until_seconds"], settle["time_limit_seconds"]) == (None, None)
