"""What people type to operate runs and queues: what is said, asked, and the exit codes."""

import json
import os
import pty
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from engine.cli.output import local
from engine.cli.run import _progress_text
from engine.states import RunState
from engine.store.logs import LogLine, LogStore
from engine.store.run import Run, RunError
from engine.store.runs import RunStore
from tests.builders.app import ROOT
from tests.builders.booking import a_claim, a_new_run, a_run
from tests.cli.conftest import Done, Engine
from tests.cli.own_home import engine as engine
from tests.cli.own_home import home as home
from tests.cli.own_home import runs as runs

AWAY = RunError(type="ConnectionError", message="the bank is away", fingerprint="a" * 16)
BROKEN = RunError(type="ValueError", message="no such wallet", fingerprint="b" * 16)
JOBS = '''
"""Jobs."""

from engine.authoring import JobContext, job


@job(queue="payouts")
def pay(context: JobContext) -> None:
    """Pay."""
'''


def test_what_others_wrote_steers_no_terminal(engine: Engine, runs: RunStore) -> None:
    wiped = "\x1b[2J\x1b]0;all is well\x07\r\u202e700 diap"
    error = RunError(type="ValueError", message=wiped, fingerprint="c" * 16, trace=f"a\n\t{wiped}")
    (run,) = fail_runs(runs, error)
    line = LogLine(attempt=1, at=datetime.now(UTC), stream="stdout", text=f"a\t{wiped}")
    LogStore(runs.database).append(run, [line])
    said = [
        engine("runs", "show", str(run)),
        engine("runs", "logs", str(run)),
        engine("queue", "pause", "payouts", "--reason", wiped),
        engine("queue", "pause", "payouts", "--reason", wiped),
        engine("queue", "status"),
    ]
    for done in said:
        assert done.returncode == 0, done.stderr
        shown = done.stdout + done.stderr
        assert r"\x1b[2J\x1b]0;all is well\x07" in shown
        assert r"\u202e700" in shown
        assert not {"\x1b", "\x07", "\r", "\u202e"} & {*shown}
    assert "  \t\\x1b[2J" in said[0].stdout
    assert "a\t\\x1b[2J" in said[1].stdout


def test_clear_says_why_it_takes_no_connection(engine: Engine, runs: RunStore) -> None:
    done = engine("queue", "clear", "redis", "--queue=default")
    assert done.returncode == 2
    assert "takes no CONNECTION ('redis')" in done.stderr


def test_whoever_waits_for_a_run_that_is_due_later_is_told_when() -> None:
    due = datetime(2126, 1, 1, tzinfo=UTC)
    run = SimpleNamespace(state=RunState.QUEUED, due_at=due, attempt=0)
    assert _progress_text(cast("Run", run)) == f"queued, due at {local(due)}"


def test_a_worker_that_finds_nothing_ready_says_that_its_queue_is_paused(
    engine: Engine, runs: RunStore
) -> None:
    engine("queue", "pause", "payouts")
    a_run(runs, job="pay", queue="payouts")
    done = engine("queue", "work", "--once", "--queue", "payouts")
    assert done.returncode == 0, done.stderr
    assert "no run is ready (payouts paused: `engine queue resume`)" in done.stdout


def test_a_run_that_failed_without_a_word_says_how_it_ended(engine: Engine, runs: RunStore) -> None:
    (run,) = fail_runs(runs, AWAY)
    done = engine("runs", "logs", str(run), "--follow")
    assert done.returncode == 0
    assert "said nothing; it failed: ConnectionError: the bank is away" in done.stdout


@pytest.mark.parametrize("attempt", ["0", "2"])
def test_an_attempt_that_a_run_never_had_is_exit_3(
    engine: Engine, runs: RunStore, attempt: str
) -> None:
    (run,) = fail_runs(runs, AWAY)
    done = engine("runs", "logs", str(run), "--attempt", attempt)
    assert done.returncode == 3
    assert f"no such attempt: {attempt}" in done.stderr
    assert "it has had 1 of them" in done.stderr


def fail_runs(runs: RunStore, *errors: RunError) -> list[int]:
    """Failed runs with these errors."""
    made = []
    for error in errors:
        run = a_run(runs, job="pay", queue="payouts", attempts=1)
        assert runs.fail(a_claim(runs, run), error)
        made.append(run.id)
    return made


