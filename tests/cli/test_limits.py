"""What `engine run` and `engine jobs` say of single runs, limits and priorities."""

import json
from pathlib import Path

from engine.limits import LimitGroup, Limits
from engine.states import RunState
from engine.store.runs import RunStore
from tests.builders.booking import a_run, put_all_in
from tests.cli.conftest import Engine
from tests.cli.own_home import engine as engine
from tests.cli.own_home import home as home
from tests.cli.own_home import runs as runs

JOBS = '''
"""Jobs."""

from engine.authoring import JobContext, job


@job(unique_by=("wallet_id",), concurrency=2, rate="60/m", limit_by=("wallet_id",), priority=5)
def refund(context: JobContext, *, wallet_id: int, note: str = "") -> None:
    """Refund."""


@job(unique_by=(), on_duplicate="refuse")
def close_the_month(context: JobContext) -> None:
    """Close the month."""
'''


def test_another_run_of_the_same_wallet_is_the_one_that_has_not_ended(
    engine: Engine, runs: RunStore
) -> None:
    assert engine("run", "refund", "-p", "wallet_id=7").returncode == 0
    again = engine("run", "refund", "-p", "wallet_id=7", "-p", "note=again", "--key", "k")
    (run,) = runs.newest()
    assert again.returncode == 0, again.stderr
    assert again.stdout == (
        f"run 1 {run.reference} queued (not booked anew: it has not ended, and there is one at a "
        "time for each wallet_id)\n"
    )
    as_json = engine("run", "refund", "-p", "wallet_id=7", "--json")
    assert json.loads(as_json.stdout)["id"] == 1
    assert f"run {run.reference}: not booked anew" in as_json.stderr
    assert engine("run", "refund", "-p", "wallet_id=8").stdout.startswith("run 2 ")
    put_all_in(runs.database, RunState.SUCCEEDED)
    assert engine("run", "refund", "-p", "wallet_id=7").stdout.startswith("run 3 ")


def test_a_job_that_refuses_another_run_names_the_first_one(engine: Engine, runs: RunStore) -> None:
    assert engine("run", "close_the_month").returncode == 0
    again = engine("run", "close_the_month")
    (run,) = runs.newest()
    assert (again.returncode, again.stdout) == (5, "")
    assert f"run 1 {run.reference}, which is queued, is the same one" in again.stderr
    assert len(runs.newest()) == 1


def test_a_key_of_something_else_is_still_wrong_use(engine: Engine) -> None:
    assert engine("run", "refund", "-p", "wallet_id=7", "--key", "k").returncode == 0
    other = engine("run", "refund", "-p", "wallet_id=8", "--key", "k")
    assert other.returncode == 2
    assert "'k' is the key of run 1" in other.stderr


def test_a_run_has_its_own_priority_or_the_jobs(engine: Engine, runs: RunStore) -> None:
    engine("run", "refund", "-p", "wallet_id=7")
    engine("run", "refund", "-p", "wallet_id=8", "--priority", "-9")
    assert [run.priority for run in runs.newest()] == [-9, 5]
    assert all(run.limit_key for run in runs.newest())
    high = engine("run", "refund", "-p", "wallet_id=9", "--priority", "1001")
    assert high.returncode == 2
    assert "'--priority'" in high.stderr


def test_the_jobs_show_their_limits(engine: Engine) -> None:
    shown = json.loads(engine("jobs", "--json").stdout)["jobs"]
    fields = ("unique_by", "on_duplicate", "concurrency", "rate", "limit_by", "priority")
    assert {job["name"]: [job[field] for field in fields] for job in shown} == {
        "refund": [["wallet_id"], "return", 2, "60/m", ["wallet_id"], 5],
        "close_the_month": [[], "refuse", None, None, [], 0],
    }
    table = engine("jobs").stdout
    assert "2 at a time, 60/m for each wallet_id" in table
    assert "one unfinished for each wallet_id; priority 5" in table


def test_a_run_that_is_held_back_says_so(engine: Engine, runs: RunStore) -> None:
    first, waiting = (a_run(runs, job="refund", params={"wallet_id": 9}) for _ in range(2))
    group = LimitGroup(key="wallet 9", limits=Limits(concurrency=1))
    assert runs.claim(first.id, "worker-1", group) is not None
    assert runs.claim(waiting.id, "worker-1", group) is None
    assert "held back by a limit since" in engine("runs", "show", str(waiting.id)).stdout
    shown = json.loads(engine("runs", "show", str(waiting.id), "--json").stdout)
    assert shown["blocked_at"] is not None


def test_a_job_whose_limits_cannot_work_is_named(engine: Engine, home: Path) -> None:
    broken = JOBS.replace('unique_by=("wallet_id",)', 'unique_by=("walet_id",)')
    (home / "jobs" / "payouts.py").write_text(broken)
    refused = engine("jobs")
    assert refused.returncode == 2
    assert "unique_by names 'walet_id', which is no parameter; did you mean" in refused.stderr
