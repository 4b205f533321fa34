"""`engine queue status | workers | monitor`, `engine events`: what is said, and exit codes."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from engine.store.paused_queues import PausedQueueStore
from engine.store.runs import RunStore
from engine.store.tables import runs as run_table
from engine.store.tables import workers as worker_table
from engine.store.workers import WorkerStore
from tests.builders.app import ROOT
from tests.builders.booking import BROKEN, LONG_AGO, MIDNIGHT, a_claim, a_run
from tests.builders.terminal import on_a_terminal
from tests.cli.conftest import Engine
from tests.cli.own_home import engine as engine
from tests.cli.own_home import home as home
from tests.cli.own_home import runs as runs

JOBS = '''
"""Jobs."""

from engine.authoring import JobContext, job


@job(queue="payouts")
def pay(context: JobContext) -> None:
    """Pay."""
'''
NOBODY_LISTENS = "redis://127.0.0.1:1/0"


def a_busy_worker(runs: RunStore) -> str:
    """A worker that will be there for an hour, and carries out a run; its reference."""
    store = WorkerStore(runs.database, presence=timedelta(hours=1))
    store.announce(
        worker="batch-1:4711:3f9a2c", host="batch-1", pid=4711, kind="worker",
        queues=["payouts", "default"], threads=4, version="0.1.0+3f9a2c1b", manager="systemd",
    )  # fmt: skip
    store.seen("batch-1:4711:3f9a2c", memory_bytes=145_000_000)
    run = a_run(runs, job="pay", queue="payouts")
    a_claim(runs, run, "batch-1:4711:3f9a2c")
    return run.reference


def leave_untouched(runs: RunStore, count: int) -> None:
    """Runs that failed long ago."""
    for _ in range(count):
        runs.fail(a_claim(runs), BROKEN)
    with runs.database.begin() as connection:
        connection.execute(update(run_table).values(finished_at=LONG_AGO))


def test_status_tells_what_is_ready_apart_from_what_is_delayed(
    engine: Engine, runs: RunStore
) -> None:
    a_run(runs, queue="payouts")
    for _ in range(2):
        a_run(runs, queue="payouts", due_at=datetime.now(UTC) + timedelta(hours=1))
    done = engine("queue", "status")
    assert done.returncode == 0, done.stderr
    heads, row = (line.split() for line in done.stdout.splitlines()[:2])
    shown = dict(zip(heads[:3], row, strict=False))
    assert shown == {"QUEUE": "payouts", "READY": "1", "DELAYED": "2"}
    assert "No worker and no scheduler runs" in done.stdout
    (queue,) = json.loads(engine("queue", "status", "--json").stdout)["queues"]
    assert set(queue) == {
        *("name", "ready", "delayed", "running", "retrying", "failed", "in_review"),
        *("oldest_wait_ms", "messages", "workers", "paused"),
    }


def test_failed_runs_that_nobody_touched_for_a_day_are_the_first_line(
    engine: Engine, runs: RunStore
) -> None:
    leave_untouched(runs, 2)
    first = engine("queue", "status").stdout.splitlines()[0]
    assert first.startswith("2 failed runs that nobody has touched for 24 h, the oldest ")
    assert first.endswith("`engine queue failed`")
    document = json.loads(engine("queue", "status", "--json").stdout)
    assert document["failed_untouched"]["count"] == 2


def test_a_queue_server_that_is_away_is_exit_6_after_the_rest_is_printed(
    engine: Engine, runs: RunStore
) -> None:
    a_run(runs, queue="payouts")
    done = engine("queue", "status", ENGINE_QUEUE_URL=NOBODY_LISTENS)
    assert done.returncode == 6
    assert done.stdout.splitlines()[1].split()[:2] == ["payouts", "1"]
    assert "unknown" in done.stdout
    assert done.stderr.count("\n") == 1
    assert NOBODY_LISTENS in done.stderr
    told = engine("queue", "status", "--json", ENGINE_QUEUE_URL=NOBODY_LISTENS)
    assert told.returncode == 6
    document = json.loads(told.stdout)
    assert document["queues"][0]["messages"] is None
    assert "does not answer" in document["queue_error"]


def test_a_paused_queue_is_told_with_who_paused_it(engine: Engine, runs: RunStore) -> None:
    PausedQueueStore(runs.database).pause("payouts", actor="sara", reason="the bank is away")
    done = engine("queue", "status")
    (line,) = (line for line in done.stdout.splitlines() if "is paused" in line)
    assert line.startswith("queue payouts is paused since ")
    assert line.endswith(" by sara: the bank is away")


def test_workers_are_told_with_what_each_carries_out(engine: Engine, runs: RunStore) -> None:
    assert "engine up" in engine("queue", "workers").stdout
    reference = a_busy_worker(runs)
    text = engine("queue", "workers").stdout
    for word in ("batch-1:4711:3f9a2c", "systemd", "0.1.0+3f9a2c1b", "1/4", "145.0 MB", reference):
        assert word in text
    (worker,) = json.loads(engine("queue", "workers", "--json").stdout)["workers"]
    assert (worker["host"], worker["pid"], worker["kind"]) == ("batch-1", 4711, "worker")
    assert (worker["version"], worker["manager"]) == ("0.1.0+3f9a2c1b", "systemd")
    assert worker["queues"] == ["payouts", "default"]
    assert worker["memory_bytes"] == 145_000_000
    assert 0 <= worker["heartbeat_age_ms"] < 60_000
    assert worker["restart_requested_at"] is None
    (run,) = worker["runs"]
    assert (run["reference"], run["job"], run["attempt"]) == (reference, "pay", 1)
    assert run["since"].endswith("Z")


def test_a_worker_that_was_asked_to_restart_says_so(engine: Engine, runs: RunStore) -> None:
    a_busy_worker(runs)
    assert "ASKED" not in engine("queue", "workers").stdout
    with runs.database.begin() as connection:
        connection.execute(update(worker_table).values(restart_requested_at=MIDNIGHT))
    assert "to restart at 2020-11-24" in engine("queue", "workers").stdout
    (worker,) = json.loads(engine("queue", "workers", "--json").stdout)["workers"]
    assert worker["restart_requested_at"] == "2020-11-24T00:00:00.000Z"


def test_a_monitored_limit_that_is_exceeded_is_exit_4_named_and_one_event(
    engine: Engine, runs: RunStore
) -> None:
    assert engine("queue", "monitor", "payouts:1").returncode == 0
    for _ in range(2):
        a_run(runs, queue="payouts")
    done = engine("queue", "monitor", "payouts:1", "--max-wait", "1h", "--max-failed", "0")
    assert (done.returncode, done.stderr) == (4, "")
    assert done.stdout.splitlines()[-1] == "payouts: 2 runs are ready, 1 allowed"
    again = engine("queue", "monitor", "payouts:1", "--json")
    assert again.returncode == 4
    document = json.loads(again.stdout)
    assert document["events"] == []
    (queue,) = document["queues"]
    assert (queue["name"], queue["ready"], queue["breached"]) == ("payouts", 2, True)
    assert queue["limits"] == [{"measure": "ready", "have": 2, "allowed": 1, "breached": True}]
    (event,) = json.loads(engine("events", "list", "--json").stdout)["events"]
    assert (event["kind"], event["facts"]["queue"]) == ("queue_over_limit", "payouts")
    assert event["text"] == "queue payouts is over its limit: 2 runs are ready, 1 allowed"


def test_what_is_delayed_breaches_nothing(engine: Engine, runs: RunStore) -> None:
    for _ in range(3):
        a_run(runs, queue="payouts", due_at=datetime.now(UTC) + timedelta(hours=1))
    done = engine("queue", "monitor", "payouts:0", "--max-wait", "1s")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["payout:1"], "did you mean 'payouts'?"),
        (["payouts"], "write payouts:100, or add --max-wait or --max-failed"),
        (["payouts:few"], "'payouts:few' is no limit"),
        (["payouts:1", "--max-wait", "60"], "60s or 60m?"),
        (["payouts:1", "--max-failed", "-1"], "--max-failed"),
        ([], "QUEUE:MAX"),
    ],
)
@pytest.mark.usefixtures("runs")
def test_a_limit_that_cannot_be_is_exit_2(engine: Engine, arguments: list[str], said: str) -> None:
    done = engine("queue", "monitor", *arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_events_can_be_chosen(engine: Engine, runs: RunStore) -> None:
    assert engine("events", "list").stdout == "Nothing that anybody need hear of.\n"
    a_run(runs, queue="payouts")
    engine("queue", "monitor", "payouts:0")

    def chosen(*options: str) -> str:
        return engine("events", "list", *options).stdout

    assert "queue payouts is over its limit" in chosen("--kind", "queue_over_limit")
    assert "over its limit" in chosen("--since", "1h")
    assert "Nothing" in chosen("--kind", "run_quarantined")
    assert "Nothing" in chosen("--since", "2999-01-01T00:00:00Z")
    for option, said in (("--kind", "did you mean 'queue_over_limit'?"), ("--since", "no moment")):
        done = engine("events", "list", option, "queue_over_limits")
        assert done.returncode == 2
        assert said in done.stderr


@pytest.mark.parametrize("width", [80, 120])
def test_tables_fit_the_terminal(home: Path, runs: RunStore, width: int) -> None:
    a_busy_worker(runs)
    leave_untouched(runs, 1)
    for command in ("queue status", "queue workers", "queue monitor payouts:0"):
        environment = {"ENGINE_HOME": str(home), "PYTHONPATH": str(ROOT)}
        screen = on_a_terminal(*command.split(), environment=environment, columns=width)
        assert max(map(len, screen.lines)) <= width, screen.text