def states(runs: RunStore) -> list[RunState]:
    """Of all runs, the first one first."""
    return [run.state for run in reversed(runs.newest())]


def document(done: Done) -> Any:
    """What it printed."""
    return json.loads(done.stdout)


def test_failed_runs_are_listed_with_how_many_there_are(engine: Engine, runs: RunStore) -> None:
    assert engine("queue", "failed").stdout == "No failed runs.\n"
    fail_runs(runs, AWAY, AWAY, BROKEN)
    told = document(engine("queue", "failed", "--limit", "2", "--json"))
    assert ([run["id"] for run in told["runs"]], told["total"]) == ([3, 2], 3)
    shown = engine("queue", "failed", "--limit", "2").stdout
    assert "ValueError: no such wallet" in shown
    assert "3 runs failed, 2 shown" in shown
    assert [
        run["id"]
        for run in document(
            engine(
                "queue:failed", "--error", "bank", "--since", "1h", "--queue", "payouts", "--json"
            )
        )["runs"]
    ] == [2, 1]
    assert document(engine("queue", "failed", "--until", "1h", "--json"))["total"] == 0


def test_failed_runs_are_counted_by_their_error(engine: Engine, runs: RunStore) -> None:
    fail_runs(runs, AWAY, BROKEN, AWAY)
    told = document(engine("queue", "failed", "--group-by", "error", "--json"))
    first = told["errors"][0]
    assert (first["fingerprint"], first["count"], told["total"]) == ("a" * 16, 2, 3)
    assert (first["example"]["id"], first["type"]) == (3, "ConnectionError")
    assert first["first_seen_at"] <= first["last_seen_at"]
    assert (
        "ConnectionError: the bank is away"
        in engine("queue", "failed", "--group-by", "error").stdout
    )


def test_an_unknown_id_is_exit_3_and_nothing_is_retried(engine: Engine, runs: RunStore) -> None:
    fail_runs(runs, AWAY)
    done = engine("queue", "retry", "1", "99", "ZZZZ-ZZZZ")
    assert done.returncode == 3
    assert "no run has the id '99', 'ZZZZ-ZZZZ'; nothing was done" in done.stderr
    assert states(runs) == [RunState.FAILED]


def test_retrying_what_is_not_failed_any_more_is_exit_1_and_the_rest_is_retried(
    engine: Engine, runs: RunStore
) -> None:
    fail_runs(runs, AWAY, AWAY)
    assert engine("queue", "retry", "1", "--reason", "it is back").returncode == 0
    done = engine("queue", "retry", "1", "2")
    assert done.returncode == 1
    assert "run 2 " in done.stdout
    assert "is left: it is queued, not failed; " in done.stderr
    assert "retried it at" in done.stderr
    assert "it is back" in done.stderr
    assert states(runs) == [RunState.QUEUED] * 2


def test_all_failed_runs_are_retried_a_few_at_a_time(engine: Engine, runs: RunStore) -> None:
    fail_runs(runs, AWAY, BROKEN, AWAY)
    tried = engine("queue", "retry", "all", "--dry-run", "--json")
    assert [run["id"] for run in document(tried)["retried"]] == [1, 2, 3]
    assert states(runs) == [RunState.FAILED] * 3
    done = engine("queue", "retry", "all", "--rate", "2/s", "--limit", "2")
    assert "2 runs retried." in done.stdout
    first, second, third = (runs.get(id_) for id_ in (1, 2, 3))
    assert (second.ready_at - first.ready_at).total_seconds() == 0.5
    assert third.state is RunState.FAILED
    assert (first.attempts_allowed, first.attempt) == (4, 1)
    assert engine("queue", "retry", "--fingerprint", "a" * 16).returncode == 0
    none = engine("queue", "retry", "--fingerprint", "c" * 16)
    assert (none.returncode, none.stdout) == (0, "0 runs retried: no such failed runs.\n")
    assert engine("queue", "retry", "--reference", "RC-20261124-00000").returncode == 3
    assert "0 runs retried: no failed runs." in engine("queue", "retry", "all").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("retry",), "which runs?"),
        (("retry", "1", "all"), "give one of the two"),
        (("retry", "1", "--job", "pay"), "give one of the two"),
        (("retry", "1", "--limit", "3"), "give one of the two"),
        (("retry", "all", "--rate", "fast"), "--rate: 'fast' is no rate"),
        (("retry", "all", "--since", "noon"), "--since: 'noon' is no moment"),
        (("failed", "--group-by", "colour"), "colour"),
        (("retry", "--error", "", "--dry-run"), "--error: it is empty"),
        (("retry", "--fingerprint", " "), "--fingerprint: it is empty"),
        (("failed", "--job", ""), "--job: it is empty"),
        (("retry", "--job", "pya"), "did you mean 'pay'?"),
        (("failed", "--job", "pya"), "did you mean 'pay'?"),
        (("retry", "--queue", "payuots"), "did you mean 'payouts'?"),
        (("failed", "--queue", "payuots"), "did you mean 'payouts'?"),
        (("pause", "payuots"), "did you mean 'payouts'?"),
        (("resume", "payuots"), "did you mean 'payouts'?"),
        (("clear", "--queue", "payuots"), "did you mean 'payouts'?"),
        (("pause",), "Missing argument"),
    ],
)
def test_a_mistake_is_exit_2(engine: Engine, arguments: tuple[str, ...], said: str) -> None:
    done = engine("queue", *arguments)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "line",
    [
        ("runs", "list", "--queue", ""),
        ("breaks", "list", "--wallet", ""),
        ("audit", "list", "--actor", ""),
        ("audit", "list", "--since", ""),
    ],
)
def test_no_filter_that_says_nothing_means_everything(
    engine: Engine, line: tuple[str, ...]
) -> None:
    done = engine(*line)
    assert done.returncode == 2
    assert line[2] in done.stderr


@pytest.mark.parametrize(
    ("arguments", "counted"),
    [
        (("forget", "1"), "1 run would be discarded"),
        (("flush",), "2 runs would be discarded"),
        (("prune", "--hours", "0"), "2 runs would be discarded"),
        (("clear", "--queue", "payouts"), "1 run of queue payouts would be cancelled"),
    ],
)
def test_what_cannot_be_undone_needs_consent(
    engine: Engine, home: Path, runs: RunStore, arguments: tuple[str, ...], counted: str
) -> None:
    fail_runs(runs, AWAY, AWAY)
    a_run(runs, job="pay", queue="payouts")
    before = states(runs)
    refused = engine("queue", *arguments)
    assert refused.returncode == 5
    assert f"{counted}; that needs --yes" in refused.stderr
    tried = engine("queue", *arguments, "--dry-run")
    assert (tried.returncode, tried.stdout) == (0, f"{counted}.\n")
    code, asked = on_a_terminal(home, "n\n", "queue", *arguments)
    assert (code, f"{counted}. Go on?" in asked, "nothing was done" in asked) == (5, True, True)
    assert states(runs) == before
    code, asked = on_a_terminal(home, "y\n", "queue", *arguments)
    assert code == 0, asked
    assert states(runs) != before


def on_a_terminal(home: Path, typed: str, *arguments: str) -> tuple[int, str]:
    """The exit code of a command, and what it said, to somebody who types this."""
    ours, theirs = pty.openpty()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ENGINE_")}
    with os.fdopen(ours, "r+b", buffering=0) as terminal, os.fdopen(theirs, "wb") as other:
        terminal.write(typed.encode())
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "engine", *arguments],
            env=environment | {"ENGINE_HOME": str(home), "PYTHONPATH": str(ROOT)},
            stdin=other,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    return done.returncode, done.stdout + done.stderr


def test_what_is_put_aside_stays_in_the_history(engine: Engine, runs: RunStore) -> None:
    fail_runs(runs, AWAY, AWAY, AWAY)
    told = document(engine("queue", "forget", "1", "--yes", "--reason", "by hand", "--json"))
    assert told["discarded"] == 1
    assert engine("queue", "forget", "1", "--yes").returncode == 1
    assert "0 runs discarded" in engine("queue", "prune", "--yes").stdout
    assert "0 runs discarded" in engine("queue", "flush", "--hours", "1", "--yes").stdout
    assert "2 runs discarded" in engine("queue", "flush", "--yes").stdout
    assert states(runs) == [RunState.DISCARDED] * 3
    assert document(engine("runs", "show", "1", "--json"))["error"]["type"] == "ConnectionError"
    assert engine("queue", "retry", "1").returncode == 1


def test_cancelling_says_what_had_ended_and_what_is_unknown(engine: Engine, runs: RunStore) -> None:
    queued, ended = a_run(runs), a_claim(runs)
    assert runs.succeed(ended, None)
    assert engine("runs", "cancel", str(queued.id), "99").returncode == 3
    assert runs.get(queued.id).state is RunState.QUEUED
    done = engine("queue:cancel", str(queued.id), str(ended.run_id), "--reason", "wrong month")
    assert done.returncode == 1
    assert f"run {queued.id} {queued.reference} is cancelled" in done.stdout
    assert "it is succeeded already" in done.stderr
    shown = document(engine("runs", "show", str(queued.id), "--json"))
    assert shown["state"] == "cancelled"
    assert shown["reason"].endswith(": wrong month")
    assert shown["cancelled_by"]


def test_a_review_is_one_decision_with_a_reason(engine: Engine, runs: RunStore) -> None:
    claim = a_claim(runs)
    assert runs.crash(claim, AWAY, None, needs_review=True)
    review = ("runs", "review", "1")
    assert engine(*review).returncode == 2
    assert engine(*review, "--approve", "--reject", "--reason", "x").returncode == 2
    assert engine(*review, "--approve").returncode == 5
    assert engine("runs", "review", "99", "--approve", "--reason", "x").returncode == 3
    refused = engine("queue", "retry", "all")
    assert refused.returncode == 5
    assert "it waits for a review" in refused.stderr
    rejected = engine(*review, "--reject", "--reason", "paid by hand")
    assert (rejected.returncode, "is rejected" in rejected.stdout) == (0, True)
    again = engine("queue", "retry", "1")
    assert (again.returncode, "was rejected by a review" in again.stderr) == (5, True)
    approved = engine(*review, "--approve", "--reason", "it was not", "--json")
    assert document(approved)["review"] == "approved"
    twice = engine(*review, "--approve", "--reason", "it was not")
    assert (twice.returncode, "it is approved already" in twice.stderr) == (1, True)
    assert engine("queue", "retry", "1").returncode == 0
    late = engine(*review, "--reject", "--reason", "too late")
    assert (late.returncode, "only a failed run is reviewed" in late.stderr) == (1, True)


def test_pausing_is_told_with_who_did_it_and_resuming_as_well(
    engine: Engine, runs: RunStore
) -> None:
    paused = engine("queue", "pause", "payouts", "--reason", "the bank is away", "--json")
    (first,) = document(paused)["paused"]
    assert (first["queue"], first["reason"], first["is_new"]) == (
        "payouts",
        "the bank is away",
        True,
    )
    runs.book(a_new_run(queue="payouts"))
    assert "was paused already, at" in engine("queue", "pause", "payouts").stdout
    resumed = document(engine("queue", "resume", "payouts", "--json"))["resumed"]
    assert [each["actor"] for each in resumed] == [first["actor"]]
    assert "was not paused" in engine("queue", "resume", "payouts").stdout


def test_a_broken_file_of_jobs_takes_no_brake_away(
    engine: Engine, runs: RunStore, home: Path
) -> None:
    first, second = fail_runs(runs, AWAY, BROKEN)
    waiting = a_run(runs, job="gone", queue="payouts")
    (home / "jobs" / "broken.py").write_text("def (")
    for line in (
        ("queue", "status"),
        ("queue", "pause", "payouts"),
        ("queue", "resume", "payouts"),
        ("runs", "cancel", str(waiting.id)),
        ("queue", "retry", str(first)),
        ("queue", "monitor", "payouts:5"),
        ("queue", "forget", str(second), "--yes"),
        ("queue", "clear", "--queue", "payouts", "--yes"),
    ):
        done = engine(*line)
        assert done.returncode == 0, done.stderr
    assert "jobs in jobs.broken cannot be imported" in engine("queue", "status").stderr
    assert states(runs) == [RunState.CANCELLED, RunState.DISCARDED, RunState.CANCELLED]
    assert engine("queue", "restart").returncode == engine("run", "pay").returncode == 2
